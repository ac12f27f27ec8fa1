//! What a run has come to, besides parameters and moments: all that it takes to go on as if it had never stopped.
//!
//! Random numbers need nothing here: each stream is named by the seed, the update and the episode.

use alloc::format;
use alloc::string::String;

use tensor::Real;

use crate::curriculum::Progress;
use crate::env::Task;
use crate::imitation::Memory;
use crate::train::{Learn, Run};

/// The state of a [`Run`].
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Updates so far.
    pub updates: usize,
    /// Training steps that counted, so far.
    pub steps: u64,
    /// Validations in a row in which every stage's exact match was 1.
    pub perfect: usize,
    /// Which stages are open, and how well each goes.
    pub progress: Progress,
    /// The successes that self-imitation learns from.
    pub memory: Memory,
}

impl<T: Real, L: Learn<T>> Run<T, L> {
    /// What this run has come to.
    pub fn state(&self) -> State {
        let Self { updates, steps, perfect, progress, learner, .. } = self;
        State {
            updates: *updates,
            steps: *steps,
            perfect: *perfect,
            progress: progress.clone(),
            memory: learner.host().memory.clone(),
        }
    }

    /// Goes on from where another run stopped; parameters and moments are loaded apart.
    ///
    /// # Errors
    /// If no run of this task can have come to this state. Nothing is changed then.
    pub fn restore(&mut self, state: State) -> Result<(), String> {
        let stages = self.task.stages();
        let Progress { exact, unlocked } = &state.progress;
        if exact.len() != stages || *unlocked >= stages {
            let found = exact.len();
            return Err(format!("figures of {found} stages, of which {unlocked} is the last open; expected {stages}"));
        }
        if let Some(share) = exact.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            return Err(format!("an exact match of {share}; expected shares from 0 to 1"));
        }
        if state.updates > self.config.max_updates {
            return Err(format!("{} updates; expected at most {}", state.updates, self.config.max_updates));
        }
        if state.perfect > state.updates {
            return Err(format!("{} perfect validations in {} updates", state.perfect, state.updates));
        }
        if state.steps > i64::MAX as u64 {
            return Err(format!("{} steps; expected fewer than 2^63", state.steps));
        }
        state.memory.check(&self.task)?;
        State {
            updates: self.updates,
            steps: self.steps,
            perfect: self.perfect,
            progress: self.progress,
            memory: self.learner.host_mut().memory,
        } = state;
        Ok(())
    }
}
