//! `gradus train`: one run, or runs of several seeds side by side, from the beginning or from where they stopped.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

use rl::train::Run;
use rl::tutorial::TutorialRun;
use tensor::par;

use crate::args::TrainArgs;
use crate::error::{Error, Result};
use crate::exact::Exact;
use crate::file::ConfigFile;
use crate::folder::{About, CONFIG, Folder, REPORT, TABLE, TABLE_JSON};
use crate::live::{self, Live};
use crate::outcome::{Outcome, Timed};
use crate::run::{Left, Plan};
use crate::seeds::Seeds;
use crate::task::TaskName;
use crate::training::Training;
use crate::{clock, pretty, report, say, settings, stop, summary, test};

/// Where the folders of runs are, unless `--out` says otherwise.
const RUNS: &str = "runs";

/// Does what the arguments say.
///
/// # Errors
/// If they are wrong, a run fails, or Ctrl-C ends it.
pub(crate) fn train(args: &TrainArgs) -> Result<()> {
    stop::listen((!live::on_screen()).then_some(stop::WORDS))?;
    if let Some(path) = &args.resume {
        if !args.settings.is_empty() {
            return Err(Error::input("--resume takes no settings: a run goes on with its own; leave them out"));
        }
        let (folder, about) = Folder::open(path)?;
        let file = ConfigFile::read(&path.join(CONFIG))?;
        return match file.task()?.unwrap_or(TaskName::ALL[0]) {
            TaskName::Calculator => resume::<Run<f32>>(args, &file, &folder, about),
            TaskName::Tutorial => resume::<TutorialRun<f32>>(args, &file, &folder, about),
        };
    }
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?;
    let in_file = file.as_ref().map(ConfigFile::task).transpose()?.flatten();
    match args.task.or(in_file).unwrap_or(TaskName::ALL[0]) {
        TaskName::Calculator => begin::<Run<f32>>(args, file.as_ref()),
        TaskName::Tutorial => begin::<TutorialRun<f32>>(args, file.as_ref()),
    }
}

fn begin<R: Training>(args: &TrainArgs, file: Option<&ConfigFile>) -> Result<()> {
    let (config, keeping) = settings::merge(R::TASK, file, &args.settings)?;
    let init = args.init.clone().or_else(|| file?.init()).map(absolute).transpose()?;
    let seed = args.seed.or(file.map(ConfigFile::seed).transpose()?.flatten()).unwrap_or(0);
    let plan = Plan::<R> { config, keeping, init };
    plan.start(seed)?; // what does not fit shows before there is a folder
    match &args.seeds {
        None => alone(&plan, seed, &new_folder(R::TASK, args, &format!("seed{seed}"), None)?, args),
        Some(Seeds(seeds)) => {
            let folder = new_folder(R::TASK, args, "seeds", Some(seeds))?;
            folder.write(CONFIG, plan.file(None))?;
            several(&plan, seeds, &folder, args)
        }
    }
}

fn resume<R: Training>(args: &TrainArgs, file: &ConfigFile, folder: &Folder, about: About) -> Result<()> {
    file.complete::<R::Config>()?;
    let plan = Plan::<R>::of(file)?;
    match about.seeds {
        Some(seeds) => several(&plan, &seeds, folder, args),
        None => alone(&plan, file.seed()?.unwrap_or(0), folder, args),
    }
}

/// The folder that the arguments name, or a new one.
fn new_folder(task: TaskName, args: &TrainArgs, suffix: &str, seeds: Option<&[u64]>) -> Result<Folder> {
    let about = About::now(seeds);
    let folder = match &args.out {
        Some(path) => Folder::create(path, &about),
        None => Folder::create_new(Path::new(RUNS), &format!("{}-{}-{suffix}", task.name(), clock::now()), &about),
    }?;
    say(format!("writing to {}", folder.path().display()));
    Ok(folder)
}

