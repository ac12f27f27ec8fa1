//! One run, from its beginning or from where it stopped, to its test, and the files that it leaves.
//!
//! **The order of writing.** The journals first, to the disk; then the checkpoint, which says how long they were. So
//! the last checkpoint always finds the lines that belong to it, and what comes after them is cut off and made again.

pub(crate) mod checkpoint;
mod clock;
pub(crate) mod final_test;
pub(crate) mod memory_check;
mod records;
mod state_json;
#[cfg(test)]
mod tests;
pub(crate) mod trained_agent;

use std::path::PathBuf;

use gpu_train::Run;
use nn::Problem;
use rl::a2c::Learner;
use rl::config::Config;
use rl::env::Task;
use rl::evaluate::validation_stream;
use rl::rollout::Choice;
use rl::train::{End, Report};
use rl::{Cause, NotFinite, trace};
use serde_json::json;
use tensor::Device;

use crate::error::{Error, Result, word};
use crate::folder::outcome::{Outcome, Timed};
use crate::folder::{CLOCK, CONFIG, EpisodesLine, Folder, Line, METRICS, MODEL, TEST, UpdateLine, ValidationLine};
use crate::input::checkpoint_policy::{Keeping, OnError};
use crate::input::config_file::ConfigFile;
use crate::input::{config_file, settings};
use crate::interrupt;
use crate::live::{Goal, View};
use crate::output::print::pretty;
use crate::run::final_test::Stage;
use clock::Clock;
use records::Records;

/// What all runs of a command have in common.
pub(crate) struct Plan {
    /// The settings.
    pub(crate) config: Config,
    /// What is kept.
    pub(crate) keeping: Keeping,
    /// The checkpoint with the initial weights.
    pub(crate) init: Option<PathBuf>,
    /// Where updates are computed. It is no part of a run, which may go on on another.
    pub(crate) device: Device,
}

/// How a command left a run.
pub(crate) enum Left {
    /// It is over.
    Over(Timed),
    /// It was asked to stop, and can be gone on with.
    Stopped,
}

impl Plan {
    /// The plan that a configuration file was written of.
    ///
    /// # Errors
    /// If there is a setting in it that the task does not have.
    pub(crate) fn of(file: &ConfigFile, device: Device) -> Result<Self> {
        let (config, keeping) = settings::read(Some(file))?;
        Ok(Self { config, keeping, init: file.init(), device })
    }

    /// The configuration file of the run with this seed, or of all.
    pub(crate) fn file(&self, seed: Option<u64>) -> String {
        config_file::write(seed, self.init.as_deref(), &self.config, &self.keeping)
    }

    /// A run before its first update.
    ///
    /// # Errors
    /// If the device does not take it, or the initial weights cannot be loaded.
    pub(crate) fn start(&self, seed: u64) -> Result<Run<f32>> {
        let mut run = self.empty(seed)?;
        if let Some(path) = &self.init {
            checkpoint::load(path, &mut run)?;
        }
        Ok(run)
    }

    /// A run with nothing loaded.
    fn empty(&self, seed: u64) -> Result<Run<f32>> {
        let Self { config, device, .. } = self;
        gpu_train::run(config, seed, *device).map_err(|refused| Error::input(format!("--device {device}: {refused}")))
    }

    /// The run of this seed in its folder, as far as it has come: from its beginning, from its last checkpoint, or over.
    ///
    /// # Errors
    /// If a file cannot be read or written. That the run fails is an outcome.
    pub(crate) fn go_on(&self, seed: u64, folder: &Folder, stop_after: Option<usize>, view: &mut View) -> Result<Left> {
        if folder.has(TEST) {
            let run = Timed::read(folder.path())?;
            view.end(&run.outcome, "this run is over");
            return Ok(Left::Over(run));
        }
        let session = if folder.has(MODEL) {
            let session = self.resume(seed, folder)?;
            if let Some((last, now)) = folder.note_kernels()? {
                view.say(format!(
                    "going on with the kernels {now}, after {last}: their products are rounded otherwise, so that the run \
                     is another than {last} would have made; GRADUS_KERNELS={last} chooses those, where the processor has them"
                ));
            }
            session
        } else {
            if folder.has(METRICS) {
                view.say("there is no checkpoint: beginning again");
            }
            self.begin(seed, folder)?
        };
        session.go(stop_after, view)
    }

