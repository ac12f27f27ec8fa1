//! Statistics of runs with several seeds. They suit few runs, assume no normal distribution, and give every estimate an
//! interval.
//!
//! ```text
//! Scores (runs × tasks) ──▶ estimate     interquartile mean, median, mean, range
//!                       ──▶ bootstrap    an interval of any of these, from resampled runs
//!                       ──▶ profile      the share of all scores above each threshold
//!                       ──▶ improvement  the probability that a run of X scores higher than a run of Y
//! series of runs        ──▶ curve        an estimate and its interval at each update
//! ```
//!
//! A run is one training with one seed. A run has one score per task; here a task is a stage, scored by its exact match in
//! the final test.
//!
//! Reference: R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville, M. G. Bellemare, "Deep Reinforcement Learning at the
//! Edge of the Statistical Precipice", NeurIPS 2021, section 4. Tests compare the numbers with the authors' library
//! rliable 1.2.0 (`tests/golden/rliable.json`).

pub(crate) mod bootstrap;
pub(crate) mod curve;
pub(crate) mod estimate;
#[cfg(test)]
mod golden;
pub(crate) mod improvement;
pub(crate) mod profile;
mod scores;

pub(crate) use bootstrap::{Bootstrap, Interval};
pub(crate) use scores::{ResampleUnit, Scores};
