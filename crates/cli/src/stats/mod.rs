//! Comparing runs of several seeds honestly: few runs, no normal distribution, and intervals beside every estimate.
//!
//! ```text
//! Scores (runs × tasks) ──▶ estimate     interquartile mean, median, mean, range
//!                       ──▶ bootstrap    an interval of any of them: the runs are drawn again, task by task
//!                       ──▶ profile      which share of all scores is above each threshold
//!                       ──▶ improvement  how probably a run of X does better than a run of Y
//! series of runs        ──▶ curve        an estimate and its interval at each update
//! ```
//!
//! A run is one training from one seed; a task is what a run is scored on, here a stage with its exact match in the test.
//!
//! Reference: R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville, M. G. Bellemare, "Deep Reinforcement Learning at the
//! Edge of the Statistical Precipice", NeurIPS 2021, section 4. The numbers are compared with those of the authors' library
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
pub(crate) use scores::{Scores, Unit};
