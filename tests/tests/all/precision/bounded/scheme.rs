//! Orders of summation, by what they state: through how many additions a term of n passes at most.

use core::fmt::Debug;

/// A statement about sums. No sum of n terms needs more than n − 1 additions, whatever is stated.
pub(crate) trait Scheme: Copy + Debug + Send + Sync + 'static {
    fn additions(terms: usize) -> usize;
}

/// The scheme of the host's kernels, as `kernels.rs` of `tensor` states it: D(n) = 32 + ⌈log₂⌈n/32⌉⌉.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums;

/// Sums over several axes: D of the innermost plus D of the others. In these tests, one of the two has at most 15 entries,
/// which is 14 additions more than D(n) at most; the result is added to a number that was there before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes;

/// Matrix products of the fast kernels: blocks of at most 512, added in turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Products;

/// No scheme: scattered sums, and what a tape adds up over the steps of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnyOrder;

impl Scheme for Sums {
    fn additions(terms: usize) -> usize {
        32 + terms.div_ceil(32).next_power_of_two().ilog2() as usize
    }
}

impl Scheme for Axes {
    fn additions(terms: usize) -> usize {
        Sums::additions(terms) + 15
    }
}

impl Scheme for Products {
    fn additions(terms: usize) -> usize {
        512 + terms.div_ceil(256)
    }
}

impl Scheme for AnyOrder {
    fn additions(terms: usize) -> usize {
        terms
    }
}
