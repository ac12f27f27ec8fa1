//! Layer normalisation: one warp for each row; for dw, one block for several columns.

use super::{Call, Gpu, count_parts, expect_driver};
use crate::cuda::memory::DeviceBuffer;
use crate::cuda::modules::Entry;
use crate::real::Real;
use crate::shape::Shape;
use crate::view::{View, ViewMut};

fn rows(shape: Shape) -> usize {
    shape.without_axis(shape.rank() - 1).size()
}

#[track_caller]
pub(super) fn layer_norm<T: Real>(
    gpu: &'static Gpu,
    x: View<T>,
    w: View<T>,
    b: View<T>,
    epsilon: T,
    y: ViewMut<T>,
    stats: ViewMut<T>,
) {
    let blocks = Entry::LayerNorm.blocks_of_rows(rows(x.shape()));
    let call = Call::new::<T>(gpu, Entry::LayerNorm).read(x).read(w).read(b).number(epsilon.value());
    call.write(y).write(stats).run(blocks);
}

#[track_caller]
pub(super) fn layer_norm_backward<T: Real>(
    gpu: &'static Gpu,
    x: View<T>,
    w: View<T>,
    stats: View<T>,
    dy: View<T>,
    dx: Option<ViewMut<T>>,
    dw: Option<ViewMut<T>>,
) {
    let rows = rows(x.shape());
    let rests = expect_driver(DeviceBuffer::<T>::uninit(gpu, rows));
    Call::new::<T>(gpu, Entry::LayerNormCentres)
        .read(x)
        .read(stats)
        .memory(&rests)
        .run(Entry::LayerNormCentres.blocks_of_rows(rows));
    let blocks = count_parts(rows.max(x.shape().last_extent()), 8);
    let call = Call::new::<T>(gpu, Entry::LayerNormBackward).read(x).read(w).read(stats).memory(&rests).read(dy);
    call.write_optional(dx).write_optional(dw).run(blocks);
}
