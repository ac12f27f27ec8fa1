//! Sums over slices: of equal shapes, of rows into one, and of squares.

use super::isa::Isa;
use super::{all, all_mut, packed};
use crate::cpu::fast::reduce;
use crate::view::{View, ViewMut};

/// Where dx's shape is the last of dy's axes: each row of dy is added in turn. (A single number is left to `Fast`, whose sum of
/// a row is several side by side.)
pub(super) fn sum_to<S: Isa>(s: S, alpha: f32, dy: View<f32>, dx: ViewMut<f32>) {
    let (from, to) = (dy.shape(), dx.shape());
    if to.size() == 1 || !from.ends_with(&to) || !packed(&[dy], &[&dx]) {
        return reduce::sum_to(alpha, dy, dx);
    }
    let (dy, dx) = (all(dy), all_mut(dx));
    s.run(
        #[inline(always)]
        || {
            for dy in dy.chunks_exact(dx.len()) {
                dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += alpha * dy);
            }
        },
    );
}

/// Sixteen sums side by side, whatever the instruction set, so that all give the same bytes.
pub(super) fn sum_of_squares<S: Isa>(s: S, x: View<f32>) -> f32 {
    let Some(x) = x.as_slice() else { return reduce::sum_of_squares(x) };
    s.run(
        #[inline(always)]
        || {
            let mut sums = [0.0; 16];
            let chunks = x.chunks_exact(16);
            let rest = chunks.remainder();
            for x in chunks {
                sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x * x);
            }
            sums.iter_mut().zip(rest).for_each(|(sum, &x)| *sum += x * x);
            sums.iter().sum()
        },
    )
}
