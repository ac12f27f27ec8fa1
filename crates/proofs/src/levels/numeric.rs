//! L2 and L3: references that do not use the backward rules. L2 does not use dual numbers either, and L3 works at any
//! size.

use crate::Case;
use autograd::gradcheck::{central_differences, dot_products, richardson};

use super::{Verdict, report_to_verdict};

/// L2: checks by Richardson's extrapolation, whose own error must be well under the tolerance.
///
/// # Errors
/// If gradient and reference differ, or the extrapolation is too uncertain.
pub fn check_richardson(case: &Case) -> Verdict {
    report_to_verdict(&richardson(|tape, x| case.f.call_f64(tape, x), &case.inputs))
}

/// L2: checks by central differences.
///
/// # Errors
/// If gradient and reference differ.
pub fn check_central_differences(case: &Case) -> Verdict {
    report_to_verdict(&central_differences(|tape, x| case.f.call_f64(tape, x), &case.inputs))
}

/// L3: checks by dot products along random directions.
///
/// # Errors
/// If the dot products differ.
pub fn check_dot_products(case: &Case) -> Verdict {
    report_to_verdict(&dot_products(&*case.f, &case.inputs))
}
