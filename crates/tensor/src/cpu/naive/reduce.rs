//! Sums and maxima; the undoing of a broadcast.

use super::{maximum, rows, sum};
use crate::kernels::Reduce;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// Every element of dy adds to the one of dx that it was broadcast from.
pub(super) fn sum_to<T: Real>(alpha: T, dy: View<T>, mut dx: ViewMut<T>) {
    for i in dy.shape().indices() {
        dx.add_at(&i.unbroadcast(dx.shape()), alpha * dy.at(&i));
    }
}

pub(super) fn sum_product_to<T: Real>(alpha: T, a: View<T>, b: View<T>, mut dx: ViewMut<T>) {
    let common = a.shape().broadcast(&b.shape()).expect("operands broadcast");
    for i in common.indices() {
        let product = a.at(&i.unbroadcast(a.shape())) * b.at(&i.unbroadcast(b.shape()));
        dx.add_at(&i.unbroadcast(dx.shape()), alpha * product);
    }
}

pub(super) fn reduce<T: Real>(how: Reduce, x: View<T>, axis: usize, mut y: ViewMut<T>) {
    let n = x.shape()[axis];
    for i in y.shape().indices() {
        let x = |k| x.at(&i.insert(axis, k));
        let value = match how {
            Reduce::Sum => sum(n, x),
            Reduce::Max => maximum(n, x),
        };
        y.set(&i, value);
    }
}

pub(super) fn argmax<T: Real>(x: View<T>, mut y: ViewMut<u32>) {
    let n = x.shape().last_extent();
    for i in rows(x.shape()) {
        let mut best = 0;
        for j in 1..n {
            let (x, largest) = (x.at(&i.then(j)), x.at(&i.then(best)));
            if x > largest || largest.value().is_nan() {
                best = j;
            }
        }
        y.set(&i, best as u32);
    }
}

pub(super) fn sum_of_squares<T: Real>(x: View<T>) -> T {
    x.shape().indices().fold(T::zero(), |sum, i| sum + x.at(&i) * x.at(&i))
}
