//! Softmax, log-softmax and log-sum-exp, row by row.

use super::{maximum, rows, sum};
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn softmax<T: Real>(x: View<T>, mut y: ViewMut<T>) {
    let n = x.shape().last_extent();
    for i in rows(x.shape()) {
        let x = |j| x.get(&i.append(j));
        let m = maximum(n, x);
        let mass = sum(n, |j| (x(j) - m).exp());
        for j in 0..n {
            y.set(&i.append(j), (x(j) - m).exp() / mass);
        }
    }
}

pub(super) fn softmax_backward<T: Real>(y: View<T>, dy: View<T>, mut dx: ViewMut<T>) {
    let n = y.shape().last_extent();
    for i in rows(y.shape()) {
        let (y, dy) = (|j| y.get(&i.append(j)), |j| dy.get(&i.append(j)));
        let mean = sum(n, |j| dy(j) * y(j));
        for j in 0..n {
            dx.add_at(&i.append(j), y(j) * (dy(j) - mean));
        }
    }
}

pub(super) fn log_softmax<T: Real>(x: View<T>, mut y: ViewMut<T>) {
    let n = x.shape().last_extent();
    for i in rows(x.shape()) {
        let x = |j| x.get(&i.append(j));
        let m = maximum(n, x);
        let log_mass = sum(n, |j| (x(j) - m).exp()).ln();
        for j in 0..n {
            y.set(&i.append(j), x(j) - m - log_mass);
        }
    }
}

pub(super) fn log_softmax_backward<T: Real>(y: View<T>, dy: View<T>, mut dx: ViewMut<T>) {
    let n = y.shape().last_extent();
    for i in rows(y.shape()) {
        let (y, dy) = (|j| y.get(&i.append(j)), |j| dy.get(&i.append(j)));
        let total = sum(n, dy);
        for j in 0..n {
            dx.add_at(&i.append(j), dy(j) - y(j).exp() * total);
        }
    }
}

pub(super) fn logsumexp<T: Real>(x: View<T>, mut y: ViewMut<T>) {
    let n = x.shape().last_extent();
    for i in rows(x.shape()) {
        let x = |j| x.get(&i.append(j));
        let m = finite_or_zero(maximum(n, x));
        y.set(&i, m + sum(n, |j| (x(j) - m).exp()).ln());
    }
}

pub(super) fn logsumexp_backward<T: Real>(x: View<T>, y: View<T>, dy: View<T>, mut dx: ViewMut<T>) {
    for i in rows(x.shape()) {
        for j in 0..x.shape().last_extent() {
            let x = x.get(&i.append(j));
            if x != T::from_f64(f64::NEG_INFINITY) {
                dx.add_at(&i.append(j), dy.get(&i) * (x - y.get(&i)).exp());
            }
        }
    }
}

fn finite_or_zero<T: Real>(m: T) -> T {
    if m.value().is_infinite() { T::zero() } else { m }
}
