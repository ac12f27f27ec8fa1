//! The state of a run besides its parameters and moments. From all three, a run resumes exactly as if it had not stopped.
//!
//! The state holds no random generators: seed, update and episode identify each random stream.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use tensor::Real;

use crate::curriculum::Progress;
use crate::env::Task;
use crate::hindsight::ProgramBuffer;
use crate::imitation::ReplayBuffer;
use crate::normalize::Statistics;
use crate::segments::SavedSegments;
use crate::train::{Learn, Run};

/// The state of a [`Run`].
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    /// The number of updates so far.
    pub updates: usize,
    /// The number of valid training steps so far.
    pub steps: u64,
    /// The number of the latest consecutive validations in which the exact match of every stage was 1.
    pub perfect: usize,
    /// The unlocked stages, and the exact match of each stage.
    pub progress: Progress,
    /// The earlier successes that self-imitation learns from.
    pub memory: ReplayBuffer,
    /// The programs that hindsight learns from.
    pub programs: ProgramBuffer,
    /// The statistics of earlier updates, for normalisation.
    pub statistics: Statistics,
    /// The running episodes of each chunk, if the run plays segments.
    pub segments: Vec<SavedSegments>,
}

impl<T: Real, K: Task, L: Learn<T>> Run<T, K, L> {
    /// Returns the state of this run.
    pub fn state(&self) -> RunState {
        let Self { updates, steps, perfect, progress, learner, .. } = self;
        RunState {
            updates: *updates,
            steps: *steps,
            perfect: *perfect,
            progress: progress.clone(),
            memory: learner.host().memory.clone(),
            programs: learner.host().programs.clone(),
            statistics: learner.host().statistics.clone(),
            segments: learner.host().save_segments(),
        }
    }

    /// Continues from the state of another run. The caller loads parameters and moments separately.
    ///
    /// # Errors
    /// If no run of this task can have this state. The run is then unchanged.
    pub fn restore(&mut self, state: RunState) -> Result<(), String> {
        let spec = self.task.spec();
        let stages = spec.stages;
        let Progress { exact, unlocked } = &state.progress;
        if exact.len() != stages || *unlocked >= stages {
            let found = exact.len();
            return Err(format!(
                "progress of {found} stages, {unlocked} the highest unlocked; expected {stages} stages"
            ));
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
        state.memory.check(&spec)?;
        state.programs.check(&spec)?;
        let (task, seed, host) = (&self.task, self.seed, self.learner.host_mut());
        host.restore_segments(task, &state.segments, seed)?;
        host.is_normalizing = self.config.normalize_observations && state.statistics.observations.count > 0.0;
        host.statistics = state.statistics;
        RunState {
            updates: self.updates,
            steps: self.steps,
            perfect: self.perfect,
            progress: self.progress,
            memory: self.learner.host_mut().memory,
            programs: self.learner.host_mut().programs,
            ..
        } = state;
        Ok(())
    }
}
