//! The levels of checks for gradients, as functions of a case that return an error in words.
//!
//! The test suite calls them on every case. The tests of the suite's own sensitivity call them on broken rules and
//! expect errors.

mod algebra;
mod batch;
mod compose;
mod duals;
mod generated;
mod numeric;
mod pass;
mod poison;
mod repeat;
mod second;
mod steps;

use crate::{Case, Layout, all_cases, production_cases};
use autograd::gradcheck::Report;

pub use algebra::{check_accumulation, check_constants, check_linearity};
pub use batch::{check_batch_rows, has_batch};
pub use duals::{check_duals, check_duals_along, check_duals_with_existing_gradients};
pub use generated::check_generated;
pub use numeric::{check_central_differences, check_dot_products, check_richardson};
pub use pass::{check_close, check_close_with_scale, check_gradient_shapes};
pub use poison::{check_unread_entries, has_unread_entries};
pub use repeat::check_repeatability;
pub use second::{check_gradient_slope, check_hessian_symmetry, check_second_order};
pub use steps::{check_step_by_step, is_recurrent};

/// The result of a check: an error in words, if it fails.
pub type Verdict = Result<(), String>;

/// One check of a level.
#[derive(Clone, Copy)]
pub struct Check {
    /// The level, from `"L0"` to `"L5"`.
    pub level: &'static str,
    /// The name of the check.
    pub name: &'static str,
    /// The cases that it runs on, including those that it does not apply to.
    pub table: fn() -> Vec<Case>,
    /// Returns true if the check applies to a case. Otherwise [`check`](Self::check) passes.
    pub applies: fn(&Case) -> bool,
    /// Runs the check on a case.
    pub check: fn(&Case) -> Verdict,
}

macro_rules! checks {
    ($($level:literal $name:literal on $table:ident $(if $applies:ident)?: $check:expr;)*) => {
        &[$(Check { level: $level, name: $name, table: $table, applies: checks!(@ $($applies)?), check: $check }),*]
    };
    (@) => { |_| true };
    (@ $applies:ident) => { $applies };
}

/// Every check of a case. L6, [`check_generated`], runs L1 and L3 on generated cases. L7 and L8 have their own files.
pub const CHECKS: &[Check] = checks! {
    "L0" "repeats" on all_sizes: check_repeatability;
    "L1" "exact" on all_layouts: check_duals;
    "L1" "exact on top of other gradients" on all_layouts: check_duals_with_existing_gradients;
    "L1" "exact along other cotangents" on all_cases: |case| (1..=2).try_for_each(|seed| check_duals_along(case, seed));
    "L2" "Richardson's extrapolation" on all_cases: check_richardson;
    "L2" "central differences" on all_layouts: check_central_differences;
    "L3" "dot products" on all_sizes: check_dot_products;
    "L4" "second order" on all_layouts: check_second_order;
    "L4" "slope of the gradient" on all_cases: check_gradient_slope;
    "L4" "symmetric" on all_cases: check_hessian_symmetry;
    "L5" "linear" on all_layouts: check_linearity;
    "L5" "accumulates" on all_layouts: check_accumulation;
    "L5" "ignores constants" on all_layouts: check_constants;
    "L5" "adds up over rows" on all_layouts if has_batch: check_batch_rows;
    "L5" "goes step by step" on all_layouts if is_recurrent: check_step_by_step;
    "L5" "withstands poison" on all_cases if has_unread_entries: check_unread_entries;
};

/// Returns all cases in all layouts.
fn all_layouts() -> Vec<Case> {
    all_cases().iter().flat_map(|case| Layout::ALL.map(|layout| case.with_layout(layout))).collect()
}

/// Returns all cases in all layouts, and those in the sizes of a training run.
fn all_sizes() -> Vec<Case> {
    all_layouts().into_iter().chain(production_cases()).collect()
}

fn report_to_verdict(report: &Report) -> Verdict {
    if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
}
