//! The museum of wrong gradients: mistakes of recurrent networks that were published or shipped, each with the check that
//! shows it and the test that does not.
//!
//! ```
//! for exhibit in proofs::museum::exhibits() {
//!     println!("{}: {}\n{}", exhibit.title, exhibit.lesson, (exhibit.wrong)());
//! }
//! ```
//!
//! Each file is one exhibit. It makes the mistake anew, as small as it can be, in this engine: nothing is copied from the
//! source, and what was an LSTM there may be a GRU here, where the mistake does not depend on it. `docs/museum.md` is the
//! guided tour.

mod bias_stride;
mod copied_line;
mod cran;
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
mod rule;
mod severed;
mod stack;
mod stale_buffer;
mod tools;
mod unsummed;

use autograd::gradcheck::Report;

pub use page::page;

/// One wrong gradient.
pub struct Exhibit {
    /// A word or two, for lists.
    pub name: &'static str,
    /// Where it stands, from the workspace's root.
    pub file: &'static str,
    /// What one sees.
    pub title: &'static str,
    /// The year in which it was published, shipped or reported, where that is known.
    pub year: Option<u16>,
    /// Where it can be read.
    pub sources: &'static [&'static str],
    /// What exactly is wrong.
    pub mistake: &'static str,
    /// What it teaches.
    pub lesson: &'static str,
    /// The check that shows the mistake.
    pub wrong: fn() -> Report,
    /// The inputs for which that check's report is not content.
    pub wrong_in: &'static [&'static str],
    /// Its words for the mistake; `None` where no known signature fits.
    pub says: Option<&'static str>,
    /// The same check of the version without the mistake.
    pub right: fn() -> Report,
    /// A test that many people would have written.
    pub weak: Weak,
}

/// A test that does not see the mistake.
pub struct Weak {
    /// What it does.
    pub test: &'static str,
    /// Whether it passes, with the mistake in place.
    pub passes: fn() -> bool,
}

/// All exhibits, in the order of the tour: from what is written down, over what is lost on the way back through time, to
/// what is stored in the wrong place, and to what is no gradient at all.
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
