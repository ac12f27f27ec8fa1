//! The emulator: how it is built, what it shows of right and wrong kernels, and how the driver's own binding sees it.
#![forbid(unsafe_code)]

mod building;
mod scripts;
mod through_cudarc;
