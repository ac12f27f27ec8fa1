//! Sums and maxima, and the sums that undo a broadcast.

use core::ops::Range;

use ndarray::{ArrayD, ArrayView1, ArrayViewD, ArrayViewMutD, Axis, Zip};

use super::row;
use crate::cpu::{assert_indices_fit, sum};
use crate::kernels::Reduce;
use crate::real::Real;
use crate::shape::{MAX_RANK, Shape};
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn sum_to<T: Real>(alpha: T, dy: View<T>, dx: ViewMut<T>) {
    let dx = align(dx, dy.shape().rank());
    let dy = dy.as_ndarray();
    fold(dx, &[dy.view()], &mut |dx, [dy]: &[_; 1], lane| match lane {
        None => Zip::from(dx).and(dy).for_each(|dx, &dy| *dx += alpha * dy),
        Some(lane) => Zip::from(dx).and(dy.lanes(lane)).for_each(|dx, dy| *dx += alpha * sum_of_lane(dy)),
    });
}

pub(in crate::cpu) fn sum_product_to<T: Real>(alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>) {
    let shape = a.shape().broadcast(&b.shape()).expect("the operands broadcast");
    let dx = align(dx, shape.rank());
    let (a, b) = (a.broadcast_to(shape).as_ndarray(), b.broadcast_to(shape).as_ndarray());
    fold(dx, &[a.view(), b.view()], &mut |dx, [a, b]: &[_; 2], lane| match lane {
        None => Zip::from(dx).and(a).and(b).for_each(|dx, &a, &b| *dx += alpha * (a * b)),
        Some(lane) => {
            Zip::from(dx)
                .and(a.lanes(lane))
                .and(b.lanes(lane))
                .for_each(|dx, a, b| *dx += alpha * sum::lane_sum(a.len(), |j| a[j] * b[j]));
        }
    });
}

/// Inserts leading axes of extent 1 into `dx`, up to `rank` axes.
fn align<T: Real>(dx: ViewMut<T>, rank: usize) -> ArrayViewMutD<T> {
    let mut dx = dx.into_ndarray();
    while dx.ndim() < rank {
        dx = dx.insert_axis(Axis(0));
    }
    dx
}

/// Calls `add` with views of `dx` and of the operands that differ in at most one axis.
///
/// The summed axes are those where `dx` has extent 1 and the operands have another extent. `fold` loops over their entries, so
/// each call of `add` gets one entry of the operands. There is one exception: if the innermost axis is summed, it stays in the
/// operands. Then `dx` lacks it, and the third argument of `add` is its number in the operands.
fn fold<T: Real, const N: usize>(
    mut dx: ArrayViewMutD<T>,
    from: &[ArrayViewD<T>; N],
    add: &mut impl FnMut(ArrayViewMutD<T>, &[ArrayViewD<T>; N], Option<Axis>),
) {
    let extents = from[0].shape();
    let (mut axes, mut summed) = ([0; MAX_RANK], 0);
    for axis in (0..dx.ndim()).filter(|&k| dx.shape()[k] != extents[k]) {
        axes[summed] = axis;
        summed += 1;
    }
    let lane = axes[..summed].last().copied().filter(|&axis| innermost(extents) == Some(axis));
    let axes = &axes[..summed - usize::from(lane.is_some())];
    let count = axes.iter().map(|&axis| extents[axis]).product();
    for &axis in lane.iter().chain(axes.iter().rev()) {
        dx.index_axis_inplace(Axis(axis), 0);
    }
    in_halves(0..count, dx, &mut |mut entry, dx| {
        let mut at = from.each_ref().map(|x| x.view());
        for &axis in axes.iter().rev() {
            at.iter_mut().for_each(|x| x.index_axis_inplace(Axis(axis), entry % extents[axis]));
            entry /= extents[axis];
        }
        let before = |lane: usize| axes.iter().filter(|&&axis| axis < lane).count();
        add(dx, &at, lane.map(|lane| Axis(lane - before(lane))));
    });
}

/// Adds all entries to `to`, in blocks whose sums are added pairwise. `add` adds one entry to the view that it gets: `to`
/// itself, or the sum of a block.
fn in_halves<T: Real>(entries: Range<usize>, mut to: ArrayViewMutD<T>, add: &mut impl FnMut(usize, ArrayViewMutD<T>)) {
    if entries.len() <= sum::BLOCK {
        return entries.for_each(|entry| add(entry, to.view_mut()));
    }
    let middle = entries.start + entries.len().div_ceil(sum::BLOCK) / 2 * sum::BLOCK;
    in_halves(entries.start..middle, to.view_mut(), add);
    let mut right = ArrayD::from_elem(to.raw_dim(), T::zero());
    in_halves(middle..entries.end, right.view_mut(), add);
    Zip::from(to).and(&right).for_each(|to, &right| *to += right);
}

/// The last axis whose extent is not 1.
fn innermost(extents: &[usize]) -> Option<usize> {
    extents.iter().rposition(|&n| n != 1)
}

pub(in crate::cpu) fn reduce<T: Real>(how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>) {
    let (x, mut y) = (x.as_ndarray(), y.into_ndarray());
    let lowest = T::from_f64(f64::NEG_INFINITY);
    if innermost(x.shape()) == Some(axis) {
        let zip = Zip::from(y).and(x.lanes(Axis(axis)));
        return match how {
            Reduce::Sum => zip.for_each(|y, x| *y = sum_of_lane(x)),
            Reduce::Max => zip.for_each(|y, x| *y = x.iter().fold(lowest, |m, &x| m.maximum(x))),
        };
    }
    y.fill(match how {
        Reduce::Sum => T::zero(),
        Reduce::Max => lowest,
    });
    let entry = |i| x.index_axis(Axis(axis), i);
    match how {
        Reduce::Sum => {
            in_halves(0..x.shape()[axis], y, &mut |i, y| Zip::from(y).and(&entry(i)).for_each(|y, &x| *y += x))
        }
        Reduce::Max => {
            (0..x.shape()[axis]).for_each(|i| Zip::from(&mut y).and(&entry(i)).for_each(|y, &x| *y = y.maximum(x)))
        }
    }
}

fn sum_of_lane<T: Real>(x: ArrayView1<T>) -> T {
    match x.to_slice() {
        Some(x) => sum::lane_sum(x.len(), |j| x[j]),
        None => sum::lane_sum(x.len(), |j| x[j]),
    }
}

pub(in crate::cpu) fn argmax<T: Real>(x: View<T>, y: ViewMut<u32>) {
    assert_indices_fit(x.shape());
    let largest = |x: &[T]| {
        let better = |best: usize, i: usize| if x[i] > x[best] || x[best].value().is_nan() { i } else { best };
        (1..x.len()).fold(0, better) as u32
    };
    let n = x.shape().last_extent();
    match x.rows() {
        Some((x, distance)) => {
            y.into_ndarray().iter_mut().enumerate().for_each(|(i, y)| *y = largest(&x[i * distance..][..n]));
        }
        None => y.into_ndarray().iter_mut().zip(x.as_ndarray().rows()).for_each(|(y, x)| *y = largest(&row(x))),
    }
}

pub(in crate::cpu) fn sum_of_squares<T: Real>(x: View<T>) -> T {
    let flat = x.reshape(Shape::new(&[x.shape().size()]));
    let sum = |x: &[T]| sum::lane_sum(x.len(), |j| x[j] * x[j]);
    match flat {
        Some(flat) => sum(&row(flat.as_ndarray().into_dimensionality().expect("one axis"))),
        None => sum::pairwise_sum(x.as_ndarray().iter().map(|&x| x * x)),
    }
}
