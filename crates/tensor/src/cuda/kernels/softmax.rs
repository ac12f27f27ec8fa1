//! The softmax family: a warp for each row.

use super::{Call, Gpu};
use crate::cuda::modules::Kernel;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// Any of the family: the operands that are read, of which the first has the rows, and the one that is written.
#[track_caller]
pub(super) fn rows<T: Real, const N: usize>(gpu: &'static Gpu, entry: &'static Kernel, x: [View<T>; N], y: ViewMut<T>) {
    let shape = x[0].shape();
    let blocks = entry.blocks_of_rows(shape.without(shape.rank() - 1).size());
    x.into_iter().fold(Call::new::<T>(gpu, entry), |call, x| call.read(x)).write(y).run(blocks);
}
