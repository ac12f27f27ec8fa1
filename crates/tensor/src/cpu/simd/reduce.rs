//! Sums over slices: of equal shapes, of rows into one, of all elements, and of squares.

use core::ops::{Add, Range};

use super::isa::{Isa, Place};
use super::{Rows, all, all_mut, packed};
use crate::cpu::fast::reduce;
use crate::cpu::sum;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// Where dx's shape is dy's, row by row. Where it is the last of dy's axes, each row of dy is added in turn; where it is a
/// single number, the sum of all.
pub(super) fn sum_to<S: Isa>(s: S, alpha: f32, dy: View<f32>, dx: ViewMut<f32>) {
    let (from, to) = (dy.shape(), dx.shape());
    if from == to {
        return add_to(s, alpha, dy, dx);
    }
    if !(to.size() == 1 || from.ends_with(&to)) || !packed(&[dy], &[&dx]) {
        return reduce::sum_to(alpha, dy, dx);
    }
    let (dy, dx) = (all(dy), all_mut(dx));
    let width = dx.len();
    if width > 1 {
        return sum::rows(dy.len() / width, dx, |rows, dx| {
            s.run(
                #[inline(always)]
                || dy[rows.start * width..rows.end * width].chunks_exact(width).for_each(|dy| add_row(alpha, dy, dx)),
            );
        });
    }
    s.run(
        #[inline(always)]
        || match dx {
            [dx] => *dx += alpha * sum(s, dy),
            _ => unreachable!("rows are added above"),
        },
    );
}

fn add_to<S: Isa>(s: S, alpha: f32, dy: View<f32>, dx: ViewMut<f32>) {
    if let (Some(dy), true) = (dy.one_repeated(), packed(&[], &[&dx])) {
        return all_mut(dx).iter_mut().for_each(|dx| *dx += alpha * dy);
    }
    match Rows::of([dy], dx) {
        Ok(rows) => s.run(
            #[inline(always)]
            || {
                rows.in_one().each(
                    #[inline(always)]
                    |[dy], dx| add_row(alpha, dy, dx),
                );
            },
        ),
        Err(dx) => reduce::sum_to(alpha, dy, dx),
    }
}

#[inline(always)]
fn add_row(alpha: f32, dy: &[f32], dx: &mut [f32]) {
    dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += alpha * dy);
}

pub(super) fn sum_of_squares<S: Isa>(s: S, x: View<f32>) -> f32 {
    let Some(x) = x.as_slice() else { return reduce::sum_of_squares(x) };
    s.run(
        #[inline(always)]
        || {
            in_blocks(
                x.len(),
                #[inline(always)]
                |block| squares(s, &x[block]),
            )
        },
    )
}

/// Σ x²
#[inline(always)]
fn squares<S: Isa>(s: S, x: &[f32]) -> f32 {
    abreast(
        s,
        x.len(),
        0.0,
        #[inline(always)]
        |sum, at| s.add(sum, s.mul(at.get(x), at.get(x))),
        f32::add,
    )
}

/// The sums of blocks of n numbers, added pairwise. A block has [`sum::BLOCK`] terms for each of the results side by side.
#[inline(always)]
fn in_blocks(n: usize, sum: impl Fn(Range<usize>) -> f32) -> f32 {
    sum::in_blocks(n, ABREAST * sum::BLOCK, sum)
}

/// The sum of x.
#[inline(always)]
pub(super) fn sum<S: Isa>(s: S, x: &[f32]) -> f32 {
    in_blocks(
        x.len(),
        #[inline(always)]
        |at| sum_of_block(s, &x[at]),
    )
}

#[inline(always)]
fn sum_of_block<S: Isa>(s: S, x: &[f32]) -> f32 {
    abreast(
        s,
        x.len(),
        0.0,
        #[inline(always)]
        |sum, at| s.add(sum, at.get(x)),
        f32::add,
    )
}

/// Σ a·b; the lengths are equal.
#[inline(always)]
pub(super) fn dot<S: Isa>(s: S, a: &[f32], b: &[f32]) -> f32 {
    in_blocks(
        a.len(),
        #[inline(always)]
        |at| dot_of_block(s, &a[at.clone()], &b[at]),
    )
}

#[inline(always)]
fn dot_of_block<S: Isa>(s: S, a: &[f32], b: &[f32]) -> f32 {
    abreast(
        s,
        a.len(),
        0.0,
        #[inline(always)]
        |sum, at| s.mul_add(at.get(a), at.get(b), sum),
        f32::add,
    )
}

/// The largest of x; NaNs are passed over.
#[inline(always)]
pub(super) fn largest<S: Isa>(s: S, x: &[f32]) -> f32 {
    let lowest = f32::NEG_INFINITY;
    abreast(
        s,
        x.len(),
        lowest,
        #[inline(always)]
        |m, at| s.larger(m, at.get_or(x, s.splat(lowest))),
        Real::maximum,
    )
}

/// How many results lie side by side, whatever the instruction set, so that all add in the same order.
const ABREAST: usize = 16;

/// Takes `n` numbers in, each into the result that has its turn, and joins these in pairs. Neither `start` changes a result, nor
/// does a lane without a number.
#[inline(always)]
fn abreast<S: Isa>(
    s: S,
    n: usize,
    start: f32,
    take: impl Fn(S::V, Place<S>) -> S::V,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    const { assert!(S::LANES >= 4 && ABREAST.is_multiple_of(S::LANES), "four vectors hold all results") };
    let mut vectors = [s.splat(start); 4];
    let vectors = &mut vectors[..ABREAST / S::LANES];
    for block in (0..n).step_by(ABREAST) {
        for (vector, at) in vectors.iter_mut().zip((block..n).step_by(S::LANES)) {
            *vector = take(*vector, Place::new(s, at, n));
        }
    }
    let mut results = [0.0; ABREAST];
    for (k, vector) in vectors.iter().enumerate() {
        Place::new(s, k * S::LANES, ABREAST).put(*vector, &mut results);
    }
    for half in [8, 4, 2, 1] {
        (0..half).for_each(|i| results[i] = join(results[i], results[i + half]));
    }
    results[0]
}
