//! Trains one run to its end, from the start or from its last checkpoint, tests it, and writes its files.
//!
//! **Order of writing.** The journals are written and synced first. The checkpoint follows; it stores their lengths. So the
//! lines that belong to the last checkpoint are always on the disk. Later lines are deleted and computed again.

pub(crate) mod checkpoint;
mod clock;
#[cfg(test)]
mod disk_failure_tests;
mod end_validation;
pub(crate) mod final_test;
mod journals;
pub(crate) mod known_kinds;
pub(crate) mod learned_rule;
pub(crate) mod memory_check;
#[cfg(test)]
mod own_task_tests;
pub(crate) mod settings_change;
mod state_json;
pub(crate) mod trained_agent;

use std::path::PathBuf;
use std::sync::Arc;

use nn::CheckpointProblem;
use rl::config::Config;
use rl::env::{Episodes, Task};
use rl::evaluate::validation_stream;
use rl::rollout::{Options, RolloutError, Streams};
use rl::train::{Report, StopReason};
use rl::{Cause, NotFinite, TrainError, trace};
use serde_json::json;
use tensor::Device;

use crate::error::{Error, Result, program, show_path};
use crate::folder::outcome::{Outcome, TimedOutcome};
use crate::folder::{
    BEST, CLOCK, CONFIG, EpisodesLine, Folder, Line, METRICS, MODEL, TEST, UpdateLine, ValidationLine,
};
use crate::input::checkpoint_policy::{CheckpointPolicy, OnError};
use crate::input::config_file::ConfigFile;
use crate::input::tasks::TaskChoice;
use crate::input::{config_file, settings};
use crate::interrupt;
use crate::live::{RunLimits, View};
use crate::output::print::pretty_json;
use crate::run::final_test::StageTest;
use crate::score::Score;
use clock::Clock;
use journals::Journals;

/// A run of any task.
pub(crate) type Run = gpu_train::Run<f32, Arc<dyn Task>>;

/// Everything that all runs of a command have in common.
#[derive(Debug)]
pub(crate) struct TrainingPlan {
    /// The task.
    pub(crate) task: TaskChoice,
    /// The settings.
    pub(crate) config: Config,
    /// When checkpoints are written and kept.
    pub(crate) checkpoint_policy: CheckpointPolicy,
    /// Path of the checkpoint with the initial weights.
    pub(crate) init: Option<PathBuf>,
    /// Device that computes the updates. It is not part of the run, which may be resumed on another device.
    pub(crate) device: Device,
}

/// State in which a command leaves a run.
pub(crate) enum RunStatus {
    /// The run has finished.
    Finished(TimedOutcome),
    /// The run was stopped on request and can be resumed.
    Stopped,
}

impl TrainingPlan {
    /// Creates the plan that a configuration file of `task` describes.
    ///
    /// # Errors
    /// If a setting in the file is unknown or invalid.
    pub(crate) fn from_file(file: &ConfigFile, task: TaskChoice, device: Device) -> Result<Self> {
        let (config, checkpoint_policy) = settings::read(Some(file), task)?;
        Ok(Self { task, config, checkpoint_policy, init: file.init(), device })
    }

    /// Returns the configuration file of the run with this seed, or of all runs if `seed` is `None`.
    pub(crate) fn to_toml(&self, seed: Option<u64>) -> String {
        config_file::render(self.task, seed, self.init.as_deref(), &self.config, &self.checkpoint_policy)
    }

    /// Checks that the settings fit the task.
    ///
    /// # Errors
    /// If two settings, or a setting and the task, exclude each other.
    pub(crate) fn check(&self) -> Result<()> {
        self.task.check_settings(&self.config)
    }

    /// The score of the task.
    pub(crate) fn score(&self) -> Score {
        Score::new(&self.task.spec(&self.config))
    }

    /// Creates a run before its first update, with the initial weights loaded.
    ///
    /// # Errors
    /// If the device does not support the settings, or the initial weights cannot be loaded.
    pub(crate) fn create_run(&self, seed: u64) -> Result<Run> {
        let mut run = self.create_empty_run(seed)?;
        if let Some(path) = &self.init {
            checkpoint::load(path, &mut run)?;
        }
        Ok(run)
    }

