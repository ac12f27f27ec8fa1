//! Helpers that several test files share.
#![forbid(unsafe_code)]

mod close;
pub mod golden;
