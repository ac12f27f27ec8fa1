//! Reinforcement learning: environments, models, rollouts, A2C, curricula and evaluation.
//!
//! This program trains an agent on the task `calculator-stages` for five updates and tests it:
//!
//! ```
//! use rl::{config::Config, train::Run};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let config = Config { width: 16, batch: 24, test_episodes: 20, ..Config::default() };
//!     let mut run = Run::<f32, _>::new(config.calculator_stages(), &config, 42); // seed 42
//!     for _ in 0..5 {
//!         let report = run.advance()?;
//!         println!("update {}: loss {:.3}", report.update, report.metrics.loss);
//!     }
//!     for test in run.test()? {
//!         println!("stage {}: exact match {:.2}", test.greedy.stage, test.greedy.exact);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A full run calls `advance` until [`stop_reason`](train::Run::stop_reason) returns a reason.
//!
//! Reading order: [`mod@env`] and one of the [`tasks`], [`model`], [`policy`] (the model that comes with the crate),
//! [`distribution`], [`trajectories`], [`rollout`], [`returns`], [`a2c`] (the algorithm, from top to bottom), [`hindsight`]
//! (learning without a reward), [`train`] (a run, its learner, and its stopping rule), [`evaluate`]. [`trace`] and [`explain`] show the details of a single episode, and
//! [`solver`] knows the shortest programs.
//!
//! An [`agent`] is a trained model inside another program. The examples use the crate from outside, each by
//! `cargo run --release -p gradus-rl --example NAME`: `policy` loads a checkpoint and acts; `own_env`, `tool`,
//! `hindsight` and `own_model` define tasks and a network of their own, and train. `docs/embedding.md` lists the features and crates that a
//! program needs.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod a2c;
pub mod agent;
pub mod config;
pub mod curriculum;
pub mod distribution;
pub mod env;
mod error;
pub mod evaluate;
pub mod explain;
pub mod hindsight;
pub mod imitation;
pub mod memory;
pub mod model;
pub mod normalize;
mod not_finite;
pub mod phase;
pub mod policy;
pub mod returns;
pub mod rollout;
mod segments;
pub mod settings;
pub mod solver;
mod state;
pub mod tasks;
#[cfg(test)]
mod test_tasks;
pub mod trace;
pub mod train;
pub mod trajectories;

pub use error::TrainError;
pub use not_finite::{Cause, NotFinite};
pub use segments::{EpisodeLog, SavedSegments};
pub use state::RunState;

/// The examples of the README and of two documents, run as doctests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/extending.md")]
    struct Extending;
    #[doc = include_str!("../../../docs/embedding.md")]
    struct Embedding;
}
