//! Tasks, policy, rollout, A2C, curriculum and evaluation.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod env;
pub mod solver;
pub mod tasks;
