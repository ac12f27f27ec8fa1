//! The gates of a GRU step: a thread for each unit of each example, and for each entry of a table that collects gradients.

use super::{Call, Card, checked, parts};
use crate::cuda::modules::Entry;
use crate::real::Real;
use crate::view::{View, ViewMut};

#[track_caller]
#[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
pub(super) fn gates<T: Real>(
    card: &'static Card,
    gx: View<T>,
    rows: Option<View<u32>>,
    hw: View<T>,
    b: View<T>,
    h: View<T>,
    kept: ViewMut<T>,
    y: ViewMut<T>,
) {
    let (blocks, shape) = (parts(h.shape().size(), 256), gx.shape());
    checked(card, "gru_gates", shape, |bad| {
        let call = Call::new::<T>(card, Entry::GruGates).read(gx).read_any(rows).read(hw).read(b).read(h);
        (call.write(kept).write(y).memory(bad), blocks)
    });
}

#[track_caller]
#[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
pub(super) fn gates_backward<T: Real>(
    card: &'static Card,
    kept: View<T>,
    h: View<T>,
    dy: View<T>,
    rows: Option<View<u32>>,
    dgx: ViewMut<T>,
    dgh: ViewMut<T>,
    dh: ViewMut<T>,
) {
    let shape = dgx.shape();
    let blocks = parts(h.shape().size().max(shape.size() / 3), 256);
    checked(card, "gru_gates_backward", shape, |bad| {
        let call = Call::new::<T>(card, Entry::GruGatesBackward).read(kept).read(h).read(dy).read_any(rows);
        (call.write(dgx).write(dgh).write(dh).memory(bad), blocks)
    });
}
