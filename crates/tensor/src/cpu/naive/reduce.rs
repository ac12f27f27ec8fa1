//! Sums and maxima, and the sums that undo a broadcast.

use super::{maximum, rows};
use crate::cpu::{assert_indices_fit, sum};
use crate::index::Index;
use crate::kernels::Reduce;
use crate::real::Real;
use crate::shape::Shape;
use crate::view::{View, ViewMut};

/// Adds each element of dy to the element of dx that broadcasts to its place.
pub(super) fn sum_to<T: Real>(alpha: T, dy: View<T>, mut dx: ViewMut<T>) {
    add_sums(dy.shape(), &mut dx, |i| alpha * dy.get(&i));
}

pub(super) fn sum_product_to<T: Real>(alpha: T, a: View<T>, b: View<T>, mut dx: ViewMut<T>) {
    let common = a.shape().broadcast(&b.shape()).expect("the operands broadcast");
    add_sums(common, &mut dx, |i| {
        let product = a.get(&i.unbroadcast(a.shape())) * b.get(&i.unbroadcast(b.shape()));
        alpha * product
    });
}

/// Adds to each element of dx the sum of f over the indices of `shape` that the element broadcasts to.
fn add_sums<T: Real>(shape: Shape, dx: &mut ViewMut<T>, f: impl Fn(Index) -> T) {
    let lacking = shape.rank() - dx.shape().rank();
    let kept = (0..shape.rank()).map(|k| k >= lacking && dx.shape()[k - lacking] != 1);
    let (mut along, mut across) = (shape, shape);
    for (axis, kept) in kept.enumerate() {
        (along, across) =
            if kept { (along.with_extent(axis, 1), across) } else { (along, across.with_extent(axis, 1)) };
    }
    for i in across.indices() {
        let terms = along.indices().map(|k| f(i.offset_by(k)));
        dx.add_at(&i.unbroadcast(dx.shape()), sum::pairwise_sum(terms));
    }
}

pub(super) fn reduce<T: Real>(how: Reduce, x: View<T>, axis: usize, mut y: ViewMut<T>) {
    let n = x.shape()[axis];
    for i in y.shape().indices() {
        let x = |k| x.get(&i.insert(axis, k));
        let value = match how {
            Reduce::Sum => super::sum(n, x),
            Reduce::Max => maximum(n, x),
        };
        y.set(&i, value);
    }
}

pub(super) fn argmax<T: Real>(x: View<T>, mut y: ViewMut<u32>) {
    assert_indices_fit(x.shape());
    let n = x.shape().last_extent();
    for i in rows(x.shape()) {
        let mut best = 0;
        for j in 1..n {
            let (x, largest) = (x.get(&i.append(j)), x.get(&i.append(best)));
            if x > largest || largest.value().is_nan() {
                best = j;
            }
        }
        y.set(&i, best as u32);
    }
}

pub(super) fn sum_of_squares<T: Real>(x: View<T>) -> T {
    sum::pairwise_sum(x.shape().indices().map(|i| x.get(&i) * x.get(&i)))
}
