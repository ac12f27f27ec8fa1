//! Helpers that several test files share.
#![forbid(unsafe_code)]

mod close;
pub mod composed;
mod draw;
pub mod golden;

pub use draw::Draw;
