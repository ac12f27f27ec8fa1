//! Schemes of summation. A scheme states the largest number of additions that a term of a sum of n terms passes through.

use core::fmt::Debug;

/// A bound on the depth of sums. A sum of n terms never needs more than n − 1 additions.
pub(crate) trait Scheme: Copy + Debug + Send + Sync + 'static {
    /// Returns D(n), the largest number of additions that a term passes through.
    fn additions(terms: usize) -> usize;
}

/// The scheme of the CPU kernels, as `tensor`'s `kernels.rs` specifies it: D(n) = 32 + ⌈log₂⌈n/32⌉⌉.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums;

/// Sums over several axes: D of the innermost axis plus D of the others. In these tests, one of the two has at most 15
/// entries and adds at most 14 additions to D(n). One more addition adds the result to an existing number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes;

/// Matrix products of the fast kernels: sums of blocks of at most 512 terms, added in turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Products;

/// No restriction: scattered sums, and the tape's sums over time steps.
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
