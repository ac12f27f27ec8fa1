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
        let x = |j| x.get(&i.append(j));
        let mu = mean(n, x);
        let rest = mean(n, |j| x(j) - mu);
        let centred = |j| x(j) - mu - rest;
        let s = T::one() / (mean(n, |j| centred(j) * centred(j)) + epsilon).sqrt();
        for j in 0..n {
            y.set(&i.append(j), centred(j) * s * w.get(&[j]) + b.get(&[j]));
        }
        stats.set(&i.append(0), mu);
        stats.set(&i.append(1), s);
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
    let shifted = |i: &Index, j| x.get(&i.append(j)) - stats.get(&i.append(0));
    let rests: Vec<T> = rows(x.shape()).map(|i| mean(n, |j| shifted(&i, j))).collect();
    let x_hat = |i: &Index, rest, j| (shifted(i, j) - rest) * stats.get(&i.append(1));
    if let Some(mut dx) = dx {
        for (i, &rest) in rows(x.shape()).zip(&rests) {
            let (x_hat, g) = (|j| x_hat(&i, rest, j), |j| dy.get(&i.append(j)) * w.get(&[j]));
            let (g_mean, gx_mean) = (mean(n, g), mean(n, |j| g(j) * x_hat(j)));
            for j in 0..n {
                dx.add_at(&i.append(j), stats.get(&i.append(1)) * (g(j) - g_mean - x_hat(j) * gx_mean));
            }
        }
    }
    if let Some(mut dw) = dw {
        for j in 0..n {
            let terms = rows(x.shape()).zip(&rests).map(|(i, &rest)| dy.get(&i.append(j)) * x_hat(&i, rest, j));
            dw.add_at(&[j], crate::cpu::sum::pairwise_sum(terms));
        }
    }
}

fn mean<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    sum(n, f) / T::from_f64(n as f64)
}
