//! Softmax, log-softmax and log-sum-exp, row by row.

use ndarray::Zip;

use super::{row, with_row};
use crate::cpu::sum;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// The maximum m of a row and the sum Σ e^(x − m).
fn maximum_and_mass<T: Real>(x: &[T]) -> (T, T) {
    let m = maximum(x);
    (m, mass(x, m))
}

fn maximum<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::from_f64(f64::NEG_INFINITY), |m, &x| m.maximum(x))
}

fn mass<T: Real>(x: &[T], m: T) -> T {
    sum::lane_sum(x.len(), |j| (x[j] - m).exp())
}

fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    sum::lane_sum(a.len(), |j| a[j] * b[j])
}

pub(in crate::cpu) fn softmax<T: Real>(x: View<T>, y: ViewMut<T>) {
    Zip::from(y.into_ndarray().rows_mut()).and(x.as_ndarray().rows()).for_each(|y, x| {
        let x = row(x);
        let (m, mass) = maximum_and_mass(&x);
        with_row(y, |y| y.iter_mut().zip(&*x).for_each(|(y, &x)| *y = (x - m).exp() / mass));
    });
}

pub(in crate::cpu) fn softmax_backward<T: Real>(y: View<T>, dy: View<T>, dx: ViewMut<T>) {
    Zip::from(dx.into_ndarray().rows_mut()).and(y.as_ndarray().rows()).and(dy.as_ndarray().rows()).for_each(
        |dx, y, dy| {
            let (y, dy) = (row(y), row(dy));
            let mean = dot(&y, &dy);
            with_row(dx, |dx| {
                dx.iter_mut().zip(&*y).zip(&*dy).for_each(|((dx, &y), &dy)| *dx += y * (dy - mean));
            });
        },
    );
}

pub(in crate::cpu) fn log_softmax<T: Real>(x: View<T>, y: ViewMut<T>) {
    Zip::from(y.into_ndarray().rows_mut()).and(x.as_ndarray().rows()).for_each(|y, x| {
        let x = row(x);
        let (m, mass) = maximum_and_mass(&x);
        let log_mass = mass.ln();
        with_row(y, |y| y.iter_mut().zip(&*x).for_each(|(y, &x)| *y = x - m - log_mass));
    });
}

pub(in crate::cpu) fn log_softmax_backward<T: Real>(y: View<T>, dy: View<T>, dx: ViewMut<T>) {
    Zip::from(dx.into_ndarray().rows_mut()).and(y.as_ndarray().rows()).and(dy.as_ndarray().rows()).for_each(
        |dx, y, dy| {
            let (y, dy) = (row(y), row(dy));
            let total = sum::lane_sum(dy.len(), |j| dy[j]);
            with_row(dx, |dx| {
                dx.iter_mut().zip(&*y).zip(&*dy).for_each(|((dx, &y), &dy)| *dx += dy - y.exp() * total);
            });
        },
    );
}

pub(in crate::cpu) fn logsumexp<T: Real>(x: View<T>, y: ViewMut<T>) {
    for (y, x) in y.into_ndarray().iter_mut().zip(x.as_ndarray().rows()) {
        let x = row(x);
        let m = maximum(&x);
        let m = if m.value().is_infinite() { T::zero() } else { m };
        *y = m + mass(&x, m).ln();
    }
}

pub(in crate::cpu) fn logsumexp_backward<T: Real>(x: View<T>, y: View<T>, dy: View<T>, dx: ViewMut<T>) {
    let (y, dy, x) = (y.as_ndarray(), dy.as_ndarray(), x.as_ndarray());
    for (((dx, x), &y), &dy) in dx.into_ndarray().rows_mut().into_iter().zip(x.rows()).zip(&y).zip(&dy) {
        let term = |x: T| if x == T::from_f64(f64::NEG_INFINITY) { T::zero() } else { dy * (x - y).exp() };
        Zip::from(dx).and(x).for_each(|dx, &x| *dx += term(x));
    }
}