    fn begin<'a>(&'a self, seed: u64, folder: &'a Folder) -> Result<Session<'a>> {
        let run = self.start(seed)?;
        folder.write(CONFIG, self.file(Some(seed)))?;
        let mut session = Session { plan: self, run, records: Records::create(folder)?, clock: Clock::default() };
        session.save(MODEL)?; // whatever happens from here on, there is a checkpoint to go on from
        Ok(session)
    }

    fn resume<'a>(&'a self, seed: u64, folder: &'a Folder) -> Result<Session<'a>> {
        let mut run = self.empty(seed)?;
        let marks = checkpoint::resume(&folder.path().join(MODEL), &mut run)?;
        let clock = Clock::read(&folder.path().join(CLOCK));
        Ok(Session { plan: self, run, records: Records::resume(folder, marks)?, clock })
    }
}

/// Whether a run was trained to its end, and its test.
type Worked = (std::result::Result<(), NotFinite>, Vec<Stage>);

/// A run that goes on.
struct Session<'a> {
    plan: &'a Plan,
    run: Run<f32>,
    records: Records<'a>,
    clock: Clock,
}

impl Session<'_> {
    /// To the end of the run, or as far as it is to go. A GPU that fails ends it, and leaves the last checkpoint.
    fn go(mut self, stop_after: Option<usize>, view: &mut View) -> Result<Left> {
        match tensor::catch_cuda(|| self.work(stop_after, view)) {
            Ok(worked) => match worked? {
                Some((trained, stages)) => self.finish(trained, stages, view).map(Left::Over),
                None => Ok(Left::Stopped),
            },
            Err(failure) => {
                // Of several updates that were asked for at once, the failure says in which it was.
                Err(self.advise(Error::input(format!("after update {}: {failure}", self.run.updates))))
            }
        }
    }

    /// Trains and tests. Nothing, if it was asked to stop.
    fn work(&mut self, stop_after: Option<usize>, view: &mut View) -> Result<Option<Worked>> {
        let began = self.run.updates;
        view.begin(Goal::of(&self.plan.config), began, &self.records.folder().path().join(METRICS));
        let mut trained = loop {
            let updates = self.run.updates;
            let stops = interrupt::requested() || stop_after.is_some_and(|more| updates - began >= more);
            let ended = self.run.end().is_some();
            if ended || stops {
                let finite = check(&self.run);
                if ended || finite.is_err() {
                    break finite;
                }
                return self.save_for_good().map(|()| None);
            }
            let limit = self.limit(stop_after.map_or(usize::MAX, |more| more - (updates - began)));
            match self.run.advance_by(limit) {
                Err(error) => break Err(error),
                Ok(reports) => reports.iter().try_for_each(|report| self.note(report, view))?,
            }
        };
        self.clock.trained();
        self.save_for_good()?; // before the test: what ends that must not lose the training
        let mut stages = Vec::new();
        for stage in (0..self.run.task.stages()).filter(|_| trained.is_ok()) {
            if interrupt::requested() {
                return Ok(None);
            }
            match final_test::test(&self.run, self.run.seed, self.plan.config.test_episodes, [stage]) {
                Ok(tested) => stages.extend(tested),
                Err(error) => {
                    trained =
                        Err(NotFinite::undecided(self.run.updates as u32, &self.run.learner.host().params, error));
                    stages.clear();
                    break;
                }
            }
        }
        Ok(Some((trained, stages)))
    }

    /// How many updates there are at most until the run is to be looked at: until a checkpoint is due, or `stop`.
    fn limit(&self, stop: usize) -> usize {
        let (updates, keeping) = (self.run.updates, &self.plan.keeping);
        let until = |every: usize| if every == 0 { usize::MAX } else { every - updates % every };
        stop.min(until(keeping.save_every)).min(until(keeping.keep_every))
    }

    /// Writes down what an update brought, and the checkpoints that are due.
    fn note(&mut self, report: &Report, view: &mut View) -> Result<()> {
        let update = UpdateLine::from(report);
        let validation = report.validation.as_ref().map(|figures| ValidationLine::new(report.update, figures));
        let lines = [Some(Line::Update(update.clone())), validation.clone().map(Line::Validation)];
        for line in lines.iter().flatten() {
            let appended = self.records.append(line);
            self.tolerate(appended, view)?;
        }
        view.show(&update, validation.as_ref()); // not before: what was shown is written, however the process ends
        if validation.is_some() {
            for stage in 0..self.run.task.stages() {
                let Some(line) = probe(&self.run, stage) else { continue };
                let appended = self.records.append_episodes(&line);
                self.tolerate(appended, view)?;
            }
        }
        for name in self.records.due(report.update, validation.as_ref(), &self.plan.keeping) {
            let saved = self.save(&name);
            self.tolerate(saved, view)?;
        }
        Ok(())
    }

    /// Whether to go on although something could not be written.
    fn tolerate(&mut self, written: Result<()>, view: &mut View) -> Result<()> {
        let Err(error) = written else { return Ok(()) };
        match self.plan.keeping.on_save_error {
            OnError::Continue => {
                view.say(format!("warning: {error}; going on"));
                Ok(())
            }
            OnError::Stop => Err(self.advise(error)),
        }
    }

    /// What to do after an error that a run is stopped by.
    fn advise(&self, error: Error) -> Error {
        let folder = word(self.records.folder().path());
        Error::input(format!("{error}; the last checkpoint is whole: gradus train --resume {folder} goes on from it"))
    }

    /// Writes the checkpoint that everything after it relies on, whatever is configured.
    fn save_for_good(&mut self) -> Result<()> {
        self.save(MODEL).map_err(|error| self.advise(error))
    }

    /// Writes a checkpoint, unless a parameter is not finite: such a checkpoint would not load, and the one before stays.
    fn save(&mut self, name: &str) -> Result<()> {
        let marks = self.records.sync()?;
        match checkpoint::encode(&self.run, marks) {
            Err(Problem::NotFinite { .. }) => Ok(()),
            Err(problem) => unreachable!("encoding fails at numbers alone: {problem}"),
            Ok(bytes) => {
                self.records.folder().write(name, bytes)?;
                self.records.folder().write(CLOCK, self.clock.to_json())
            }
        }
    }

    fn finish(self, trained: std::result::Result<(), NotFinite>, stages: Vec<Stage>, view: &mut View) -> Result<Timed> {
        let Run { task, seed, updates, steps, .. } = &self.run;
        let outcome = Outcome {
            task: task.name().to_owned(),
            caveat: task.caveat().to_owned(),
            seed: *seed,
            failed: trained.is_err(),
            end: match trained {
                Ok(()) => match self.run.end().expect("it is over") {
                    End::Solved => "solved by its rule".to_owned(),
                    End::OutOfUpdates => "out of updates".to_owned(),
                },
                Err(error) => error.to_string(),
            },
            updates: *updates,
            steps: *steps,
            stages,
        };
        let (folder, seconds) = (self.records.folder(), self.clock.seconds());
        let clock = folder.write(CLOCK, self.clock.to_json());
        let test = clock.and_then(|()| folder.write(TEST, pretty(&json!(outcome)))); // last: from now on the run is over
        test.map_err(|error| self.advise(error))?;
        view.end(&outcome, outcome.sentence(seconds));
        Ok(Timed { outcome, seconds })
    }
}

/// Episodes of a stage that are written down at a validation: enough for a mean, few enough to cost nothing.
const PROBES: usize = 16;

/// What the policy does in the first episodes of the last validation; nothing if it computes what JSON cannot hold, as the
/// run is about to fail.
fn probe(run: &Run<f32>, stage: usize) -> Option<EpisodesLine> {
    let stream = |episode| validation_stream(run.seed, run.updates, stage, episode);
    let mut env = run.task.env(stage, PROBES);
    env.reset(&mut (0..PROBES).map(stream).collect::<Vec<_>>());
    let Learner { policy, params, .. } = run.learner.host();
    let trace = trace::play(policy, params, &mut *env, Choice::Greedy).ok()?;
    trace.is_finite().then(|| EpisodesLine::of(&run.task, run.updates, &trace))
}

/// The last update may have left a parameter that is not finite: no further one was there to notice.
fn check(run: &Run<f32>) -> std::result::Result<(), NotFinite> {
    match run.learner.host().params.first_not_finite() {
        Some(name) => Err(NotFinite { update: run.updates as u32, parameter: name.into(), cause: Cause::Value }),
        None => Ok(()),
    }
}
