//! `gradus train`: runs, one after the other, each in a folder of its own.

use std::path::{Path, PathBuf};
use std::time::Instant;

use nn::Problem;
use rl::a2c::NotFinite;
use rl::evaluate::Figures;
use rl::train::Run;
use rl::tutorial::TutorialRun;
use serde_json::{Value, json};
use tensor::par;

use crate::args::TrainArgs;
use crate::error::{Error, Result};
use crate::file::{self, ConfigFile};
use crate::folder::{CLOCK, CONFIG, Folder, Growing, METRICS, MODEL, TABLE, TABLE_JSON, TEST};
use crate::outcome::{Outcome, Timed};
use crate::progress::Progress;
use crate::seeds::Seeds;
use crate::task::TaskName;
use crate::training::Training;
use crate::{clock, say, settings, summary, test, weights};

/// Where the folders of runs are, unless `--out` says otherwise.
const RUNS: &str = "runs";

/// Does what the arguments say.
///
/// # Errors
/// If they are wrong, or a run fails.
pub(crate) fn train(args: &TrainArgs) -> Result<()> {
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?;
    let in_file = file.as_ref().map(ConfigFile::task).transpose()?.flatten();
    match args.task.or(in_file).unwrap_or(TaskName::ALL[0]) {
        TaskName::Calculator => train_task::<Run<f32>>(args, file.as_ref()),
        TaskName::Tutorial => train_task::<TutorialRun<f32>>(args, file.as_ref()),
    }
}

fn train_task<R: Training>(args: &TrainArgs, file: Option<&ConfigFile>) -> Result<()> {
    let config = settings::merge(R::TASK, file, &args.settings)?;
    let init = args.init.clone().or_else(|| file?.init());
    let seed = args.seed.or(file.map(ConfigFile::seed).transpose()?.flatten()).unwrap_or(0);
    let plan = Plan::<R> { config, init };
    plan.start(seed)?; // what does not fit shows before there is a folder
    let work = || match &args.seeds {
        Some(Seeds(seeds)) => {
            plan.runs(seeds, &plan.folder(args, &format!("seeds{}to{}", seeds[0], seeds[seeds.len() - 1]))?)
        }
        None => plan.run_alone(seed, &plan.folder(args, &format!("seed{seed}"))?),
    };
    let threads = args.threads.unwrap_or(0);
    par::with_threads(threads, work).map_err(|error| {
        Error::input(format!("cannot start {threads} threads: {error}; choose fewer with --threads"))
    })?
}

/// What all runs of a command have in common.
struct Plan<R: Training> {
    config: R::Config,
    init: Option<PathBuf>,
}

impl<R: Training> Plan<R> {
    /// The folder that the arguments name, or a new one.
    fn folder(&self, args: &TrainArgs, suffix: &str) -> Result<Folder> {
        let folder = match &args.out {
            Some(path) => Folder::create(path),
            None => Folder::create_new(Path::new(RUNS), &format!("{}-{}-{suffix}", R::TASK.name(), clock::now())),
        }?;
        say(format!("writing to {}", folder.path().display()));
        Ok(folder)
    }

    /// A run before its first update.
    fn start(&self, seed: u64) -> Result<R> {
        let mut run = R::new(&self.config, seed);
        if let Some(path) = &self.init {
            weights::load(path, &self.config, &mut run)?;
        }
        Ok(run)
    }

    /// One seed, with the table of its test.
    fn run_alone(&self, seed: u64, folder: &Folder) -> Result<()> {
        let outcome = self.run(seed, folder)?.outcome;
        if outcome.failed {
            return Err(Error::Run(outcome.end));
        }
        say(format!("\n{}\n{}", test::table::<R>(&outcome.stages), outcome.caveat));
        Ok(())
    }

    /// Several seeds, one after the other, with a table of them all.
    fn runs(&self, seeds: &[u64], folder: &Folder) -> Result<()> {
        let mut runs = Vec::new();
        for &seed in seeds {
            say(format!("seed {seed}"));
            runs.push(self.run(seed, &folder.child(&format!("seed-{seed}"))?)?);
        }
        let caveat = runs[0].outcome.caveat;
        let together = R::together(&runs).map(|(text, _)| text + "\n").unwrap_or_default();
        let changes = settings::changes(&self.config);
        let title = summary::title(R::TASK, &changes);
        let table = format!("{title}\n\n{}\n{together}{caveat}\n", summary::table::<R>(&runs));
        folder.write(TABLE_JSON, pretty(&summary::json::<R>(&changes, &runs)))?;
        folder.write(TABLE, &table)?;
        say(format!("\n{table}"));
        match runs.iter().filter(|run| run.outcome.failed).count() {
            0 => Ok(()),
            failed => Err(Error::Run(format!("{failed} of {} runs failed; the table says why", runs.len()))),
        }
    }

    /// A run from its beginning to the end of its test.
    fn run(&self, seed: u64, folder: &Folder) -> Result<Timed> {
        let started = Instant::now();
        let mut run = self.start(seed)?;
        folder.write(CONFIG, file::write(R::TASK, seed, self.init.as_deref(), &self.config))?;
        let mut metrics = folder.begin(METRICS)?;
        let trained = advance(&mut run, &mut metrics)?;
        metrics.finish()?;
        let trained_for = started.elapsed().as_secs_f64();
        let stages = match trained {
            Ok(()) => test::test(&run, seed, R::test_episodes(&self.config), 0..run.parts().task.stages()),
            Err(_) => Vec::new(),
        };
        self.save(&run, folder)?;

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
        let Outcome { end, updates, steps, .. } = &outcome;
        say(format!("{end}; {updates} updates, {steps} steps, {seconds:.1} s with the test"));
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
        Some(name) => Err(NotFinite { update: parts.updates as u32, parameter: name.into(), value: true }),
        None => Ok(()),
    }
}

fn validation(update: usize, figures: &[Figures]) -> Value {
    let stage = |f: &Figures| json!({ "stage": f.stage, "exact": f.exact, "reward": f.reward, "steps": f.steps, "programs": f.programs.len() });
    json!({ "validation": update, "stages": figures.iter().map(stage).collect::<Vec<_>>() })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
