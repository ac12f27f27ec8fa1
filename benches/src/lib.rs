//! Shared code of the benchmarks: a contest that verifies before it times, and the data of the contests.
//!
//! A [`Contest`] is one computation with one reference. A contestant is a closure. Its result is compared with the
//! reference, and then *the same closure* is timed. A contestant that disagrees gets no time: the benchmark panics
//! and names the worst number. The [`ladder`] has kernels to learn from, [`kernels`] returns `tensor`'s kernel sets, and
//! [`gpu`] supports benchmarks on a GPU.
#![forbid(unsafe_code)]

mod contest;
mod data;
pub mod gpu;
mod kernels;
pub mod ladder;
mod outcome;
pub mod svg;
pub mod trajectory;
mod ulps;

pub use contest::{Contest, criterion};
pub use data::{matmul_f64, matmul_flops, uniform};
pub use kernels::kernels;
pub use outcome::{Outcome, verify};
pub use ulps::ulp_errors;
