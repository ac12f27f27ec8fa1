//! Runs that tests make up.

use crate::folder::{Record, Runs};

/// These runs, of default settings.
pub(super) fn runs(runs: Vec<Record>) -> Runs {
    let seeds = (runs.len() > 1).then_some(runs.len());
    Runs { name: "sample".into(), about: None, settings: Vec::new(), seeds, runs }
}