    /// Creates a run with random weights.
    fn create_empty_run(&self, seed: u64) -> Result<Run> {
        self.check()?;
        let Self { task, config, device, .. } = self;
        task.create_run(config, seed, *device)
    }

    /// Trains the run of this seed in its folder: from the start, or from the last checkpoint. The folder first gets the
    /// settings of this plan. A run that stays finished is only read.
    ///
    /// # Errors
    /// If a file cannot be read or written. A failed run is an outcome, not an error.
    pub(crate) fn train(
        &self,
        seed: u64,
        folder: &Folder,
        stop_after: Option<usize>,
        view: &mut View,
    ) -> Result<RunStatus> {
        let note = self.change_settings(seed, folder)?;
        if folder.contains_file(TEST) {
            let run = TimedOutcome::read(folder.path())?;
            view.show_outcome(&run.outcome, note);
            return Ok(RunStatus::Finished(run));
        }
        let session = if folder.contains_file(MODEL) {
            let session = self.resume_session(seed, folder)?;
            if let Some((last, now)) = folder.record_kernel_change()? {
                view.print_line(format!(
                    "resuming with the kernels {now}; the run used {last} before; they round products differently, so the \
                     results differ from a run with {last} alone; set GRADUS_KERNELS={last} to keep them, if the CPU supports them"
                ));
            }
            session
        } else {
            if folder.contains_file(METRICS) {
                view.print_line("no checkpoint found: starting again");
            }
            self.start_session(seed, folder)?
        };
        session.run_to_end(stop_after, view)
    }

    /// Starts a run and writes its configuration and first checkpoint.
    fn start_session<'a>(&'a self, seed: u64, folder: &'a Folder) -> Result<Session<'a>> {
        let run = self.create_run(seed)?;
        folder.write(CONFIG, self.to_toml(Some(seed)))?;
        let mut session = Session { plan: self, run, journals: Journals::create(folder)?, clock: Clock::default() };
        session.save(MODEL)?; // from here on, a checkpoint exists from which the run can be resumed
        Ok(session)
    }

    /// Restores a run from its last checkpoint.
    fn resume_session<'a>(&'a self, seed: u64, folder: &'a Folder) -> Result<Session<'a>> {
        let mut run = self.create_empty_run(seed)?;
        let journal_lengths = checkpoint::resume(&folder.path().join(MODEL), &mut run)?;
        let taken_back = end_validation::take_back(folder.path(), &mut run, journal_lengths)?; // before a file changes
        end_validation::restore_best(folder, &run.config)?;
        let journals = Journals::resume(folder, taken_back.unwrap_or(journal_lengths))?;
        let mut session = Session { plan: self, run, journals, clock: Clock::read(&folder.path().join(CLOCK)) };
        let kept = checkpoint::kept_name(session.run.updates);
        if taken_back.is_some() && folder.contains_file(&kept) {
            session.save(&kept)?;
        }
        Ok(session)
    }
}

/// The result of training, and the test's results.
type TrainedAndTested = (std::result::Result<(), NotFinite>, Vec<StageTest>);

/// A run that is being trained.
struct Session<'a> {
    plan: &'a TrainingPlan,
    run: Run,
    journals: Journals<'a>,
    clock: Clock,
}

