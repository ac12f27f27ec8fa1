//! Softmax and log-softmax of rows of slices, and the latter's backward; the rest is left to `Fast`.

use super::elementary::exp;
use super::isa::{Isa, each};
use super::reduce::{largest, sum};
use super::{Rows, all, all_mut, packed};
use crate::cpu::fast::softmax;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// y = e^(x − m), with m the largest of x. Returns m and the sum of y.
#[inline(always)]
fn masses<S: Isa>(s: S, x: &[f32], y: &mut [f32]) -> (f32, f32) {
    let m = largest(s, x);
    let shift = s.splat(m);
    each(
        s,
        x.len(),
        #[inline(always)]
        |at| at.put(exp(s, s.sub(at.get(x), shift)), y),
    );
    (m, sum(s, y))
}

/// Calls `f` with each row of x and y, or `other` with them as they are.
#[inline(always)]
fn rows<S: Isa>(
    s: S,
    (x, y): (View<f32>, ViewMut<f32>),
    other: fn(View<f32>, ViewMut<f32>),
    f: impl Fn(&[f32], &mut [f32]),
) {
    match Rows::of([x], y) {
        Ok(rows) => s.run(
            #[inline(always)]
            || {
                rows.each(
                    #[inline(always)]
                    |[x], y| f(x, y),
                );
            },
        ),
        Err(y) => other(x, y),
    }
}

pub(super) fn softmax<S: Isa>(s: S, x: View<f32>, y: ViewMut<f32>) {
    rows(
        s,
        (x, y),
        softmax::softmax,
        #[inline(always)]
        |x, y| {
            let (_, mass) = masses(s, x, y);
            let mass = s.splat(mass);
            each(
                s,
                y.len(),
                #[inline(always)]
                |at| at.put(s.div(at.get(y), mass), y),
            );
        },
    );
}

pub(super) fn log_softmax<S: Isa>(s: S, x: View<f32>, y: ViewMut<f32>) {
    rows(
        s,
        (x, y),
        softmax::log_softmax,
        #[inline(always)]
        |x, y| {
            let (m, mass) = masses(s, x, y);
            let (m, log_mass) = (s.splat(m), s.splat(Real::ln(mass)));
            each(
                s,
                y.len(),
                #[inline(always)]
                |at| at.put(s.sub(s.sub(at.get(x), m), log_mass), y),
            );
        },
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
