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
    let n = T::from_f64(x.shape().last_extent() as f64);
    Zip::from(y.into_ndarray().rows_mut()).and(x.as_ndarray().rows()).and(stats.into_ndarray().rows_mut()).for_each(
        |y, x, mut stats: ArrayViewMut1<T>| {
            let x = row(x);
            let mean = sum::lane_sum(x.len(), |j| x[j]) / n;
            let rest = rest(&x, mean);
            let centred = |j: usize| x[j] - mean - rest;
            let variance = sum::lane_sum(x.len(), |j| centred(j) * centred(j)) / n;
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
    let (xs, dys, stats) = (x.as_ndarray(), dy.as_ndarray(), stats.as_ndarray());
    if let Some(dx) = dx {
        let w = row(vector(w));
        let n = T::from_f64(x.shape().last_extent() as f64);
        Zip::from(dx.into_ndarray().rows_mut()).and(xs.rows()).and(dys.rows()).and(stats.rows()).for_each(
            |dx, x, dy, stats| {
                let (mean, s) = (stats[0], stats[1]);
                let (x, dy) = (row(x), row(dy));
                let rest = rest(&x, mean);
                let (centred, g) = (|j: usize| x[j] - mean - rest, |j: usize| dy[j] * w[j]);
                let g_sum = sum::lane_sum(x.len(), g);
                let gx_sum = sum::lane_sum(x.len(), |j| g(j) * centred(j));
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
        let mut dw: ArrayViewMut1<T> = dw.into_ndarray().into_dimensionality().expect("w has one axis");
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
            return sum::add_rows(count, dw, add);
        }
        let mut sums = dw.to_vec();
        sum::add_rows(count, &mut sums, &mut add);
        dw.iter_mut().zip(sums).for_each(|(dw, sum)| *dw = sum);
    }
}

/// mean (x − μ), which would be 0 if μ were exact.
fn rest<T: Real>(x: &[T], mean: T) -> T {
    sum::lane_sum(x.len(), |j| x[j] - mean) / T::from_f64(x.len() as f64)
}

fn vector<T: Real>(x: View<'_, T>) -> ArrayView1<'_, T> {
    x.as_ndarray().into_dimensionality().expect("w and b have one axis")
}
