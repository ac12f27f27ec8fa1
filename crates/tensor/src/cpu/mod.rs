//! Kernels for the host: the reference, the fast ones, and for `f32` those of each instruction set; and which of them run.
//!
//! Each is a folder with one file for each family of kernels, and one function in it for each method of the trait.

use crate::shape::Shape;
use crate::view::View;

/// Implements [`Kernels`](crate::Kernels) by the functions of the modules beside it.
macro_rules! implement_kernels {
    ($kernels:ident, $name:literal) => {
        const _: () = {
            use crate::{AdamStep, Binary, Form, Kernels, Map, Real, Reduce, View, ViewMut};
            impl<T: Real> Kernels<T> for $kernels {
                fn name(&self) -> &'static str {
                    $name
                }
                fn map(&self, f: Map<T>, x: View<T>, y: ViewMut<T>) {
                    elementwise::map(f, x, y);
                }
                fn map_backward(&self, slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>) {
                    elementwise::map_backward(slope, kept, dy, dx);
                }
                fn binary(&self, op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>) {
                    elementwise::binary(op, a, b, y);
                }
                fn sum_to(&self, alpha: T, dy: View<T>, dx: ViewMut<T>) {
                    reduce::sum_to(alpha, dy, dx);
                }
                fn sum_product_to(&self, alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>) {
                    reduce::sum_product_to(alpha, a, b, dx);
                }
                fn reduce(&self, how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>) {
                    reduce::reduce(how, x, axis, y);
                }
                fn argmax(&self, x: View<T>, y: ViewMut<u32>) {
                    reduce::argmax(x, y);
                }
                fn matmul(&self, form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>) {
                    matmul::matmul(form, a, b, accumulate, y);
                }
                fn softmax(&self, x: View<T>, y: ViewMut<T>) {
                    softmax::softmax(x, y);
                }
                fn softmax_backward(&self, y: View<T>, dy: View<T>, dx: ViewMut<T>) {
                    softmax::softmax_backward(y, dy, dx);
                }
                fn log_softmax(&self, x: View<T>, y: ViewMut<T>) {
                    softmax::log_softmax(x, y);
                }
                fn log_softmax_backward(&self, y: View<T>, dy: View<T>, dx: ViewMut<T>) {
                    softmax::log_softmax_backward(y, dy, dx);
                }
                fn logsumexp(&self, x: View<T>, y: ViewMut<T>) {
                    softmax::logsumexp(x, y);
                }
                fn logsumexp_backward(&self, x: View<T>, y: View<T>, dy: View<T>, dx: ViewMut<T>) {
                    softmax::logsumexp_backward(x, y, dy, dx);
                }
                fn gather_rows(&self, table: View<T>, index: View<u32>, y: ViewMut<T>) {
                    index::gather_rows(table, index, y);
                }
                fn scatter_add_rows(&self, index: View<u32>, dy: View<T>, dtable: ViewMut<T>) {
                    index::scatter_add_rows(index, dy, dtable);
                }
                fn gather(&self, x: View<T>, index: View<u32>, y: ViewMut<T>) {
                    index::gather(x, index, y);
                }
                fn scatter_add(&self, index: View<u32>, dy: View<T>, dx: ViewMut<T>) {
                    index::scatter_add(index, dy, dx);
                }
                fn layer_norm(&self, x: View<T>, w: View<T>, b: View<T>, epsilon: T, y: ViewMut<T>, stats: ViewMut<T>) {
                    norm::layer_norm(x, w, b, epsilon, y, stats);
                }
                fn layer_norm_backward(
                    &self,
                    x: View<T>,
                    w: View<T>,
                    stats: View<T>,
                    dy: View<T>,
                    dx: Option<ViewMut<T>>,
                    dw: Option<ViewMut<T>>,
                ) {
                    norm::layer_norm_backward(x, w, stats, dy, dx, dw);
                }
                fn gru_gates(
                    &self,
                    gx: View<T>,
                    rows: Option<View<u32>>,
                    hw: View<T>,
                    b: View<T>,
                    h: View<T>,
                    kept: ViewMut<T>,
                    y: ViewMut<T>,
                ) {
                    gru::gates(gx, rows, hw, b, h, kept, y);
                }
                fn gru_gates_backward(
                    &self,
                    kept: View<T>,
                    h: View<T>,
                    dy: View<T>,
                    rows: Option<View<u32>>,
                    dgx: ViewMut<T>,
                    dgh: ViewMut<T>,
                    dh: ViewMut<T>,
                ) {
                    gru::gates_backward(kept, h, dy, rows, dgx, dgh, dh);
                }
                fn sum_of_squares(&self, x: View<T>) -> T {
                    reduce::sum_of_squares(x)
                }
                fn adam(&self, with: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>) {
                    optim::adam(with, g, m, v, p);
                }
                fn momentum(&self, rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>) {
                    optim::momentum(rate, mu, g, m, p);
                }
                fn rmsprop(&self, rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>) {
                    optim::rmsprop(rate, alpha, epsilon, g, v, p);
                }
            }
        };
    };
}
pub(crate) use implement_kernels;

/// The row that the `i`th example of a batch has.
fn row_of(rows: Option<View<u32>>, i: usize) -> usize {
    rows.map_or(i, |rows| rows.at(&[i]) as usize)
}

/// # Panics
/// If a row is too long for the `u32` that `argmax` gives.
fn assert_indices_fit(x: Shape) {
    let n = x.last_extent();
    assert!(u32::try_from(n).is_ok(), "argmax of {x}: rows of {n} numbers, expected at most {}", u32::MAX);
}

mod choice;
mod fast;
mod naive;
mod simd;
mod sum;

#[cfg(feature = "std")]
pub(crate) use simd::multiply_adds;

pub use choice::{UnknownKernels, available_kernels, choose_kernels, default_kernels};
pub(crate) use choice::{for_any, for_f32, for_f64, host_for_f32};

pub use fast::Fast;
pub use naive::Naive;
