//! Layer normalisation, row by row.

use ndarray::{ArrayView1, ArrayViewMut1, Zip};

use super::{row, with_row};
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn layer_norm<T: Real>(
    x: View<T>,
    w: View<T>,
    b: View<T>,
    epsilon: T,
    y: ViewMut<T>,
    stats: ViewMut<T>,
) {
    let (w, b) = (vector(w), vector(b));
    let (w, b) = (row(w), row(b));
    let n = T::of(x.shape().last_extent() as f64);
    Zip::from(y.host().rows_mut()).and(x.host().rows()).and(stats.host().rows_mut()).for_each(
        |y, x, mut stats: ArrayViewMut1<T>| {
            let x = row(x);
            let mean = x.iter().fold(T::zero(), |sum, &x| sum + x) / n;
            let variance = x.iter().fold(T::zero(), |sum, &x| sum + (x - mean) * (x - mean)) / n;
            let s = T::one() / (variance + epsilon).sqrt();
            (stats[0], stats[1]) = (mean, s);
            with_row(y, |y| {
                for (j, y) in y.iter_mut().enumerate() {
                    *y = (x[j] - mean) * s * w[j] + b[j];
                }
            });
        },
    );
}

pub(in crate::cpu) fn layer_norm_backward<T: Real>(
    x: View<T>,
    w: View<T>,
    stats: View<T>,
    dy: View<T>,
    dx: Option<ViewMut<T>>,
    dw: Option<ViewMut<T>>,
) {
    let (xs, dys, stats) = (x.host(), dy.host(), stats.host());
    if let Some(dx) = dx {
        let w = row(vector(w));
        let n = T::of(x.shape().last_extent() as f64);
        Zip::from(dx.host().rows_mut()).and(xs.rows()).and(dys.rows()).and(stats.rows()).for_each(
            |dx, x, dy, stats| {
                let (mean, s) = (stats[0], stats[1]);
                let (x, dy) = (row(x), row(dy));
                let (mut g_sum, mut gx_sum) = (T::zero(), T::zero());
                for j in 0..x.len() {
                    let g = dy[j] * w[j];
                    g_sum += g;
                    gx_sum += g * (x[j] - mean);
                }
                let (g_mean, gx_mean) = (g_sum / n, gx_sum * s / n);
                with_row(dx, |dx| {
                    for (j, dx) in dx.iter_mut().enumerate() {
                        *dx += s * (dy[j] * w[j] - g_mean - (x[j] - mean) * s * gx_mean);
                    }
                });
            },
        );
    }
    if let Some(dw) = dw {
        let mut dw: ArrayViewMut1<T> = dw.host().into_dimensionality().expect("w has one axis");
        Zip::from(xs.rows()).and(dys.rows()).and(stats.rows()).for_each(|x, dy, stats| {
            Zip::from(&mut dw).and(x).and(dy).for_each(|dw, &x, &dy| *dw += dy * (x - stats[0]) * stats[1]);
        });
    }
}

fn vector<T: Real>(x: View<'_, T>) -> ArrayView1<'_, T> {
    x.host().into_dimensionality().expect("w and b have one axis")
}
