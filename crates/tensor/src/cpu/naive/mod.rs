//! The reference kernels: each equation of [`Kernels`](crate::Kernels) as a loop over multi-indices, and nothing else.
//!
//! To read them is to read the specification; what runs fast is tested against them. They never look at how elements
//! lie in memory: [`View::at`](crate::View::at) and [`ViewMut::set`](crate::ViewMut::set) do.

mod elementwise;
mod gru;
mod index;
mod matmul;
mod norm;
mod optim;
mod reduce;
mod softmax;

use crate::index::Index;
use crate::real::Real;
use crate::shape::Shape;

/// The reference kernels: slow, plain, and right by inspection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naive;

crate::cpu::implement_kernels!(Naive, "reference");

/// Σ_j f(j) over 0 ≤ j < n.
fn sum<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    crate::cpu::sum::of((0..n).map(f))
}

/// max_j f(j) over 0 ≤ j < n; −∞ for n = 0.
fn maximum<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    (0..n).fold(T::of(f64::NEG_INFINITY), |m, j| m.maximum(f(j)))
}

/// The places of the rows of `shape`: all axes but the last.
fn rows(shape: Shape) -> impl Iterator<Item = Index> {
    shape.without(shape.rank() - 1).indices()
}
