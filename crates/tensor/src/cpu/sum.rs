//! The summation scheme of the host kernels: running sums over blocks, and pairwise sums of the block sums.
//!
//! The module [`kernels`](crate::kernels) states the error bound.

use alloc::vec;
use core::ops::Range;

use crate::real::Real;

/// The number of terms in a block, which one running sum adds up. In SIMD kernels each lane adds up this many.
pub(super) const BLOCK: usize = 32;

/// Adds block sums pairwise as they arrive. Level k holds the sum of 2ᵏ blocks, like digit k of a binary counter.
struct Cascade<T> {
    levels: [T; usize::BITS as usize],
    blocks: usize,
}

impl<T: Real> Cascade<T> {
    #[inline(always)]
    fn new() -> Self {
        Self { levels: [T::zero(); usize::BITS as usize], blocks: 0 }
    }

    /// Adds the next block sum.
    #[inline(always)]
    fn push(&mut self, mut sum: T) {
        let full = self.blocks.trailing_ones() as usize;
        for &level in &self.levels[..full] {
            sum = level + sum;
        }
        self.levels[full] = sum;
        self.blocks += 1;
    }

    /// The sum of all blocks; 0 if there are none.
    #[inline(always)]
    fn total(&self) -> T {
        let used = (0..self.levels.len()).filter(|&k| self.blocks >> k & 1 == 1).map(|k| self.levels[k]);
        used.reduce(|low, high| high + low).unwrap_or_else(T::zero)
    }
}

/// Sums the terms.
pub(super) fn pairwise_sum<T: Real>(terms: impl IntoIterator<Item = T>) -> T {
    let (mut cascade, mut sum, mut count) = (Cascade::new(), T::zero(), 0);
    for term in terms {
        if count == BLOCK {
            cascade.push(sum);
            (sum, count) = (T::zero(), 0);
        }
        sum += term;
        count += 1;
    }
    cascade.push(sum);
    cascade.total()
}

/// Σ_j f(j) over 0 ≤ j < n. Each block has eight partial sums side by side.
pub(super) fn lane_sum<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    const LANES: usize = 8;
    sum_of_blocks(n, LANES * BLOCK, |block| {
        let (mut j, mut sums) = (block.start, [T::zero(); LANES]);
        while j + LANES <= block.end {
            (0..LANES).for_each(|k| sums[k] += f(j + k));
            j += LANES;
        }
        (j..block.end).zip(&mut sums).for_each(|(j, sum)| *sum += f(j));
        for half in [4, 2, 1] {
            (0..half).for_each(|k| sums[k] += sums[k + half]);
        }
        sums[0]
    })
}

/// Splits n terms into blocks of at most `block` terms, and adds their sums pairwise. `sum` computes the sum of a block.
#[inline(always)]
pub(super) fn sum_of_blocks<T: Real>(n: usize, block: usize, sum: impl Fn(Range<usize>) -> T) -> T {
    if n <= block {
        return sum(0..n);
    }
    let mut cascade = Cascade::new();
    for first in (0..n).step_by(block) {
        cascade.push(sum(first..n.min(first + block)));
    }
    cascade.total()
}

/// Adds `count` rows to the row `to`, pairwise by blocks. `add` adds a range of rows to the row that it gets. The
/// ranges come in order.
pub(super) fn add_rows<T: Real>(count: usize, to: &mut [T], mut add: impl FnMut(Range<usize>, &mut [T])) {
    let depth = count.div_ceil(BLOCK).next_power_of_two().trailing_zeros() as usize;
    let mut spare = vec![T::zero(); depth * to.len()];
    add_rows_in_halves(0..count, to, &mut spare, &mut add);
}

fn add_rows_in_halves<T: Real>(
    rows: Range<usize>,
    to: &mut [T],
    spare: &mut [T],
    add: &mut impl FnMut(Range<usize>, &mut [T]),
) {
    if rows.len() <= BLOCK {
        return add(rows, to);
    }
    let middle = rows.start + rows.len().div_ceil(BLOCK) / 2 * BLOCK;
    add_rows_in_halves(rows.start..middle, to, spare, add);
    let (right, spare) = spare.split_at_mut(to.len());
    right.fill(T::zero());
    add_rows_in_halves(middle..rows.end, right, spare, add);
    to.iter_mut().zip(right).for_each(|(to, right)| *to += *right);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes just below and above each block size, and far above.
    #[test]
    fn sums_of_any_length_have_all_terms() {
        for n in [0_usize, 1, 7, 8, 31, 32, 33, 63, 64, 65, 96, 97, 255, 256, 257, 511, 513, 768, 769, 32_769, 100_001]
        {
            let want = (n * n.saturating_sub(1) / 2) as f64;
            assert_eq!(pairwise_sum((0..n).map(|j| j as f64)), want, "{n}");
            assert_eq!(lane_sum(n, |j| j as f64), want, "{n}");
            let mut to = [1.0, 2.0];
            add_rows(n, &mut to, |rows, to: &mut [f64]| rows.for_each(|j| (to[0] += j as f64, to[1] -= j as f64).0));
            assert_eq!(to, [want + 1.0, 2.0 - want], "{n}");
        }
    }

    /// A single running sum of ones would stop at 2²⁴, and eight partial sums at 2²⁷.
    #[test]
    fn sum_of_ones_beyond_f32_integers_is_exact() {
        for n in [(1 << 24) + 1000, 1 << 28] {
            assert_eq!(pairwise_sum(core::iter::repeat_n(1.0_f32, n)), n as f32);
            assert_eq!(lane_sum(n, |_| 1.0_f32), n as f32);
            let mut to = [0.0_f32];
            add_rows(n, &mut to, |rows, to| rows.for_each(|_| to[0] += 1.0));
            assert_eq!(to, [n as f32]);
        }
    }
}
