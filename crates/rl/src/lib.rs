//! Tasks, policy, rollout, A2C, curriculum and evaluation.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod a2c;
pub mod config;
pub mod curriculum;
pub mod env;
pub mod evaluate;
pub mod imitation;
pub mod policy;
pub mod returns;
pub mod rollout;
pub mod settings;
pub mod solver;
pub mod tasks;
pub mod train;
pub mod tutorial;
