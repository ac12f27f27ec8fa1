//! Sums over slices: of equal shapes, of rows into one, of all elements, and of squares.

use super::isa::Isa;
use super::{Rows, all, all_mut, packed};
use crate::cpu::fast::reduce;
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
    s.run(
        #[inline(always)]
        || match dx {
            [dx] => *dx += alpha * dy.chunks(BLOCK).map(sum).sum::<f32>(),
            dx => dy.chunks_exact(dx.len()).for_each(|dy| add_row(alpha, dy, dx)),
        },
    );
}

fn add_to<S: Isa>(s: S, alpha: f32, dy: View<f32>, dx: ViewMut<f32>) {
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
        || x.chunks(BLOCK).map(|x| side_by_side(x, 0.0, |sum, x| sum + x * x, |a, b| a + b)).sum(),
    )
}

/// How many numbers are added up before their sum is added to others: no rounding error grows with more of them.
const BLOCK: usize = 4096;

/// The sum of x.
#[inline(always)]
pub(super) fn sum(x: &[f32]) -> f32 {
    side_by_side(x, 0.0, |sum, x| sum + x, |a, b| a + b)
}

/// The largest of x; NaNs are passed over.
#[inline(always)]
pub(super) fn largest(x: &[f32]) -> f32 {
    side_by_side(x, f32::NEG_INFINITY, Real::maximum, Real::maximum)
}

/// Sixteen results side by side, whatever the instruction set, so that all give the same bytes; and these then in pairs.
#[inline(always)]
fn side_by_side(x: &[f32], start: f32, fold: impl Fn(f32, f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut results = [start; 16];
    let chunks = x.chunks_exact(16);
    let rest = chunks.remainder();
    for x in chunks {
        results.iter_mut().zip(x).for_each(|(result, &x)| *result = fold(*result, x));
    }
    results.iter_mut().zip(rest).for_each(|(result, &x)| *result = fold(*result, x));
    for half in [8, 4, 2, 1] {
        (0..half).for_each(|i| results[i] = join(results[i], results[i + half]));
    }
    results[0]
}
