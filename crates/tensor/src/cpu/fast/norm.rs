//! Layer normalisation, row by row.

use core::ops::Range;

use ndarray::{ArrayView1, ArrayViewMut1, Zip};

use super::{row, with_row};
use crate::cpu::sum;
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
            let mean = sum::abreast(x.len(), |j| x[j]) / n;
            let rest = rest(&x, mean);
            let centred = |j: usize| x[j] - mean - rest;
            let variance = sum::abreast(x.len(), |j| centred(j) * centred(j)) / n;
            let s = T::one() / (variance + epsilon).sqrt();
            (stats[0], stats[1]) = (mean, s);
            with_row(y, |y| {
                for (j, y) in y.iter_mut().enumerate() {
                    *y = centred(j) * s * w[j] + b[j];
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
                let rest = rest(&x, mean);
                let (centred, g) = (|j: usize| x[j] - mean - rest, |j: usize| dy[j] * w[j]);
                let g_sum = sum::abreast(x.len(), g);
                let gx_sum = sum::abreast(x.len(), |j| g(j) * centred(j));
                let (g_mean, gx_mean) = (g_sum / n, gx_sum * s / n);
                with_row(dx, |dx| {
                    for (j, dx) in dx.iter_mut().enumerate() {
                        *dx += s * (g(j) - g_mean - centred(j) * s * gx_mean);
                    }
                });
            },
        );
    }
    if let Some(dw) = dw {
        let mut dw: ArrayViewMut1<T> = dw.host().into_dimensionality().expect("w has one axis");
        let mut rows = xs.rows().into_iter().zip(dys.rows()).zip(stats.rows());
        let count = stats.rows().into_iter().len();
        let mut add = |block: Range<usize>, dw: &mut [T]| {
            for ((x, dy), stats) in rows.by_ref().take(block.len()) {
                let (x, (mean, s)) = (row(x), (stats[0], stats[1]));
                let rest = rest(&x, mean);
                dw.iter_mut().zip(&*x).zip(dy).for_each(|((dw, &x), &dy)| *dw += dy * (x - mean - rest) * s);
            }
        };
        if let Some(dw) = dw.as_slice_mut() {
            return sum::rows(count, dw, add);
        }
        let mut sums = dw.to_vec();
        sum::rows(count, &mut sums, &mut add);
        dw.iter_mut().zip(sums).for_each(|(dw, sum)| *dw = sum);
    }
}

/// mean (x − μ), zero but for the rounding of μ.
fn rest<T: Real>(x: &[T], mean: T) -> T {
    sum::abreast(x.len(), |j| x[j] - mean) / T::of(x.len() as f64)
}

fn vector<T: Real>(x: View<'_, T>) -> ArrayView1<'_, T> {
    x.host().into_dimensionality().expect("w and b have one axis")
}
