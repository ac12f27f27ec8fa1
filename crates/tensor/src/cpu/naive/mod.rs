//! The reference kernels: each equation of [`Kernels`](crate::Kernels) as a plain loop over multi-indices.
//!
//! These loops read like the specification, and all other kernels are tested against them. They ignore the layout in memory;
//! [`View::get`](crate::View::get) and [`ViewMut::set`](crate::ViewMut::set) handle it.

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

/// The reference kernels: slow, but simple enough to verify by reading.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naive;

crate::cpu::implement_kernels!(Naive, "reference");

/// Σ_j f(j) over 0 ≤ j < n.
fn sum<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    crate::cpu::sum::pairwise_sum((0..n).map(f))
}

/// max_j f(j) over 0 ≤ j < n; −∞ for n = 0.
fn maximum<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    (0..n).fold(T::from_f64(f64::NEG_INFINITY), |m, j| m.maximum(f(j)))
}

/// The indices of the rows of `shape`: all axes but the last.
fn rows(shape: Shape) -> impl Iterator<Item = Index> {
    shape.without_axis(shape.rank() - 1).indices()
}
