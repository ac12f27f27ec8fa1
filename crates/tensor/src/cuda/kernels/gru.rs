//! The gates of a GRU step: a thread for each unit of each example, and for each entry of a table that collects gradients.

use super::{Call, Gpu, checked};
use crate::cuda::modules::Entry;
use crate::real::Real;
use crate::view::{View, ViewMut};

#[track_caller]
#[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
pub(super) fn gru_gates<T: Real>(
    gpu: &'static Gpu,
    gx: View<T>,
    rows: Option<View<u32>>,
    hw: View<T>,
    b: View<T>,
    h: View<T>,
    kept: ViewMut<T>,
    y: ViewMut<T>,
) {
    let (blocks, shape) = (Entry::GruGates.blocks(h.shape().size()), gx.shape());
    checked(gpu, "gru_gates", shape, |bad| {
        let call = Call::new::<T>(gpu, Entry::GruGates).read(gx).read_any(rows).read(hw).read(b).read(h);
        (call.write(kept).write(y).memory(bad), blocks)
    });
}

#[track_caller]
#[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
pub(super) fn gru_gates_backward<T: Real>(
    gpu: &'static Gpu,
    kept: View<T>,
    h: View<T>,
    dy: View<T>,
    rows: Option<View<u32>>,
    dgx: ViewMut<T>,
    dgh: ViewMut<T>,
    dh: ViewMut<T>,
) {
    let shape = dgx.shape();
    let blocks = Entry::GruGatesBackward.blocks(h.shape().size().max(shape.size() / 3));
    checked(gpu, "gru_gates_backward", shape, |bad| {
        let call = Call::new::<T>(gpu, Entry::GruGatesBackward).read(kept).read(h).read(dy).read_any(rows);
        (call.write(dgx).write(dgh).write(dh).memory(bad), blocks)
    });
}
