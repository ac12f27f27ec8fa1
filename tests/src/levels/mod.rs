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

/// Every check, the quick ones first within a level. L6 holds generated cases to L1, L7 and L8 have files of their own.
pub const CHECKS: [Check; 15] = [
    Check { level: "L0", name: "repeats", check: repeats },
    Check { level: "L1", name: "exact", check: exact },
    Check { level: "L1", name: "exact on top of other gradients", check: exact_on_top },
    Check { level: "L1", name: "exact along another cotangent", check: |case| exact_along(case, 1) },
    Check { level: "L2", name: "Richardson's extrapolation", check: extrapolated },
    Check { level: "L2", name: "central differences", check: central },
    Check { level: "L3", name: "dot products", check: products },
    Check { level: "L4", name: "second order", check: second_order },
    Check { level: "L4", name: "slope of the gradient", check: slope_of_the_gradient },
    Check { level: "L4", name: "symmetric", check: symmetric },
    Check { level: "L5", name: "linear", check: is_linear },
    Check { level: "L5", name: "accumulates", check: accumulates },
    Check { level: "L5", name: "ignores constants", check: ignores_constants },
    Check {
        level: "L5",
        name: "adds up over rows, goes step by step",
        check: |case| adds_up_over_rows(case).and(goes_step_by_step(case)),
    },
    Check { level: "L5", name: "withstands poison", check: withstands_poison },
];

fn verdict(report: &Report) -> Verdict {
    if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
}
