//! Sums over slices: into an equal shape, of rows into one row, of all elements, and of squares.

use core::ops::{Add, Range};

use super::isa::{Isa, Position};
use super::{Rows, are_contiguous, as_slice, as_slice_mut};
use crate::cpu::fast::reduce;
use crate::cpu::sum;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// Handles three cases, and leaves the others to `Fast`. If dx has the shape of dy, it adds row by row. If dx has the shape of
/// the last axes of dy, it adds each row of dy to dx. If dx is one number, it adds the sum of dy.
pub(super) fn sum_to<S: Isa>(s: S, alpha: f32, dy: View<f32>, dx: ViewMut<f32>) {
    let (from, to) = (dy.shape(), dx.shape());
    if from == to {
        return add_to(s, alpha, dy, dx);
    }
    if !(to.size() == 1 || from.ends_with(&to)) || !are_contiguous(&[dy], &[&dx]) {
        return reduce::sum_to(alpha, dy, dx);
    }
    let (dy, dx) = (as_slice(dy), as_slice_mut(dx));
    let width = dx.len();
    if width > 1 {
        return sum::add_rows(dy.len() / width, dx, |rows, dx| {
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
            _ => unreachable!("dx has one element"),
        },
    );
}

fn add_to<S: Isa>(s: S, alpha: f32, dy: View<f32>, dx: ViewMut<f32>) {
    if let (Some(dy), true) = (dy.repeated_scalar(), are_contiguous(&[], &[&dx])) {
        return as_slice_mut(dx).iter_mut().for_each(|dx| *dx += alpha * dy);
    }
    match Rows::from_views([dy], dx) {
        Ok(rows) => s.run(
            #[inline(always)]
            || {
                rows.flattened().for_each(
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
            sum_of_blocks(
                x.len(),
                #[inline(always)]
                |block| sum_of_squares_of_block(s, &x[block]),
            )
        },
    )
}

/// Σ x²
#[inline(always)]
fn sum_of_squares_of_block<S: Isa>(s: S, x: &[f32]) -> f32 {
    reduce_in_lanes(
        s,
        x.len(),
        0.0,
        #[inline(always)]
        |sum, at| s.add(sum, s.mul(at.load(x), at.load(x))),
        f32::add,
    )
}

/// Sums n numbers in blocks, pairwise. A block has [`sum::BLOCK`] terms for each accumulator.
#[inline(always)]
fn sum_of_blocks(n: usize, sum: impl Fn(Range<usize>) -> f32) -> f32 {
    sum::sum_of_blocks(n, ACCUMULATORS * sum::BLOCK, sum)
}

/// Sums x.
#[inline(always)]
pub(super) fn sum<S: Isa>(s: S, x: &[f32]) -> f32 {
    sum_of_blocks(
        x.len(),
        #[inline(always)]
        |at| sum_of_block(s, &x[at]),
    )
}

#[inline(always)]
fn sum_of_block<S: Isa>(s: S, x: &[f32]) -> f32 {
    reduce_in_lanes(
        s,
        x.len(),
        0.0,
        #[inline(always)]
        |sum, at| s.add(sum, at.load(x)),
        f32::add,
    )
}

/// Σ a·b, for equal lengths.
#[inline(always)]
pub(super) fn dot<S: Isa>(s: S, a: &[f32], b: &[f32]) -> f32 {
    sum_of_blocks(
        a.len(),
        #[inline(always)]
        |at| dot_of_block(s, &a[at.clone()], &b[at]),
    )
}

#[inline(always)]
fn dot_of_block<S: Isa>(s: S, a: &[f32], b: &[f32]) -> f32 {
    reduce_in_lanes(
        s,
        a.len(),
        0.0,
        #[inline(always)]
        |sum, at| s.mul_add(at.load(a), at.load(b), sum),
        f32::add,
    )
}

/// The maximum of x; NaN is ignored.
#[inline(always)]
pub(super) fn maximum<S: Isa>(s: S, x: &[f32]) -> f32 {
    let lowest = f32::NEG_INFINITY;
    reduce_in_lanes(
        s,
        x.len(),
        lowest,
        #[inline(always)]
        |m, at| s.maximum(m, at.load_or(x, s.splat(lowest))),
        Real::maximum,
    )
}

/// The number of accumulators. It is the same for every instruction set, so that all add in the same order.
const ACCUMULATORS: usize = 16;

/// Reduces `n` numbers. `take` folds them into the accumulators in turn, and `join` joins the accumulators pairwise. `start`
/// must be the neutral element of `join`, and `take` must ignore lanes without a number.
#[inline(always)]
fn reduce_in_lanes<S: Isa>(
    s: S,
    n: usize,
    start: f32,
    take: impl Fn(S::V, Position<S>) -> S::V,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    const { assert!(S::LANES >= 4 && ACCUMULATORS.is_multiple_of(S::LANES), "four vectors hold all accumulators") };
    let mut vectors = [s.splat(start); 4];
    let vectors = &mut vectors[..ACCUMULATORS / S::LANES];
    // Whole blocks come first, because their vectors need no mask.
    let whole = n - n % ACCUMULATORS;
    for block in (0..whole).step_by(ACCUMULATORS) {
        for (k, vector) in vectors.iter_mut().enumerate() {
            *vector = take(*vector, Position::whole(s, block + k * S::LANES));
        }
    }
    for (vector, at) in vectors.iter_mut().zip((whole..n).step_by(S::LANES)) {
        *vector = take(*vector, Position::new(s, at, n));
    }
    let mut results = [0.0; ACCUMULATORS];
    for (k, vector) in vectors.iter().enumerate() {
        Position::whole(s, k * S::LANES).store(*vector, &mut results);
    }
    for half in [8, 4, 2, 1] {
        (0..half).for_each(|i| results[i] = join(results[i], results[i + half]));
    }
    results[0]
}
