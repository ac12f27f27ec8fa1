//! The kernels on a card: [`Kernels`] in calls of those in the folder kernels/, where what they compute is told.
//!
//! Each function says how much work there is; grids of any size do it, see [`Call::run`](super::launch::Call::run). `random` is
//! beyond the trait.

mod elementwise;
mod gru;
mod index;
mod matmul;
mod norm;
mod optim;
mod random;
mod reduce;
mod softmax;

use core::any::{Any, type_name};

use super::card::{Card, done};
use super::error::CudaError;
use super::launch::{Call, count_of};
use super::memory::Memory;
use super::modules::Entry;
use crate::device::Device;
use crate::kernels::{AdamStep, Binary, Form, Kernels, Reduce};
use crate::map::Map;
use crate::real::Real;
use crate::shape::Shape;
use crate::view::{View, ViewMut};

pub(super) use elementwise::{copy, fill, map};

/// The kernels of a card for scalars `T`.
///
/// # Errors
/// If it has none for them.
pub(crate) fn kernels<T: Real>(card: &'static Card) -> Result<&'static dyn Kernels<T>, CudaError> {
    let cuda = card.kernels();
    let (single, double): (&'static dyn Kernels<f32>, &'static dyn Kernels<f64>) = (cuda, cuda);
    let same = |kernels: &dyn Any| kernels.downcast_ref::<&'static dyn Kernels<T>>().copied();
    same(&single).or_else(|| same(&double)).ok_or(CudaError::Scalar { name: type_name::<T>() })
}

/// How many parts of `each` some work has.
fn parts(work: usize, each: usize) -> usize {
    work.div_ceil(each)
}

/// Calls a kernel that reports an index outside instead of following it, and panics if it does.
#[track_caller]
fn checked<'a>(card: &'static Card, what: &str, shape: Shape, call: impl FnOnce(&Memory<u32>) -> (Call<'a>, usize)) {
    let bad = done(card.report());
    let (call, blocks) = call(&bad);
    call.run(blocks);
    if blocks > 0 {
        let worst = bad.get(0);
        assert!(worst == 0, "{what}: index {} is outside {shape}", worst.wrapping_sub(1));
    }
    card.keep_report(bad);
}

/// The scalars that a card computes with.
trait OnCard: Real {}
impl OnCard for f32 {}
impl OnCard for f64 {}

/// The kernels of a card.
pub(super) struct Cuda(&'static Card);

impl Cuda {
    pub(super) fn of(card: &'static Card) -> Self {
        Self(card)
    }
}

impl<T: OnCard> Kernels<T> for Cuda {
    fn name(&self) -> &'static str {
        "cuda"
    }
    fn device(&self) -> Device {
        Device::Cuda(self.0)
    }
    fn map(&self, f: Map<T>, x: View<T>, y: ViewMut<T>) {
        elementwise::map(self.0, f, x, y);
    }
    fn map_backward(&self, slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>) {
        elementwise::map_backward(self.0, slope, kept, dy, dx);
    }
    fn binary(&self, op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>) {
        elementwise::binary(self.0, op, a, b, y);
    }
    fn sum_to(&self, alpha: T, dy: View<T>, dx: ViewMut<T>) {
        reduce::sum_to(self.0, alpha, dy, dx);
    }
    fn sum_product_to(&self, alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>) {
        reduce::sum_product_to(self.0, alpha, a, b, dx);
    }
    fn reduce(&self, how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>) {
        reduce::reduce(self.0, how, x, axis, y);
    }
    fn argmax(&self, x: View<T>, y: ViewMut<u32>) {
        reduce::argmax(self.0, x, y);
    }
    fn matmul(&self, form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>) {
        matmul::matmul(self.0, form, a, b, accumulate, y);
    }
    fn softmax(&self, x: View<T>, y: ViewMut<T>) {
        softmax::rows(self.0, Entry::Softmax, [x], y);
    }
    fn softmax_backward(&self, y: View<T>, dy: View<T>, dx: ViewMut<T>) {
        softmax::rows(self.0, Entry::SoftmaxBackward, [y, dy], dx);
    }
    fn log_softmax(&self, x: View<T>, y: ViewMut<T>) {
        softmax::rows(self.0, Entry::LogSoftmax, [x], y);
    }
    fn log_softmax_backward(&self, y: View<T>, dy: View<T>, dx: ViewMut<T>) {
        softmax::rows(self.0, Entry::LogSoftmaxBackward, [y, dy], dx);
    }
    fn logsumexp(&self, x: View<T>, y: ViewMut<T>) {
        softmax::rows(self.0, Entry::Logsumexp, [x], y);
    }
    fn logsumexp_backward(&self, x: View<T>, y: View<T>, dy: View<T>, dx: ViewMut<T>) {
        softmax::rows(self.0, Entry::LogsumexpBackward, [x, y, dy], dx);
    }
    fn gather_rows(&self, table: View<T>, index: View<u32>, y: ViewMut<T>) {
        index::gather_rows(self.0, table, index, y);
    }
    fn scatter_add_rows(&self, index: View<u32>, dy: View<T>, dtable: ViewMut<T>) {
        index::scatter_add_rows(self.0, index, dy, dtable);
    }
    fn gather(&self, x: View<T>, index: View<u32>, y: ViewMut<T>) {
        index::gather(self.0, x, index, y);
    }
    fn scatter_add(&self, index: View<u32>, dy: View<T>, dx: ViewMut<T>) {
        index::scatter_add(self.0, index, dy, dx);
    }
    fn layer_norm(&self, x: View<T>, w: View<T>, b: View<T>, epsilon: T, y: ViewMut<T>, stats: ViewMut<T>) {
        norm::layer_norm(self.0, x, w, b, epsilon, y, stats);
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
        norm::layer_norm_backward(self.0, x, w, stats, dy, dx, dw);
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
        gru::gates(self.0, gx, rows, hw, b, h, kept, y);
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
        gru::gates_backward(self.0, kept, h, dy, rows, dgx, dgh, dh);
    }
    fn sum_of_squares(&self, x: View<T>) -> T {
        reduce::sum_of_squares(self.0, x)
    }
    fn adam(&self, with: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>) {
        optim::adam(self.0, with, g, m, v, p);
    }
    fn momentum(&self, rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>) {
        optim::momentum(self.0, rate, mu, g, m, p);
    }
    fn rmsprop(&self, rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>) {
        optim::rmsprop(self.0, rate, alpha, epsilon, g, v, p);
    }
}
