//! L2 and L3: references that know neither the backward rules nor, in L2, dual numbers; and one for any size.

use crate::Case;
use autograd::gradcheck::{central_differences, dot_products, richardson};

use super::{Verdict, verdict};

/// L2: Richardson's extrapolation, where its own error is well under the tolerance.
///
/// # Errors
/// If they differ, or nothing can be said.
pub fn extrapolated(case: &Case) -> Verdict {
    verdict(&richardson(|tape, x| case.f.on_numbers(tape, x), &case.inputs))
}

/// L2: central differences.
///
/// # Errors
/// If they differ.
pub fn central(case: &Case) -> Verdict {
    verdict(&central_differences(|tape, x| case.f.on_numbers(tape, x), &case.inputs))
}

/// L3: dot products along random directions.
///
/// # Errors
/// If they differ.
pub fn products(case: &Case) -> Verdict {
    verdict(&dot_products(&*case.f, &case.inputs))
}
