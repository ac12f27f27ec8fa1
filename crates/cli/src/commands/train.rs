//! `gradus train`: runs, one after the other, each in a folder of its own.

use std::path::{Path, PathBuf};

use rl::train::Run;
use rl::tutorial::TutorialRun;
use tensor::par;

use crate::args::TrainArgs;
use crate::error::{Error, Result};
use crate::exact::Exact;
use crate::file::ConfigFile;
use crate::folder::{Folder, TABLE, TABLE_JSON};
use crate::outcome::Timed;
use crate::run::Plan;
use crate::seeds::Seeds;
use crate::task::TaskName;
use crate::training::Training;
use crate::{clock, pretty, say, settings, summary, test};

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
    let init = args.init.clone().or_else(|| file?.init()).map(absolute).transpose()?;
    let seed = args.seed.or(file.map(ConfigFile::seed).transpose()?.flatten()).unwrap_or(0);
    let plan = Plan::<R> { config, init };
    plan.start(seed)?; // what does not fit shows before there is a folder
    let work = || match &args.seeds {
        Some(Seeds(seeds)) => several(&plan, seeds, &folder(R::TASK, args, "seeds")?),
        None => alone(&plan, seed, &folder(R::TASK, args, &format!("seed{seed}"))?),
    };
    let threads = args.threads.unwrap_or(0);
    par::with_threads(threads, work).map_err(|error| {
        Error::input(format!("cannot start {threads} threads: {error}; choose fewer with --threads"))
    })?
}

/// The folder that the arguments name, or a new one.
fn folder(task: TaskName, args: &TrainArgs, suffix: &str) -> Result<Folder> {
    let folder = match &args.out {
        Some(path) => Folder::create(path),
        None => Folder::create_new(Path::new(RUNS), &format!("{}-{}-{suffix}", task.name(), clock::now())),
    }?;
    say(format!("writing to {}", folder.path().display()));
    Ok(folder)
}

/// One seed, with the table of its test.
fn alone<R: Training>(plan: &Plan<R>, seed: u64, folder: &Folder) -> Result<()> {
    let outcome = plan.run(seed, folder)?.outcome;
    if outcome.failed {
        return Err(Error::Run(outcome.end));
    }
    say(format!("\n{}\n{}", test::table::<R>(&outcome.stages), outcome.caveat));
    Ok(())
}

/// Several seeds, one after the other, with a table of them all.
fn several<R: Training>(plan: &Plan<R>, seeds: &[u64], folder: &Folder) -> Result<()> {
    let mut runs = Vec::new();
    let mut table = String::new();
    for &seed in seeds {
        say(format!("seed {seed}"));
        runs.push(plan.run(seed, &folder.child(&format!("seed-{seed}"))?)?);
        table = write_tables(plan, &runs, folder)?; // after each run: what is interrupted keeps its table
    }
    say(format!("\n{table}"));
    match runs.iter().filter(|run| run.outcome.failed).count() {
        0 => Ok(()),
        failed => Err(Error::Run(format!("{failed} of {} runs failed; the table says why", runs.len()))),
    }
}

/// Writes the table of these runs, in words and as JSON, and returns the words.
fn write_tables<R: Training>(plan: &Plan<R>, runs: &[Timed], folder: &Folder) -> Result<String> {
    let mut changes = settings::changes(&plan.config);
    changes.extend(plan.init.iter().map(|path| ("init", path.display().to_string())));
    let (title, table) = (summary::title(R::TASK, &changes), summary::table::<R>(runs));
    let exact = Exact::of(runs);
    let (together, together_json) = R::together(&plan.config, runs).unzip();
    let together = together.map(|text| text + "\n").unwrap_or_default();
    let words = format!("{title}\n\n{table}\n{}\n\n{exact}\n\n{together}{}\n", summary::LEGEND, runs[0].outcome.caveat);
    folder.write(TABLE_JSON, pretty(&summary::json::<R>(&changes, runs, &exact, together_json)))?;
    folder.write(TABLE, &words)?;
    Ok(words)
}

/// A path that means the same in whatever folder the written configuration is read.
fn absolute(path: PathBuf) -> Result<PathBuf> {
    std::path::absolute(&path).map_err(|error| Error::file("find", &path, &error, "check the path"))
}
