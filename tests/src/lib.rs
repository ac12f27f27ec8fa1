//! Helpers that several test files share.
#![forbid(unsafe_code)]

mod close;
pub mod composed;
pub mod disk;
pub mod golden;
pub mod loops;

pub use proofs::{RandomTensors, levels};
