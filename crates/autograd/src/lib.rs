//! The reverse-mode tape, one file per operation, and the gradient checker.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;
