//! What rliable makes of some scores: `tests/golden/rliable.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{Interval, Scores};

/// How many resamples the bounds of the file are made for: as many as its own.
pub(super) const RESAMPLES: u32 = 20_000;

/// The file.
#[derive(Deserialize)]
pub(super) struct File {
    resamples: u32,
    thresholds: Vec<f64>,
    pub(super) matrices: BTreeMap<String, Matrix>,
    pub(super) improvement: Vec<Pair>,
}

/// Scores, and what rliable makes of them.
#[derive(Deserialize)]
pub(super) struct Matrix {
    scores: Vec<Vec<f64>>,
    pub(super) iqm: Bounds,
    pub(super) mean: Bounds,
    pub(super) median_of_task_means: Bounds,
    pub(super) profile: Vec<Bounds>,
}

/// Two matrices, and the probability that the first is better.
#[derive(Deserialize)]
pub(super) struct Pair {
    pub(super) x: String,
    pub(super) y: String,
    #[serde(flatten)]
    pub(super) interval: Bounds,
}

/// An estimate; and of each end of its interval three numbers, the middle one being rliable's: the end of another
/// program's interval lies between the other two (`make_rliable.py` derives how far apart they are).
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
    /// The estimate to rounding; the ends to the bounds, and to rounding where every resample is the same.
    #[track_caller]
    pub(super) fn assert_holds(&self, what: &str, found: Interval) {
        close(what, found.estimate, self.estimate);
        for (end, [least, _, most]) in [(found.low, self.low), (found.high, self.high)] {
            let inside = least - ROUNDING <= end && end <= most + ROUNDING;
            assert!(inside, "{what}: {found:?} has an end outside [{least}, {most}]");
        }
    }
}

const ROUNDING: f64 = 1e-12;

/// Asserts that two numbers are the same but for rounding.
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
