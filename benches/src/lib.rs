//! What the benchmarks share: a contest that verifies before it times, and the data that contests run on.
//!
//! A [`Contest`] is one piece of work with one reference. Whoever enters hands over a closure; its result is compared
//! with the reference's, and only then is *that same closure* timed. One that disagrees gets no number: it panics and
//! says where.
#![forbid(unsafe_code)]

mod contest;
mod data;
mod outcome;

pub use contest::{Contest, criterion};
pub use data::{matmul_flops, uniform};
pub use outcome::{Outcome, verify};
