//! The softmax family: one warp for each row.

use super::{Call, Gpu};
use crate::cuda::modules::Kernel;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// Calls a kernel of the family. `x` are its inputs, the first of which gives the rows; `y` is its output.
#[track_caller]
pub(super) fn launch_rows<T: Real, const N: usize>(
    gpu: &'static Gpu,
    entry: &'static Kernel,
    x: [View<T>; N],
    y: ViewMut<T>,
) {
    let shape = x[0].shape();
    let blocks = entry.blocks_of_rows(shape.without_axis(shape.rank() - 1).size());
    x.into_iter().fold(Call::new::<T>(gpu, entry), |call, x| call.read(x)).write(y).run(blocks);
}
