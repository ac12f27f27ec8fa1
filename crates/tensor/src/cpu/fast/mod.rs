//! The fast kernels for the host.
//!
//! What they do is what [`Naive`](crate::Naive) does. How they depart from it:
//! 1. Elementwise work runs over `ndarray`'s `Zip`, which walks contiguous operands as flat slices, one compiled loop
//!    per function.
//! 2. Matrix products go to `matrixmultiply` (through `ndarray`), which packs and uses the machine's vector units.
//! 3. Row-wise work takes each row as a slice.

mod elementwise;
mod gru;
mod index;
mod matmul;
mod norm;
mod optim;
mod reduce;
mod softmax;

use alloc::borrow::Cow;

use ndarray::{ArrayView1, ArrayViewMut1};

use crate::kernels::{AdamStep, Binary, Form, Kernels, Reduce};
use crate::map::Map;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// The fast kernels for the host: what everything runs on unless told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fast;

impl<T: Real> Kernels<T> for Fast {
    fn name(&self) -> &'static str {
        "fast"
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
    fn gru_gates(&self, gx: View<T>, gh: View<T>, h: View<T>, kept: ViewMut<T>, y: ViewMut<T>) {
        gru::gates(gx, gh, h, kept, y);
    }
    fn gru_gates_backward(
        &self,
        kept: View<T>,
        h: View<T>,
        dy: View<T>,
        dgx: ViewMut<T>,
        dgh: ViewMut<T>,
        dh: ViewMut<T>,
    ) {
        gru::gates_backward(kept, h, dy, dgx, dgh, dh);
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

/// A row to read as a slice: itself where it has no gaps, else a copy.
fn row<'a, T: Real>(x: ArrayView1<'a, T>) -> Cow<'a, [T]> {
    match x.to_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(x.iter().copied().collect()),
    }
}

/// A row to change as a slice: itself where it has no gaps, else a copy that is written back.
fn with_row<T: Real>(mut y: ArrayViewMut1<T>, f: impl FnOnce(&mut [T])) {
    if let Some(slice) = y.as_slice_mut() {
        return f(slice);
    }
    let mut copy: alloc::vec::Vec<T> = y.iter().copied().collect();
    f(&mut copy);
    y.iter_mut().zip(copy).for_each(|(y, value)| *y = value);
}
