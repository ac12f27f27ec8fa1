//! Sums, maxima, and the sums that undo a broadcast: one block for several results.

use super::{Call, Gpu, count_parts, expect_driver};
use crate::cuda::memory::DeviceBuffer;
use crate::cuda::modules::Entry;
use crate::kernels::Reduce;
use crate::real::Real;
use crate::shape::MAX_RANK;
use crate::view::{View, ViewMut};

/// The minimum number of results of a block.
const RESULTS: usize = 8;

#[track_caller]
pub(super) fn sum_to<T: Real>(gpu: &'static Gpu, alpha: T, dy: View<T>, dx: ViewMut<T>) {
    let blocks = count_parts(dx.shape().size(), RESULTS);
    Call::new::<T>(gpu, Entry::SumTo).number(alpha.value()).read(dy).write(dx).run(blocks);
}

#[track_caller]
pub(super) fn sum_product_to<T: Real>(gpu: &'static Gpu, alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>) {
    let blocks = count_parts(dx.shape().size(), RESULTS);
    let common = a.shape().broadcast(&b.shape()).expect("operands broadcast");
    let [a, b] = [a, b].map(|x| x.broadcast_to(common));
    Call::new::<T>(gpu, Entry::SumProductTo).number(alpha.value()).read(a).read(b).write(dx).run(blocks);
}

#[track_caller]
pub(super) fn reduce<T: Real>(gpu: &'static Gpu, how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>) {
    let (blocks, rank) = (count_parts(y.shape().size(), RESULTS), x.shape().rank());
    let mut axes: [usize; MAX_RANK] = core::array::from_fn(|k| k);
    axes[axis..rank].rotate_left(1); // the axis comes last
    let how = match how {
        Reduce::Sum => 0,
        Reduce::Max => 1,
    };
    Call::new::<T>(gpu, Entry::Reduce).int(how).read(x.permute(&axes[..rank])).write(y).run(blocks);
}

#[track_caller]
pub(super) fn argmax<T: Real>(gpu: &'static Gpu, x: View<T>, y: ViewMut<u32>) {
    let blocks = Entry::Argmax.blocks_of_rows(y.shape().size());
    Call::new::<T>(gpu, Entry::Argmax).read(x).write(y).run(blocks);
}

/// Sums in two stages. The number of blocks in the first depends only on the size, so the sum is the same on every GPU.
#[track_caller]
pub(super) fn sum_of_squares<T: Real>(gpu: &'static Gpu, x: View<T>) -> T {
    let blocks = count_parts(x.shape().size(), 1024).clamp(1, 64).min(gpu.limits.blocks());
    let [partial, y] = [blocks, 1].map(|len| expect_driver(DeviceBuffer::<T>::uninit(gpu, len)));
    Call::new::<T>(gpu, Entry::SumOfSquares).read(x).memory(&partial).run(blocks);
    Call::new::<T>(gpu, Entry::SumOfPartials).memory(&partial).count(blocks as u32).memory(&y).run(1);
    y.get(0)
}
