//! Every kernel of `Fast`, and of each instruction set for `f32`, against `Naive`: one body for `f32`, `f64` and `Dual<f64>`, operands in every layout.
//!
//! A body draws sizes, layouts and numbers, and names a call; [`check`] makes the call on contiguous operands with
//! `Naive`, which is the reference, and on the drawn layouts with both.
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