impl Session<'_> {
    /// Trains until the run finishes or is stopped. A GPU failure is an error; the last checkpoint stays.
    fn run_to_end(mut self, stop_after: Option<usize>, view: &mut View) -> Result<RunStatus> {
        match tensor::catch_cuda_error(|| self.train_and_test(stop_after, view)) {
            Ok(result) => match result? {
                Some((trained, stages)) => self.finish(trained, stages, view).map(RunStatus::Finished),
                None => Ok(RunStatus::Stopped),
            },
            Err(failure) => {
                // A call computes several updates; the failure names the update in which it happened.
                Err(self.add_resume_advice(Error::input(format!("after update {}: {failure}", self.run.updates))))
            }
        }
    }

    /// Trains and tests. Returns `None` if the run was stopped on request.
    fn train_and_test(&mut self, stop_after: Option<usize>, view: &mut View) -> Result<Option<TrainedAndTested>> {
        let updates_at_start = self.run.updates;
        view.begin(
            RunLimits::new(&self.run.task.spec(), &self.plan.config),
            updates_at_start,
            &self.journals.folder().path().join(METRICS),
        );
        let mut trained = loop {
            let updates = self.run.updates;
            let stops = interrupt::requested() || stop_after.is_some_and(|more| updates - updates_at_start >= more);
            let ended = self.run.stop_reason().is_some();
            if ended || stops {
                let finite = check_finite(&self.run);
                if ended || finite.is_err() {
                    break finite;
                }
                return self.save_last_checkpoint().map(|()| None);
            }
            let limit = self
                .updates_until_checkpoint(stop_after.map_or(usize::MAX, |more| more - (updates - updates_at_start)));
            match self.run.advance_up_to(limit) {
                Err(TrainError::NotFinite(error)) => break Err(error),
                Err(TrainError::Env { update, error }) => {
                    return Err(self.add_env_advice(&format!("update {update}: {error}")));
                }
                Ok(reports) => reports.iter().try_for_each(|report| self.record_update(report, view))?,
            }
        };
        self.clock.mark_training_end();
        self.save_last_checkpoint()?; // before the test, so that an interruption of the test loses no training
        let mut stages = Vec::new();
        for stage in (0..self.run.task.spec().stages).filter(|_| trained.is_ok()) {
            if interrupt::requested() {
                return Ok(None);
            }
            match final_test::run_final_test(&self.run, self.run.seed, None, [stage]) {
                Ok(tested) => stages.extend(tested),
                Err(RolloutError::Env(error)) => return Err(self.add_env_advice(&format!("the test: {error}"))),
                Err(RolloutError::Undecided(error)) => {
                    trained =
                        Err(NotFinite::from_undecided(self.run.updates as u32, &self.run.learner.host().params, error));
                    stages.clear();
                    break;
                }
            }
        }
        let sets: Vec<_> = self.run.task.test_sets().into_iter().map(|set| set.name).collect();
        stages.sort_by_key(|test| sets.iter().position(|name| *name == test.set)); // the task's own episodes first
        Ok(Some((trained, stages)))
    }

    /// Returns the number of updates until the next checkpoint is due, but at most `stop`.
    fn updates_until_checkpoint(&self, stop: usize) -> usize {
        let (updates, checkpoint_policy) = (self.run.updates, &self.plan.checkpoint_policy);
        let until = |every: usize| if every == 0 { usize::MAX } else { every - updates % every };
        stop.min(until(checkpoint_policy.save_every)).min(until(checkpoint_policy.keep_every))
    }

    /// Writes the lines of an update and of its validation, and the checkpoints that are due.
    fn record_update(&mut self, report: &Report, view: &mut View) -> Result<()> {
        let update = UpdateLine::from(report);
        let validation =
            report.validation.as_ref().map(|stats| ValidationLine::new(report.update, stats, self.plan.score()));
        let lines = [Some(Line::Update(update.clone())), validation.clone().map(Line::Validation)];
        for line in lines.iter().flatten() {
            let appended = self.journals.append(line);
            self.handle_write_error(appended, view)?;
        }
        view.show_update(&update, validation.as_ref()); // after writing, so that everything shown is also in the file
        if validation.is_some() {
            for stage in 0..self.run.task.spec().stages {
                let line = describe_behaviour(&self.run, stage).map_err(|error| self.add_env_advice(&error))?;
                let Some(line) = line else { continue };
                let appended = self.journals.append_episodes(&line);
                self.handle_write_error(appended, view)?;
            }
        }
        for name in self.journals.due_checkpoints(report.update, validation.as_ref(), &self.plan.checkpoint_policy) {
            let kept = match name.as_str() {
                BEST => end_validation::keep_previous_best(self.journals.folder(), &self.plan.config, report.update),
                _ => Ok(()),
            };
            let saved = kept.and_then(|()| self.save(&name));
            self.handle_write_error(saved, view)?;
        }
        Ok(())
    }

    /// Handles a failed write as the checkpoint policy says: returns it as an error, or prints a warning.
    fn handle_write_error(&mut self, written: Result<()>, view: &mut View) -> Result<()> {
        let Err(error) = written else { return Ok(()) };
        match self.plan.checkpoint_policy.on_save_error {
            OnError::Continue => {
                view.print_line(format!("warning: {error}; training continues"));
                Ok(())
            }
            OnError::Stop => Err(self.add_resume_advice(error)),
        }
    }

    /// Adds resume advice to an error that stops a run.
    fn add_resume_advice(&self, error: Error) -> Error {
        let folder = show_path(self.journals.folder().path());
        let resume = format!("{} train --resume {folder}", program());
        Error::input(format!("{error}; the last checkpoint is complete; resume with: {resume}"))
    }

    /// Creates the error of a fault of the environment. The run has not failed: it goes on once the task is mended.
    fn add_env_advice(&self, error: &impl std::fmt::Display) -> Error {
        let mended = format!("{error}; mend the task's environment and build the program again");
        self.add_resume_advice(Error::input(mended))
    }

    /// Writes the last checkpoint. A failure is always an error, whatever the checkpoint policy says.
    fn save_last_checkpoint(&mut self) -> Result<()> {
        self.save(MODEL).map_err(|error| self.add_resume_advice(error))
    }

    /// Writes a checkpoint. If a parameter is not finite, the previous checkpoint stays, because the new one would not load.
    fn save(&mut self, name: &str) -> Result<()> {
        let journal_lengths = self.journals.sync()?;
        match checkpoint::encode(&self.run, journal_lengths) {
            Err(CheckpointProblem::NotFinite { .. }) => Ok(()),
            Err(problem) => Err(Error::Run(format!("cannot make the checkpoint {name}: {problem}"))),
            Ok(bytes) => {
                self.journals.folder().write(name, bytes)?;
                self.journals.folder().write(CLOCK, self.clock.to_json())
            }
        }
    }

    /// Writes the outcome, which marks the run as finished, and shows it.
    fn finish(
        self,
        trained: std::result::Result<(), NotFinite>,
        stages: Vec<StageTest>,
        view: &mut View,
    ) -> Result<TimedOutcome> {
        let Run { task, seed, updates, steps, .. } = &self.run;
        let spec = task.spec();
        let outcome = Outcome {
            task: spec.name,
            caveat: spec.caveat,
            seed: *seed,
            failed: trained.is_err(),
            end: match trained {
                Ok(()) => match self.run.stop_reason().expect("a finished run has a reason") {
                    StopReason::Solved => "solved by its rule".to_owned(),
                    StopReason::OutOfUpdates => "out of updates".to_owned(),
                },
                Err(error) => error.to_string(),
            },
            updates: *updates,
            steps: *steps,
            stages,
            kinds: known_kinds::of_run(&self.run),
            rule: learned_rule::of_run(&self.run),
        };
        let (folder, seconds) = (self.journals.folder(), self.clock.seconds());
        let clock = folder.write(CLOCK, self.clock.to_json());
        let test = clock.and_then(|()| folder.write(TEST, pretty_json(&json!(outcome)))); // last: it marks the run as finished
        test.map_err(|error| self.add_resume_advice(error))?;
        view.show_outcome(&outcome, outcome.to_sentence(seconds));
        Ok(TimedOutcome { outcome, seconds })
    }
}

