//! Tests of the emulator: building it, running right and wrong kernels, and using it through cudarc.
#![forbid(unsafe_code)]

mod building;
mod scripts;
mod through_cudarc;
