//! Helpers that several test files share.
#![forbid(unsafe_code)]

mod close;
pub mod composed;
pub mod disk;
pub mod golden;
pub mod levels;
mod maps;

pub use maps::maps;
pub use proofs::Draw;
