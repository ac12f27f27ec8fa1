//! Layer normalisation, row by row.

use super::sum;
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
    let n = x.shape()[1];
    for i in 0..x.shape()[0] {
        let x = |j| x.at(&[i, j]);
        let mu = mean(n, x);
        let s = T::one() / (mean(n, |j| (x(j) - mu) * (x(j) - mu)) + epsilon).sqrt();
        for j in 0..n {
            y.set(&[i, j], (x(j) - mu) * s * w.at(&[j]) + b.at(&[j]));
        }
        stats.set(&[i, 0], mu);
        stats.set(&[i, 1], s);
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
    let (rows, n) = (x.shape()[0], x.shape()[1]);
    let x_hat = |i, j| (x.at(&[i, j]) - stats.at(&[i, 0])) * stats.at(&[i, 1]);
    if let Some(mut dx) = dx {
        for i in 0..rows {
            let (x_hat, g) = (|j| x_hat(i, j), |j| dy.at(&[i, j]) * w.at(&[j]));
            let (g_mean, gx_mean) = (mean(n, g), mean(n, |j| g(j) * x_hat(j)));
            for j in 0..n {
                dx.add_at(&[i, j], stats.at(&[i, 1]) * (g(j) - g_mean - x_hat(j) * gx_mean));
            }
        }
    }
    if let Some(mut dw) = dw {
        for j in 0..n {
            dw.add_at(&[j], sum(rows, |i| dy.at(&[i, j]) * x_hat(i, j)));
        }
    }
}

fn mean<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    sum(n, f) / T::of(n as f64)
}
