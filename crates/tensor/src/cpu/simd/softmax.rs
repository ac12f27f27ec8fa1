//! Softmax and log-softmax of rows of slices, and the latter's backward; the rest is left to `Fast`.

use super::elementary::exp;
use super::isa::{Isa, Place, each};
use super::reduce::{largest, sum};
use super::{Rows, all, all_mut, packed};
use crate::cpu::fast::softmax;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// How many rows are in work at the same time: the steps of one wait for one another, those of several do not.
const TOGETHER: usize = 16;

/// Sets y = e^(x − m), with m the largest of each row of x and M the sum of that row of y; then calls `finish` with the rows,
/// m, and f(M).
#[inline(always)]
fn rows<S: Isa>(
    s: S,
    (x, y): (View<f32>, ViewMut<f32>),
    other: fn(View<f32>, ViewMut<f32>),
    f: impl Fn(f32) -> f32,
    finish: impl Fn(Place<S>, (&[f32], S::V), (&mut [f32], S::V)),
) {
    let mut rows = match Rows::of([x], y) {
        Ok(rows) => rows,
        Err(y) => return other(x, y),
    };
    s.run(
        #[inline(always)]
        || {
            let (mut largests, mut masses) = ([0.0; TOGETHER], [0.0; TOGETHER]);
            for first in (0..rows.count).step_by(TOGETHER) {
                let block = first..rows.count.min(first + TOGETHER);
                for (i, m) in block.clone().zip(&mut largests) {
                    *m = largest(s, rows.row(i).0[0]);
                }
                for (i, &m) in block.clone().zip(&largests) {
                    let ([x], y) = rows.row(i);
                    let m = s.splat(m);
                    each(
                        s,
                        x.len(),
                        #[inline(always)]
                        |at| at.put(exp(s, s.sub(at.get(x), m)), y),
                    );
                }
                for (i, mass) in block.clone().zip(&mut masses) {
                    *mass = sum(s, rows.row(i).1);
                }
                masses = masses.map(&f);
                for (i, (&m, &mass)) in block.zip(largests.iter().zip(&masses)) {
                    let ([x], y) = rows.row(i);
                    let (m, mass) = (s.splat(m), s.splat(mass));
                    each(
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
    rows(
        s,
        (x, y),
        softmax::softmax,
        |mass| mass,
        #[inline(always)]
        |at, _, (y, mass)| at.put(s.div(at.get(y), mass), y),
    );
}

pub(super) fn log_softmax<S: Isa>(s: S, x: View<f32>, y: ViewMut<f32>) {
    rows(
        s,
        (x, y),
        softmax::log_softmax,
        Real::ln,
        #[inline(always)]
        |at, (x, m), (y, log_mass)| at.put(s.sub(s.sub(at.get(x), m), log_mass), y),
    );
}

pub(super) fn log_softmax_backward<S: Isa>(s: S, y: View<f32>, dy: View<f32>, dx: ViewMut<f32>) {
    if !packed(&[y, dy], &[&dx]) {
        return softmax::log_softmax_backward(y, dy, dx);
    }
    let n = y.shape().last_extent();
    let (y, dy, dx) = (all(y), all(dy), all_mut(dx));
    s.run(
        #[inline(always)]
        || {
            for ((y, dy), dx) in y.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n)) {
                let total = s.splat(sum(s, dy));
                each(
                    s,
                    n,
                    #[inline(always)]
                    |at| at.add(s.sub(at.get(dy), s.mul(exp(s, at.get(y)), total)), dx),
                );
            }
        },
    );
}
