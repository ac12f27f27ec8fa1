//! Softmax, log-softmax, and the backward of log-softmax, over rows that are slices. The other kernels are left to `Fast`.

use super::elementary::exp;
use super::isa::{Isa, Position, for_each_vector};
use super::reduce::{maximum, sum};
use super::{Rows, are_contiguous, as_slice, as_slice_mut};
use crate::cpu::fast::softmax;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// The number of rows processed together. The steps of one row depend on each other; the steps of different rows do not.
const ROWS_AT_ONCE: usize = 16;

/// Computes y = e^(x − m) for each row, with m the maximum of the row of x. Then calls `finish` with the rows of x and y, with
/// m, and with f(M), where M is the sum of the row of y. If rows have gaps, it calls `fallback` instead.
#[inline(always)]
fn softmax_rows<S: Isa>(
    s: S,
    (x, y): (View<f32>, ViewMut<f32>),
    fallback: fn(View<f32>, ViewMut<f32>),
    f: impl Fn(f32) -> f32,
    finish: impl Fn(Position<S>, (&[f32], S::V), (&mut [f32], S::V)),
) {
    let mut rows = match Rows::from_views([x], y) {
        Ok(rows) => rows,
        Err(y) => return fallback(x, y),
    };
    s.run(
        #[inline(always)]
        || {
            let (mut maxima, mut sums) = ([0.0; ROWS_AT_ONCE], [0.0; ROWS_AT_ONCE]);
            for first in (0..rows.count).step_by(ROWS_AT_ONCE) {
                let block = first..rows.count.min(first + ROWS_AT_ONCE);
                for (i, m) in block.clone().zip(&mut maxima) {
                    *m = maximum(s, rows.row(i).0[0]);
                }
                for (i, &m) in block.clone().zip(&maxima) {
                    let ([x], y) = rows.row(i);
                    let m = s.splat(m);
                    for_each_vector(
                        s,
                        x.len(),
                        #[inline(always)]
                        |at| at.store(exp(s, s.sub(at.load(x), m)), y),
                    );
                }
                for (i, mass) in block.clone().zip(&mut sums) {
                    *mass = sum(s, rows.row(i).1);
                }
                sums = sums.map(&f);
                for (i, (&m, &mass)) in block.zip(maxima.iter().zip(&sums)) {
                    let ([x], y) = rows.row(i);
                    let (m, mass) = (s.splat(m), s.splat(mass));
                    for_each_vector(
                        s,
                        x.len(),
                        #[inline(always)]
                        |at| finish(at, (x, m), (y, mass)),
                    );
                }
            }
        },
    );
}

pub(super) fn softmax<S: Isa>(s: S, x: View<f32>, y: ViewMut<f32>) {
    softmax_rows(
        s,
        (x, y),
        softmax::softmax,
        |mass| mass,
        #[inline(always)]
        |at, _, (y, mass)| at.store(s.div(at.load(y), mass), y),
    );
}

pub(super) fn log_softmax<S: Isa>(s: S, x: View<f32>, y: ViewMut<f32>) {
    softmax_rows(
        s,
        (x, y),
        softmax::log_softmax,
        Real::ln,
        #[inline(always)]
        |at, (x, m), (y, log_mass)| at.store(s.sub(s.sub(at.load(x), m), log_mass), y),
    );
}

pub(super) fn log_softmax_backward<S: Isa>(s: S, y: View<f32>, dy: View<f32>, dx: ViewMut<f32>) {
    if !are_contiguous(&[y, dy], &[&dx]) {
        return softmax::log_softmax_backward(y, dy, dx);
    }
    let n = y.shape().last_extent();
    let (y, dy, dx) = (as_slice(y), as_slice(dy), as_slice_mut(dx));
    s.run(
        #[inline(always)]
        || {
            for ((y, dy), dx) in y.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n)) {
                let total = s.splat(sum(s, dy));
                for_each_vector(
                    s,
                    n,
                    #[inline(always)]
                    |at| at.add(s.sub(at.load(dy), s.mul(exp(s, at.load(y)), total)), dx),
                );
            }
        },
    );
}