/// One seed, with the table of its test.
fn alone<R: Training>(plan: &Plan<R>, seed: u64, folder: &Folder, args: &TrainArgs) -> Result<()> {
    let work = || plan.go_on(seed, folder, args.stop_after, &mut Live::alone().view(seed));
    let left = on_threads(args.threads.unwrap_or(0), work)??;
    write_page(folder);
    match left {
        Left::Stopped => stopped(folder),
        Left::Over(run) => result::<R>(&run.outcome),
    }
}

/// Prints the table of a test.
///
/// # Errors
/// If the run has failed.
pub(super) fn result<R: Training>(outcome: &Outcome) -> Result<()> {
    if outcome.failed {
        return Err(Error::Run(outcome.end.clone()));
    }
    say(format!("\n{}\n{}", test::table::<R>(&outcome.stages), outcome.caveat));
    Ok(())
}

/// Counts the runs that failed.
///
/// # Errors
/// If there are any.
pub(super) fn failures<'a>(runs: impl IntoIterator<Item = &'a Timed>) -> Result<()> {
    let failed: Vec<_> = runs.into_iter().map(|run| run.outcome.failed).collect();
    match failed.iter().filter(|&&failed| failed).count() {
        0 => Ok(()),
        count => Err(Error::Run(format!("{count} of {} runs failed; the table says why", failed.len()))),
    }
}

/// Several seeds, as many side by side as there are threads, with a table of them all.
fn several<R: Training>(plan: &Plan<R>, seeds: &[u64], folder: &Folder, args: &TrainArgs) -> Result<()> {
    let threads = args.threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let jobs = threads.min(seeds.len());
    let (live, next) = (Live::several(seeds.len()), AtomicUsize::new(0));
    let done = Mutex::new((vec![None; seeds.len()], String::new()));
    let job = || -> Result<()> {
        while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !stop::requested()) {
            let child = folder.child(&format!("seed-{seed}"), &About::now(None))?;
            let left = plan.go_on(seed, &child, args.stop_after, &mut live.view(seed))?;
            write_page(&child);
            if let Left::Over(run) = left {
                let mut done = done.lock().expect("no job panics while it writes the table");
                let (runs, table) = &mut *done;
                runs[seeds.iter().position(|&other| other == seed).expect("one of the seeds")] = Some(run);
                *table = write_tables(plan, &runs.iter().flatten().cloned().collect::<Vec<_>>(), folder)?;
            }
        }
        Ok(())
    };
    let results = thread::scope(|scope| {
        let start = |_| {
            scope.spawn(|| {
                on_threads(threads / jobs, || job().inspect_err(|_| next.store(seeds.len(), Ordering::Relaxed)))
            })
        };
        let started: Vec<_> = (0..jobs).map(start).collect();
        started.into_iter().map(|job| job.join().expect("no job panics")).collect::<Vec<_>>()
    });
    drop(live);
    results.into_iter().try_for_each(|result| result?)?;
    let (runs, table) = done.into_inner().expect("no job panics while it writes the table");
    let runs: Vec<_> = runs.into_iter().flatten().collect();
    write_page(folder);
    if !runs.is_empty() {
        say(format!("\n{table}"));
    }
    if runs.len() < seeds.len() {
        return stopped(folder);
    }
    failures(&runs)
}

/// Writes the page of a folder. It is made of what is there already and can be made again: that it cannot be written fails no
/// run.
fn write_page(folder: &Folder) {
    if let Err(error) = report::write(folder.path()) {
        say(format!("warning: there is no {REPORT}: {error}; gradus report {} makes it", folder.path().display()));
    }
}

/// Says how to go on. Being asked to stop by `--stop-after` is no interruption.
fn stopped(folder: &Folder) -> Result<()> {
    let path = folder.path().display();
    say(format!("stopped, and saved; go on with: gradus train --resume {path}"));
    if stop::requested() { Err(Error::Interrupted) } else { Ok(()) }
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    par::with_threads(threads, work)
        .map_err(|error| Error::input(format!("cannot start {threads} threads: {error}; choose fewer with --threads")))
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
