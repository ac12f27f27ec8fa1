//! The gates of a GRU step: one thread for each hidden unit of each example. The backward of a table also has one thread for
//! each hidden unit of each row of dgx.

use super::{Call, Gpu, call_checking_indices};
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
    b_hh: View<T>,
    h_prev: View<T>,
    kept: ViewMut<T>,
    h: ViewMut<T>,
) {
    let (blocks, shape) = (Entry::GruGates.blocks(h_prev.shape().size()), gx.shape());
    call_checking_indices(gpu, "gru_gates", shape, |bad| {
        let call = Call::new::<T>(gpu, Entry::GruGates).read(gx).read_optional(rows).read(hw).read(b_hh).read(h_prev);
        (call.write(kept).write(h).memory(bad), blocks)
    });
}

#[track_caller]
#[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
pub(super) fn gru_gates_backward<T: Real>(
    gpu: &'static Gpu,
    kept: View<T>,
    h_prev: View<T>,
    dh: View<T>,
    rows: Option<View<u32>>,
    dgx: ViewMut<T>,
    dgh: ViewMut<T>,
    dh_prev: ViewMut<T>,
) {
    let shape = dgx.shape();
    let blocks = Entry::GruGatesBackward.blocks(h_prev.shape().size().max(shape.size() / 3));
    call_checking_indices(gpu, "gru_gates_backward", shape, |bad| {
        let call = Call::new::<T>(gpu, Entry::GruGatesBackward).read(kept).read(h_prev).read(dh).read_optional(rows);
        (call.write(dgx).write(dgh).write(dh_prev).memory(bad), blocks)
    });
}
