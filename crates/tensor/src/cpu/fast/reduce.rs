//! Sums and maxima; the undoing of a broadcast.

use ndarray::{ArrayViewD, ArrayViewMutD, Axis, Zip};

use super::row;
use crate::kernels::Reduce;
use crate::real::Real;
use crate::shape::Shape;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn sum_to<T: Real>(alpha: T, dy: View<T>, dx: ViewMut<T>) {
    let dx = align(dx, dy.shape().rank());
    let dy = dy.host();
    fold(dx, &[dy.view()], &mut |dx, [dy]: &[_; 1], lane| match lane {
        None => Zip::from(dx).and(dy).for_each(|dx, &dy| *dx += alpha * dy),
        Some(lane) => Zip::from(dx).and(dy.lanes(lane)).for_each(|dx, dy| *dx += alpha * dy.sum()),
    });
}

pub(in crate::cpu) fn sum_product_to<T: Real>(alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>) {
    let shape = a.shape().broadcast(&b.shape()).expect("operands broadcast");
    let dx = align(dx, shape.rank());
    let (a, b) = (a.broadcast_to(shape).host(), b.broadcast_to(shape).host());
    fold(dx, &[a.view(), b.view()], &mut |dx, [a, b]: &[_; 2], lane| match lane {
        None => Zip::from(dx).and(a).and(b).for_each(|dx, &a, &b| *dx += alpha * (a * b)),
        Some(lane) => {
            Zip::from(dx).and(a.lanes(lane)).and(b.lanes(lane)).for_each(|dx, a, b| *dx += alpha * a.dot(&b));
        }
    });
}

/// Gives `dx` leading axes of extent 1, up to `rank` axes.
fn align<T: Real>(dx: ViewMut<T>, rank: usize) -> ArrayViewMutD<T> {
    let mut dx = dx.host();
    while dx.ndim() < rank {
        dx = dx.insert_axis(Axis(0));
    }
    dx
}

/// Runs `add` over sub-views of equal shape: along the first axis where `dx` has extent 1 and the operands have more
/// (or fewer), each entry of the operands in turn meets the one of `dx`. Only the innermost axis is left to `add`
/// where it is such a one: `add` is told which it is in the operands, and that `dx` is without it.
fn fold<T: Real, const N: usize>(
    mut dx: ArrayViewMutD<T>,
    from: &[ArrayViewD<T>; N],
    add: &mut impl FnMut(ArrayViewMutD<T>, &[ArrayViewD<T>; N], Option<Axis>),
) {
    let extents = from[0].shape();
    let Some(axis) = (0..dx.ndim()).find(|&k| dx.shape()[k] != extents[k]) else {
        return add(dx, from, None);
    };
    if innermost(extents) == Some(axis) {
        return add(dx.index_axis_move(Axis(axis), 0), from, Some(Axis(axis)));
    }
    for i in 0..extents[axis] {
        let entry = from.each_ref().map(|x| x.index_axis(Axis(axis), i));
        fold(dx.index_axis_mut(Axis(axis), 0), &entry, add);
    }
}

/// The last axis that there is more than one step along.
fn innermost(extents: &[usize]) -> Option<usize> {
    extents.iter().rposition(|&n| n != 1)
}

pub(in crate::cpu) fn reduce<T: Real>(how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>) {
    let (x, mut y) = (x.host(), y.host());
    let lowest = T::of(f64::NEG_INFINITY);
    if innermost(x.shape()) == Some(axis) {
        let zip = Zip::from(y).and(x.lanes(Axis(axis)));
        return match how {
            Reduce::Sum => zip.for_each(|y, x| *y = x.sum()),
            Reduce::Max => zip.for_each(|y, x| *y = x.iter().fold(lowest, |m, &x| m.maximum(x))),
        };
    }
    y.fill(match how {
        Reduce::Sum => T::zero(),
        Reduce::Max => lowest,
    });
    for entry in x.axis_iter(Axis(axis)) {
        let zip = Zip::from(&mut y).and(&entry);
        match how {
            Reduce::Sum => zip.for_each(|y, &x| *y += x),
            Reduce::Max => zip.for_each(|y, &x| *y = y.maximum(x)),
        }
    }
}

pub(in crate::cpu) fn argmax<T: Real>(x: View<T>, y: ViewMut<u32>) {
    let largest = |x: &[T]| {
        let better = |best: usize, i: usize| if x[i] > x[best] || x[best].value().is_nan() { i } else { best };
        (1..x.len()).fold(0, better) as u32
    };
    let n = x.shape().last_extent();
    match x.rows() {
        Some((x, distance)) => {
            y.host().iter_mut().enumerate().for_each(|(i, y)| *y = largest(&x[i * distance..][..n]));
        }
        None => y.host().iter_mut().zip(x.host().rows()).for_each(|(y, x)| *y = largest(&row(x))),
    }
}

pub(in crate::cpu) fn sum_of_squares<T: Real>(x: View<T>) -> T {
    let all = x.reshape(Shape::new(&[x.shape().size()]));
    let sum = |x: &[T]| x.iter().fold(T::zero(), |sum, &x| sum + x * x);
    match all {
        Some(flat) => sum(&row(flat.host().into_dimensionality().expect("one axis"))),
        None => x.host().iter().fold(T::zero(), |sum, &x| sum + x * x),
    }
}
