//! Every kernel in `f32`, and the GRU through time, against `f64`, within an error bound that nobody chose.
//!
//! A body draws `f32` numbers and computes something with them. It runs on three scalars: `f32`, which is judged; `f64`,
//! with the equations as they stand ([`Naive`](tensor::Naive)), the truth; and [`Bounded`](bounded::Bounded), which
//! derives for each element how far `f32` may be off. `cargo test --test all precision:: -- --nocapture` prints how much of
//! each bound is used.

mod bounded;
#[macro_use]
mod judge;

mod complete;
mod elementwise;
mod gru;
mod index;
mod long;
mod matmul;
mod norm;
mod optim;
mod range;
mod reduce;
mod softmax;
mod through_time;

use gradus_tests::Draw;
use tensor::{Real, Shape, Tensor};

/// Around powers of two, and beyond a block of a matrix product.
const SIZES: [usize; 9] = [1, 2, 3, 5, 8, 17, 64, 300, 1000];

/// The nearest `f32`s, which every scalar holds exactly.
fn single<T: Real>(x: &Tensor<f64>) -> Tensor<T> {
    x.cast::<f32>().cast()
}

fn normal<T: Real>(d: &mut Draw, shape: impl Into<Shape>) -> Tensor<T> {
    single(&d.normal(shape))
}

/// In [0.5, 1.5).
fn positive<T: Real>(d: &mut Draw, shape: impl Into<Shape>) -> Tensor<T> {
    single(&d.positive(shape))
}

/// Of either sign and of sizes from about 1e-3 to 1e3, so that small ones are lost beside large ones.
fn wide<T: Real>(d: &mut Draw, shape: impl Into<Shape>) -> Tensor<T> {
    let shape = shape.into();
    let (x, mut size) = (d.normal(shape), &d.normal(shape) * &Tensor::scalar(2.0));
    size.view_mut().host().mapv_inplace(f64::exp);
    single(&(&x * &size))
}

/// A constant that every scalar holds exactly.
fn constant<T: Real>(x: f32) -> T {
    T::of(x.into())
}
