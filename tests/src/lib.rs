//! Helpers that several test files share.
#![forbid(unsafe_code)]

mod close;
pub mod composed;
pub mod disk;
mod draw;
pub mod golden;
mod maps;

pub use draw::Draw;
pub use maps::maps;
