//! Softmax, its logarithm and its normaliser, row by row.

use ndarray::Zip;

use super::{row, with_row};
use crate::cpu::sum;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// The row's maximum m and Σ e^(x − m).
fn maximum_and_mass<T: Real>(x: &[T]) -> (T, T) {
    let m = maximum(x);
    (m, mass(x, m))
}

fn maximum<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::of(f64::NEG_INFINITY), |m, &x| m.maximum(x))
}

fn mass<T: Real>(x: &[T], m: T) -> T {
    sum::abreast(x.len(), |j| (x[j] - m).exp())
}

fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    sum::abreast(a.len(), |j| a[j] * b[j])
}

pub(in crate::cpu) fn softmax<T: Real>(x: View<T>, y: ViewMut<T>) {
    Zip::from(y.host().rows_mut()).and(x.host().rows()).for_each(|y, x| {
        let x = row(x);
        let (m, mass) = maximum_and_mass(&x);
        with_row(y, |y| y.iter_mut().zip(&*x).for_each(|(y, &x)| *y = (x - m).exp() / mass));
    });
}

pub(in crate::cpu) fn softmax_backward<T: Real>(y: View<T>, dy: View<T>, dx: ViewMut<T>) {
    Zip::from(dx.host().rows_mut()).and(y.host().rows()).and(dy.host().rows()).for_each(|dx, y, dy| {
        let (y, dy) = (row(y), row(dy));
        let mean = dot(&y, &dy);
        with_row(dx, |dx| {
            dx.iter_mut().zip(&*y).zip(&*dy).for_each(|((dx, &y), &dy)| *dx += y * (dy - mean));
        });
    });
}

pub(in crate::cpu) fn log_softmax<T: Real>(x: View<T>, y: ViewMut<T>) {
    Zip::from(y.host().rows_mut()).and(x.host().rows()).for_each(|y, x| {
        let x = row(x);
        let (m, mass) = maximum_and_mass(&x);
        let log_mass = mass.ln();
        with_row(y, |y| y.iter_mut().zip(&*x).for_each(|(y, &x)| *y = x - m - log_mass));
    });
}

pub(in crate::cpu) fn log_softmax_backward<T: Real>(y: View<T>, dy: View<T>, dx: ViewMut<T>) {
    Zip::from(dx.host().rows_mut()).and(y.host().rows()).and(dy.host().rows()).for_each(|dx, y, dy| {
        let (y, dy) = (row(y), row(dy));
        let total = sum::abreast(dy.len(), |j| dy[j]);
        with_row(dx, |dx| {
            dx.iter_mut().zip(&*y).zip(&*dy).for_each(|((dx, &y), &dy)| *dx += dy - y.exp() * total);
        });
    });
}

pub(in crate::cpu) fn logsumexp<T: Real>(x: View<T>, y: ViewMut<T>) {
    for (y, x) in y.host().iter_mut().zip(x.host().rows()) {
        let x = row(x);
        let m = maximum(&x);
        let m = if m.value().is_infinite() { T::zero() } else { m };
        *y = m + mass(&x, m).ln();
    }
}

pub(in crate::cpu) fn logsumexp_backward<T: Real>(x: View<T>, y: View<T>, dy: View<T>, dx: ViewMut<T>) {
    let (y, dy, x) = (y.host(), dy.host(), x.host());
    for (((dx, x), &y), &dy) in dx.host().rows_mut().into_iter().zip(x.rows()).zip(&y).zip(&dy) {
        let term = |x: T| if x == T::of(f64::NEG_INFINITY) { T::zero() } else { dy * (x - y).exp() };
        Zip::from(dx).and(x).for_each(|dx, &x| *dx += term(x));
    }
}
