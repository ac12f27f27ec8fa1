//! Tests every kernel of `Fast`, and of each instruction set for `f32`, against the reference `Naive`. One test body serves
//! `f32`, `f64` and `Dual<f64>`, with operands in every layout.
//!
//! A body draws sizes, layouts and numbers, and names a call. [`check`] makes the call with `Naive` on contiguous operands, and
//! with all kernels on the drawn layouts. Then it compares the results.
#![forbid(unsafe_code)]

#[macro_use]
mod cases;
mod check;
mod draw;

mod bits;
mod edges;
mod elementwise;
mod gpu;
mod gru;
mod index;
#[cfg(feature = "cuda")]
mod ladder;
mod limits;
mod long;
mod matmul;
mod norm;
mod optim;
#[cfg(feature = "cuda")]
mod random;
mod reduce;
mod sgemm;
mod softmax;
mod special;

use check::{EXACT, Parts, Scalar, check, check_by, functions, rounding};
use draw::{Draw, Operand};
