//! One run: its updates, its test, and the files that it leaves.

use std::path::PathBuf;
use std::time::Instant;

use nn::Problem;
use rl::evaluate::Figures;
use rl::{Cause, NotFinite};
use serde_json::{Value, json};

use crate::error::Result;
use crate::folder::{CLOCK, CONFIG, Folder, Growing, METRICS, MODEL, TEST};
use crate::outcome::{Outcome, Timed};
use crate::progress::Progress;
use crate::training::Training;
use crate::{file, pretty, say, test, weights};

/// What all runs of a command have in common.
pub(crate) struct Plan<R: Training> {
    /// The settings.
    pub(crate) config: R::Config,
    /// The checkpoint with the initial weights.
    pub(crate) init: Option<PathBuf>,
}

impl<R: Training> Plan<R> {
    /// A run before its first update.
    ///
    /// # Errors
    /// If the initial weights cannot be loaded.
    pub(crate) fn start(&self, seed: u64) -> Result<R> {
        let mut run = R::new(&self.config, seed);
        if let Some(path) = &self.init {
            weights::load(path, &self.config, &mut run)?;
        }
        Ok(run)
    }

    /// A run from its beginning to the end of its test.
    ///
    /// # Errors
    /// If a file cannot be read or written. That the run fails is an outcome.
    pub(crate) fn run(&self, seed: u64, folder: &Folder) -> Result<Timed> {
        let started = Instant::now();
        let mut run = self.start(seed)?;
        folder.write(CONFIG, file::write(R::TASK, seed, self.init.as_deref(), &self.config))?;
        let mut metrics = folder.begin(METRICS)?;
        let trained = advance(&mut run, &mut metrics)?;
        metrics.finish()?;
        let trained_for = started.elapsed().as_secs_f64();
        self.save(&run, folder)?; // before the test: what ends that must not lose the training
        let stages = match trained {
            Ok(()) => test::test(&run, seed, R::test_episodes(&self.config), 0..run.parts().task.stages()),
            Err(_) => Vec::new(),
        };

        let parts = run.parts();
        let outcome = Outcome {
            task: parts.task.name(),
            caveat: parts.task.caveat(),
            seed,
            failed: trained.is_err(),
            end: match trained {
                Ok(()) => run.end().expect("it is over").to_owned(),
                Err(error) => error.to_string(),
            },
            updates: parts.updates,
            steps: parts.steps,
            stages,
        };
        let seconds = started.elapsed().as_secs_f64();
        let Outcome { end, updates, steps, failed, .. } = &outcome;
        let how = if *failed { "failed" } else { end };
        say(format!("{how}; {updates} updates, {steps} steps, {seconds:.1} s with the test"));
        folder.write(TEST, pretty(&json!(outcome)))?;
        folder.write(CLOCK, pretty(&json!({ "training_seconds": trained_for, "seconds": seconds })))?;
        Ok(Timed { outcome, seconds })
    }

    /// The parameters as they are, unless they are not finite: such a checkpoint would not load.
    fn save(&self, run: &R, folder: &Folder) -> Result<()> {
        match weights::save(&folder.path().join(MODEL), &self.config, run) {
            Err(error) if !matches!(error.problem, Problem::NotFinite { .. }) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// All updates. The inner result is the run's, the outer one that of writing `metrics`.
fn advance<R: Training>(run: &mut R, metrics: &mut Growing) -> Result<std::result::Result<(), NotFinite>> {
    let mut progress = Progress::new(run.limit());
    let result = loop {
        if run.end().is_some() {
            break check(run);
        }
        match run.advance() {
            Err(error) => break Err(error),
            Ok(update) => {
                metrics.append(format!("{}\n", update.metrics))?;
                if let Some(figures) = &update.validation {
                    metrics.append(format!("{}\n", validation(update.number, figures)))?;
                }
                progress.show(&update, run.parts().steps);
            }
        }
    };
    progress.finish();
    Ok(result)
}

/// The last update may have left a parameter that is not finite: no further one was there to notice.
fn check<R: Training>(run: &R) -> std::result::Result<(), NotFinite> {
    let parts = run.parts();
    match parts.params.first_not_finite() {
        Some(name) => Err(NotFinite { update: parts.updates as u32, parameter: name.into(), cause: Cause::Value }),
        None => Ok(()),
    }
}

fn validation(update: usize, figures: &[Figures]) -> Value {
    let stage = |f: &Figures| json!({ "stage": f.stage, "exact": f.exact, "reward": f.reward, "steps": f.steps, "programs": f.programs.len() });
    json!({ "validation": update, "stages": figures.iter().map(stage).collect::<Vec<_>>() })
}
