//! The museum of wrong gradients: published or shipped mistakes of recurrent networks. Each has a check that finds it
//! and a weak test that misses it.
//!
//! ```
//! for exhibit in proofs::museum::exhibits() {
//!     println!("{}: {}\n{}", exhibit.title, exhibit.lesson, (exhibit.wrong_report)());
//! }
//! ```
//!
//! Each file is one exhibit. It reproduces the mistake in this engine, as small as possible; no code is copied from the
//! source. An exhibit may use a GRU instead of the source's LSTM if the mistake is the same in both. `docs/museum.md` is
//! the guided tour.

mod bias_stride;
mod copied_line;
mod cran;
mod custom_rule;
mod detach;
mod gate_order;
mod last_entries;
mod lost_use;
mod middle_layer;
mod missing_transpose;
mod never_carried;
mod not_repeatable;
mod page;
mod plain_sum;
mod reset_variant;
mod severed;
mod stack;
mod stale_buffer;
mod tools;
mod unsummed;

use autograd::gradcheck::Report;

pub use page::page;

/// One mistake, with the check that finds it.
pub struct Exhibit {
    /// A name of one or two words, for lists.
    pub name: &'static str,
    /// The path of the file, from the root of the workspace.
    pub file: &'static str,
    /// The title on the page.
    pub title: &'static str,
    /// The year in which the mistake was published, shipped or reported, if known.
    pub year: Option<u16>,
    /// The addresses of the sources.
    pub sources: &'static [&'static str],
    /// The mistake.
    pub mistake: &'static str,
    /// The lesson.
    pub lesson: &'static str,
    /// Runs the check that finds the mistake.
    pub wrong_report: fn() -> Report,
    /// The inputs that this check reports as wrong.
    pub wrong_inputs: &'static [&'static str],
    /// The report's diagnosis of the mistake; `None` if no known signature fits.
    pub diagnosis: Option<&'static str>,
    /// Runs the same check on the version without the mistake.
    pub right_report: fn() -> Report,
    /// A common test that misses the mistake.
    pub weak_test: WeakTest,
}

/// A test that misses the mistake.
pub struct WeakTest {
    /// A description of the test.
    pub description: &'static str,
    /// Runs the test on the version with the mistake; true if it passes.
    pub passes: fn() -> bool,
}

/// All exhibits, in the order of the tour: mistakes in written derivations, gradients lost on the way back through
/// time, results stored in the wrong place, and results that are no gradient.
pub fn exhibits() -> [&'static Exhibit; 17] {
    [
        &cran::VIGNETTE,
        &cran::PACKAGE,
        &plain_sum::EXHIBIT,
        &missing_transpose::EXHIBIT,
        &detach::EXHIBIT,
        &never_carried::EXHIBIT,
        &stale_buffer::EXHIBIT,
        &last_entries::EXHIBIT,
        &reset_variant::EXHIBIT,
        &gate_order::EXHIBIT,
        &copied_line::EXHIBIT,
        &bias_stride::EXHIBIT,
        &middle_layer::EXHIBIT,
        &unsummed::EXHIBIT,
        &lost_use::EXHIBIT,
        &severed::EXHIBIT,
        &not_repeatable::EXHIBIT,
    ]
}
