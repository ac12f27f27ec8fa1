//! The levels that a gradient is held to: each a function of a case, which says what is wrong with it.

mod exact;
mod overloaded;

use autograd::gradcheck::Report;

pub use exact::{exact, exact_on_top};

/// What is wrong, if anything.
pub type Verdict = Result<(), String>;

fn verdict(report: &Report) -> Verdict {
    if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
}
