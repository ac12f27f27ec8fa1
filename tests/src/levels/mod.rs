//! The levels that a gradient is held to, as functions of a case that say what is wrong with it.
//!
//! A test of the suite calls them on every case; a test of the suite's teeth calls them on a rule that is broken, and
//! expects an error.

mod algebra;
mod batch;
mod exact;
mod numeric;
mod overloaded;
mod pass;
mod poison;
mod repeat;
mod second;
mod steps;

use autograd::gradcheck::Report;
use proofs::Case;

pub use algebra::{accumulates, ignores_constants, is_linear};
pub use batch::adds_up_over_rows;
pub use exact::{exact, exact_along, exact_on_top};
pub use numeric::{central, extrapolated, products};
pub use pass::{near, near_on};
pub use poison::{unread, withstands_poison};
pub use repeat::repeats;
pub use second::{second_order, slope_of_the_gradient, symmetric};
pub use steps::goes_step_by_step;

/// What is wrong, if anything.
pub type Verdict = Result<(), String>;

/// A level's part that any case can be held to.
#[derive(Clone, Copy)]
pub struct Check {
    /// The level, from `"L0"` to `"L5"`.
    pub level: &'static str,
    /// What it asks for.
    pub name: &'static str,
    /// Whether a case has it.
    pub check: fn(&Case) -> Verdict,
}

macro_rules! checks {
    ($($level:literal $name:literal: $check:expr;)*) => {
        &[$(Check { level: $level, name: $name, check: $check }),*]
    };
}

/// Every check. L6 holds generated cases to L1 and L3; L7 and L8 have files of their own.
pub const CHECKS: &[Check] = checks! {
    "L0" "repeats": repeats;
    "L1" "exact": exact;
    "L1" "exact on top of other gradients": exact_on_top;
    "L1" "exact along another cotangent": |case| exact_along(case, 1);
    "L2" "Richardson's extrapolation": extrapolated;
    "L2" "central differences": central;
    "L3" "dot products": products;
    "L4" "second order": second_order;
    "L4" "slope of the gradient": slope_of_the_gradient;
    "L4" "symmetric": symmetric;
    "L5" "linear": is_linear;
    "L5" "accumulates": accumulates;
    "L5" "ignores constants": ignores_constants;
    "L5" "adds up over rows": adds_up_over_rows;
    "L5" "goes step by step": goes_step_by_step;
    "L5" "withstands poison": withstands_poison;
};

fn verdict(report: &Report) -> Verdict {
    if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
}
