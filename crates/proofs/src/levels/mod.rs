//! The levels that a gradient is held to, as functions of a case that say what is wrong with it.
//!
//! A test of the suite calls them on every case; a test of the suite's teeth calls them on a rule that is broken, and
//! expects an error.

mod algebra;
mod batch;
mod exact;
mod generated;
mod numeric;
mod overloaded;
mod pass;
mod poison;
mod repeat;
mod second;
mod steps;

use crate::{Case, Layout, all, production};
use autograd::gradcheck::Report;

pub use algebra::{accumulates, ignores_constants, is_linear};
pub use batch::{adds_up_over_rows, has_rows};
pub use exact::{exact, exact_along, exact_on_top};
pub use generated::agrees;
pub use numeric::{central, extrapolated, products};
pub use pass::{gradients_fit, near, near_on};
pub use poison::{leaves_unread, withstands_poison};
pub use repeat::repeats;
pub use second::{second_order, slope_of_the_gradient, symmetric};
pub use steps::{goes_step_by_step, has_steps};

/// What is wrong, if anything.
pub type Verdict = Result<(), String>;

/// A part of a level.
#[derive(Clone, Copy)]
pub struct Check {
    /// The level, from `"L0"` to `"L5"`.
    pub level: &'static str,
    /// What it asks for.
    pub name: &'static str,
    /// The cases that it goes through, whether it applies to them or not.
    pub table: fn() -> Vec<Case>,
    /// Whether it has anything to say of a case; where it has not, [`check`](Self::check) finds nothing wrong.
    pub applies: fn(&Case) -> bool,
    /// Whether a case meets it.
    pub check: fn(&Case) -> Verdict,
}

macro_rules! checks {
    ($($level:literal $name:literal on $table:ident $(if $applies:ident)?: $check:expr;)*) => {
        &[$(Check { level: $level, name: $name, table: $table, applies: checks!(@ $($applies)?), check: $check }),*]
    };
    (@) => { |_| true };
    (@ $applies:ident) => { $applies };
}

/// Every check of a case. L6, [`agrees`], holds generated cases to L1 and L3. L7 and L8 have files of their own.
pub const CHECKS: &[Check] = checks! {
    "L0" "repeats" on any_size: repeats;
    "L1" "exact" on laid_out: exact;
    "L1" "exact on top of other gradients" on laid_out: exact_on_top;
    "L1" "exact along other cotangents" on all: |case| (1..=2).try_for_each(|seed| exact_along(case, seed));
    "L2" "Richardson's extrapolation" on all: extrapolated;
    "L2" "central differences" on laid_out: central;
    "L3" "dot products" on any_size: products;
    "L4" "second order" on laid_out: second_order;
    "L4" "slope of the gradient" on all: slope_of_the_gradient;
    "L4" "symmetric" on all: symmetric;
    "L5" "linear" on laid_out: is_linear;
    "L5" "accumulates" on laid_out: accumulates;
    "L5" "ignores constants" on laid_out: ignores_constants;
    "L5" "adds up over rows" on laid_out if has_rows: adds_up_over_rows;
    "L5" "goes step by step" on laid_out if has_steps: goes_step_by_step;
    "L5" "withstands poison" on all if leaves_unread: withstands_poison;
};

/// All cases in all layouts.
fn laid_out() -> Vec<Case> {
    all().iter().flat_map(|case| Layout::ALL.map(|layout| case.laid_out(layout))).collect()
}

/// And in the sizes of a training run, too.
fn any_size() -> Vec<Case> {
    laid_out().into_iter().chain(production()).collect()
}

fn verdict(report: &Report) -> Verdict {
    if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
}
