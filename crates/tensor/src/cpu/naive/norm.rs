//! Layer normalisation, row by row.

use alloc::vec::Vec;

use super::{rows, sum};
use crate::index::Index;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn layer_norm<T: Real>(
    x: View<T>,
    w: View<T>,
    b: View<T>,
    epsilon: T,
    mut y: ViewMut<T>,
    mut stats: ViewMut<T>,
) {
    let n = x.shape().last_extent();
    for i in rows(x.shape()) {
        let x = |j| x.at(&i.then(j));
        let mu = mean(n, x);
        let rest = mean(n, |j| x(j) - mu);
        let centred = |j| x(j) - mu - rest;
        let s = T::one() / (mean(n, |j| centred(j) * centred(j)) + epsilon).sqrt();
        for j in 0..n {
            y.set(&i.then(j), centred(j) * s * w.at(&[j]) + b.at(&[j]));
        }
        stats.set(&i.then(0), mu);
        stats.set(&i.then(1), s);
    }
}

pub(super) fn layer_norm_backward<T: Real>(
    x: View<T>,
    w: View<T>,
    stats: View<T>,
    dy: View<T>,
    dx: Option<ViewMut<T>>,
    dw: Option<ViewMut<T>>,
) {
    let n = x.shape().last_extent();
    let shifted = |i: &Index, j| x.at(&i.then(j)) - stats.at(&i.then(0));
    let rests: Vec<T> = rows(x.shape()).map(|i| mean(n, |j| shifted(&i, j))).collect();
    let x_hat = |i: &Index, rest, j| (shifted(i, j) - rest) * stats.at(&i.then(1));
    if let Some(mut dx) = dx {
        for (i, &rest) in rows(x.shape()).zip(&rests) {
            let (x_hat, g) = (|j| x_hat(&i, rest, j), |j| dy.at(&i.then(j)) * w.at(&[j]));
            let (g_mean, gx_mean) = (mean(n, g), mean(n, |j| g(j) * x_hat(j)));
            for j in 0..n {
                dx.add_at(&i.then(j), stats.at(&i.then(1)) * (g(j) - g_mean - x_hat(j) * gx_mean));
            }
        }
    }
    if let Some(mut dw) = dw {
        for j in 0..n {
            let terms = rows(x.shape()).zip(&rests).map(|(i, &rest)| dy.at(&i.then(j)) * x_hat(&i, rest, j));
            dw.add_at(&[j], crate::cpu::sum::of(terms));
        }
    }
}

fn mean<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    sum(n, f) / T::of(n as f64)
}
