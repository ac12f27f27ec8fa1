//! Reference results of rliable: `tests/golden/rliable.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{Interval, Scores};

/// The number of resamples that the bounds of the file assume. rliable uses the same number.
pub(super) const RESAMPLES: u32 = 20_000;

/// The contents of the file.
#[derive(Deserialize)]
pub(super) struct File {
    resamples: u32,
    thresholds: Vec<f64>,
    pub(super) matrices: BTreeMap<String, Matrix>,
    pub(super) improvement: Vec<Pair>,
}

/// Scores with the results of rliable.
#[derive(Deserialize)]
pub(super) struct Matrix {
    scores: Vec<Vec<f64>>,
    pub(super) iqm: Bounds,
    pub(super) mean: Bounds,
    pub(super) median_of_task_means: Bounds,
    pub(super) profile: Vec<Bounds>,
}

/// The names of two matrices, and the probability that the first is better.
#[derive(Deserialize)]
pub(super) struct Pair {
    pub(super) x: String,
    pub(super) y: String,
    #[serde(flatten)]
    pub(super) interval: Bounds,
}

/// An estimate, and three numbers for each end of its interval: the smallest allowed end, rliable's end, and the largest
/// allowed end. `make_rliable.py` derives the range that other programs are allowed.
#[derive(Deserialize)]
pub(super) struct Bounds {
    pub(super) estimate: f64,
    low: [f64; 3],
    high: [f64; 3],
}

impl Matrix {
    pub(super) fn scores(&self) -> Scores {
        Scores::new(&self.scores).expect("a matrix")
    }
}

impl Bounds {
    /// Asserts that the estimate agrees within rounding, and that the ends lie within the bounds, also within rounding.
    #[track_caller]
    pub(super) fn assert_holds(&self, what: &str, found: Interval) {
        close(what, found.estimate, self.estimate);
        for (end, [min, _, max]) in [(found.low, self.low), (found.high, self.high)] {
            let inside = min - ROUNDING <= end && end <= max + ROUNDING;
            assert!(inside, "{what}: {found:?} has an end outside [{min}, {max}]");
        }
    }
}

const ROUNDING: f64 = 1e-12;

/// Asserts that two numbers are equal within rounding.
#[track_caller]
pub(super) fn close(what: &str, found: f64, want: f64) {
    assert!((found - want).abs() <= ROUNDING, "{what}: {found}, expected {want}");
}

pub(super) fn file() -> &'static File {
    static FILE: LazyLock<File> = LazyLock::new(|| {
        let text = include_str!("../../../../tests/golden/rliable.json");
        let file: File = serde_json::from_str(text).expect("rliable.json is as make_rliable.py writes it");
        assert!(file.resamples == RESAMPLES && !file.matrices.is_empty() && !file.improvement.is_empty());
        file
    });
    &FILE
}

pub(super) fn matrices() -> impl Iterator<Item = (&'static str, &'static Matrix)> {
    file().matrices.iter().map(|(name, matrix)| (name.as_str(), matrix))
}

pub(super) fn thresholds() -> Vec<f64> {
    file().thresholds.clone()
}
