//! Tests of every kernel in `f32`, and of the GRU through time, against `f64` within a derived error bound.
//!
//! Each computation draws `f32` numbers and runs on three scalars. `f32` is the tested scalar. `f64` with the original
//! equations ([`Naive`](tensor::Naive)) is the reference. [`Bounded`](bounded::Bounded) derives the bound of each element.
//! `cargo test -p gradus-precision -- --nocapture` prints the fraction of each bound that is used.
#![forbid(unsafe_code)]

mod bounded;
#[macro_use]
mod harness;

mod coverage;
mod elementwise;
mod gru;
mod index;
mod long_rows;
mod matmul;
mod norm;
mod optim;
mod range;
mod reduce;
mod softmax;
mod through_time;

use gradus_tests::RandomTensors;
use tensor::{Real, Shape, Tensor};

/// Sizes around powers of two, and beyond a block of a matrix product.
const SIZES: [usize; 9] = [1, 2, 3, 5, 8, 17, 64, 300, 1000];

/// Rounds to `f32`. Every scalar holds the results exactly.
fn single<T: Real>(x: &Tensor<f64>) -> Tensor<T> {
    x.cast::<f32>().cast()
}

fn normal<T: Real>(d: &mut RandomTensors, shape: impl Into<Shape>) -> Tensor<T> {
    single(&d.normal(shape))
}

/// Draws numbers in [0.5, 1.5).
fn positive<T: Real>(d: &mut RandomTensors, shape: impl Into<Shape>) -> Tensor<T> {
    single(&d.positive(shape))
}

/// Draws numbers of either sign and of sizes from about 1e-3 to 1e3, so that small ones are lost beside large ones.
fn wide<T: Real>(d: &mut RandomTensors, shape: impl Into<Shape>) -> Tensor<T> {
    let shape = shape.into();
    let (x, mut size) = (d.normal(shape), &d.normal(shape) * &Tensor::scalar(2.0));
    size.view_mut().into_ndarray().mapv_inplace(f64::exp);
    single(&(&x * &size))
}

/// Converts a constant that every scalar holds exactly.
fn constant<T: Real>(x: f32) -> T {
    T::from_f64(x.into())
}