/// Number of episodes per stage that are recorded at a validation: enough for a mean, few enough to cost almost nothing.
const RECORDED_EPISODES: usize = 16;

/// Records the policy's behaviour in the first episodes of the last validation. Returns `None` if a value is not finite,
/// because JSON cannot hold it and the run is about to fail.
///
/// # Errors
/// If the environment has a fault.
fn describe_behaviour(run: &Run, stage: usize) -> std::result::Result<Option<EpisodesLine>, RolloutError> {
    let stream = |episode| validation_stream(run.seed, run.updates, stage, episode);
    let mut episodes = Episodes::new(&run.task, stage, RECORDED_EPISODES);
    let mut streams = Streams::shared((0..RECORDED_EPISODES).map(stream).collect());
    match trace::trace_episodes(run.learner.host().trained(), &mut episodes, &mut streams, Options::GREEDY) {
        Ok(trace) if trace.is_finite() => Ok(Some(EpisodesLine::from_trace(&run.task, run.updates, &trace, &episodes))),
        Ok(_) | Err(RolloutError::Undecided(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Checks the parameters after the last update. During training, a parameter that is not finite is noticed only by the
/// next update.
fn check_finite(run: &Run) -> std::result::Result<(), NotFinite> {
    match run.learner.host().params.first_not_finite() {
        Some(name) => Err(NotFinite { update: run.updates as u32, parameter: name.into(), cause: Cause::Value }),
        None => Ok(()),
    }
}
