//! What the benchmarks share: a contest that verifies before it times, and the data that contests run on.
//!
//! A [`Contest`] is one piece of work with one reference. Whoever enters hands over a closure; its result is compared
//! with the reference's, and only then is *that same closure* timed. One that disagrees gets no number: it panics and
//! says where. The [`ladder`] has kernels to learn from, [`kernels`] the sets that `tensor` has, and [`gpu`] is what there is of a
//! graphics card.
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
pub use data::{matmul_flops, product_in_f64, uniform};
pub use kernels::kernels;
pub use outcome::{Outcome, verify};
pub use ulps::ulps;
