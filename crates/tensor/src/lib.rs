//! Arrays, kernels and random numbers: what a device can do.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod philox;
