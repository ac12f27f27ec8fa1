//! Tasks, policy, rollout, A2C, curriculum and evaluation.
//!
//! ```
//! use rl::{config::Config, train::Run};
//!
//! let config = Config { width: 16, batch: 24, ..Config::default() };
//! let mut run = Run::<f32>::new(&config, 42);
//! let report = run.advance()?; // and so on, until run.end() says how it ended
//! assert_eq!((report.update, report.metrics.stages.len()), (1, 3));
//! # Ok::<(), rl::NotFinite>(())
//! ```
//!
//! Reading order: [`mod@env`] and one of the [`tasks`], [`solver`], [`policy`], [`rollout`], [`trajectories`], [`returns`],
//! [`a2c`] (the algorithm, from top to bottom), [`train`] (a run, its learner, and the rule that ends it), [`evaluate`].
//! [`trace`] and [`explain`] look into a single episode.
//!
//! A trained policy within another program is an [`agent`]. Two examples show the crate from outside:
//! `cargo run --release -p rl --example policy` loads a checkpoint and acts, and `--example own_env` trains on a task
//! that is written in it. `docs/embedding.md` says which features and crates a program needs.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod a2c;
pub mod agent;
pub mod config;
pub mod curriculum;
pub mod env;
pub mod evaluate;
pub mod explain;
pub mod imitation;
pub mod memory;
mod not_finite;
pub mod phase;
pub mod policy;
pub mod returns;
pub mod rollout;
pub mod settings;
pub mod solver;
mod state;
pub mod tasks;
pub mod trace;
pub mod train;
pub mod trajectories;

pub use not_finite::{Cause, NotFinite};
pub use state::State;

/// The examples of the README and of the documents, run as tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/extending.md")]
    struct Extending;
    #[doc = include_str!("../../../docs/embedding.md")]
    struct Embedding;
}
