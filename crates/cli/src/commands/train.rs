//! `gradus train`: one run, or runs of several seeds side by side, from the beginning or from where they stopped.

use std::path::{Path, PathBuf};

use tensor::{Device, par};

use crate::args::TrainArgs;
use crate::device::DeviceName;
use crate::error::{Error, Result, word};
use crate::file::ConfigFile;
use crate::folder::{About, CONFIG, Folder, REPORT, TEST, of_seed};
use crate::live::{self, Live};
use crate::memory::Need;
use crate::outcome::{Outcome, Timed};
use crate::run::{Left, Plan};
use crate::seeds::Seeds;
use crate::{clock, device, profile, report, say, settings, stop, task, test};

use super::several::{several, threads};

/// Where the folders of runs are, unless `--out` says otherwise.
const RUNS: &str = "runs";

/// Does what the arguments say.
///
/// # Errors
/// If they are wrong, a run fails, or Ctrl-C ends it.
pub(crate) fn train(args: &TrainArgs) -> Result<()> {
    stop::listen((!live::on_screen()).then_some(stop::WORDS))?;
    if let Some(path) = &args.resume {
        if !args.settings.is_empty() || !args.keeping.is_empty() {
            return Err(Error::input("--resume takes no settings: a run goes on with its own; leave them out"));
        }
        let (folder, about) = Folder::open(path)?;
        let file = ConfigFile::in_folder(&path.join(CONFIG))?;
        file.task()?;
        return on(args, args.device, |device| resume(args, device, &file, &folder, about));
    }
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?;
    let file = file.as_ref();
    if args.task.is_none() {
        file.map(ConfigFile::task).transpose()?;
    }
    let device = args.device.or(file.map(ConfigFile::device).transpose()?.flatten());
    on(args, device, |device| begin(args, device, file))
}

/// Works on a device, profiled if that is asked for.
fn on(args: &TrainArgs, device: Option<DeviceName>, work: impl FnOnce(Device) -> Result<()>) -> Result<()> {
    let device = device.map_or(Ok(Device::Host), |name| device::choose(name, true))?;
    if !args.profile {
        return work(device);
    }
    let profiled = tensor::profile::start(); // before there is a tape, which keeps the kernels that it was made with
    let left = work(device);
    say(format!("\n{}", profile::words(profiled, profile::Peak::measure)));
    left
}

fn begin(args: &TrainArgs, device: Device, file: Option<&ConfigFile>) -> Result<()> {
    let (mut config, mut keeping) = settings::read(file)?;
    args.settings.apply(&mut config)?;
    args.keeping.apply(&mut keeping)?;
    let init = args.init.clone().or_else(|| file?.init()).map(absolute).transpose()?;
    let seed = args.seed.or(file.map(ConfigFile::seed).transpose()?.flatten()).unwrap_or(0);
    let plan = Plan { config, keeping, init, device };
    check_memory(&plan, args, args.seeds.as_ref().map_or(1, |Seeds(seeds)| seeds.len()))?;
    plan.start(seed)?; // what does not fit shows before there is a folder
    match &args.seeds {
        None => alone(&plan, seed, &new_folder(args, &format!("seed{seed}"), None)?, args),
        Some(Seeds(seeds)) => {
            let folder = new_folder(args, "seeds", Some(seeds))?;
            folder.write(CONFIG, plan.file(None))?;
            several(&plan, seeds, &folder, args)
        }
    }
}

fn resume(args: &TrainArgs, device: Device, file: &ConfigFile, folder: &Folder, about: About) -> Result<()> {
    file.complete()?;
    let plan = Plan::of(file, device)?;
    let is_over = |folder: &Path| folder.join(TEST).exists();
    match about.seeds {
        Some(seeds) => {
            let left = seeds.iter().filter(|&&seed| !is_over(&of_seed(folder.path(), seed))).count();
            check_memory(&plan, args, left)?;
            if left > 0 {
                folder.note_kernels()?; // each run says so
            }
            several(&plan, &seeds, folder, args)
        }
        None => {
            check_memory(&plan, args, usize::from(!is_over(folder.path())))?;
            alone(&plan, file.seed()?.unwrap_or(0), folder, args)
        }
    }
}

/// Refuses so many runs, as many at a time as there are threads, if they need more memory than there is.
fn check_memory(plan: &Plan, args: &TrainArgs, runs: usize) -> Result<()> {
    if runs == 0 || !plan.device.is_host() {
        return Ok(());
    }
    let threads = threads(args);
    let runs = runs.min(threads);
    let need = Need {
        what: "training",
        each: rl::memory::of_training(&plan.config, threads / runs),
        runs,
        threads,
        advice: "choose a smaller batch or width, larger chunks, fewer episodes to evaluate, or fewer runs at a time (--threads)",
    };
    need.check()
}

/// The folder that the arguments name, or a new one.
fn new_folder(args: &TrainArgs, suffix: &str, seeds: Option<&[u64]>) -> Result<Folder> {
    let about = About::now(seeds);
    let folder = match &args.out {
        Some(path) => Folder::create(path, &about),
        None => Folder::create_new(Path::new(RUNS), &format!("{}-{}-{suffix}", task::NAME, clock::now()), &about),
    }?;
    say(format!("writing to {}", folder.path().display()));
    Ok(folder)
}

/// One seed, with the table of its test.
fn alone(plan: &Plan, seed: u64, folder: &Folder, args: &TrainArgs) -> Result<()> {
    let work = || plan.go_on(seed, folder, args.stop_after, &mut Live::alone().view(seed));
    let left = on_threads(threads(args), work)??;
    write_page(folder).unwrap_or_else(say);
    match left {
        Left::Stopped => stopped(folder),
        Left::Over(run) => result(&run.outcome),
    }
}

/// Prints the table of a test.
///
/// # Errors
/// If the run has failed.
pub(super) fn result(outcome: &Outcome) -> Result<()> {
    if outcome.failed {
        return Err(Error::Run(outcome.end.clone()));
    }
    say(format!("\n{}\n{}", test::table(&outcome.stages), outcome.caveat));
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

/// Writes the page of a folder. It is made of what is there already and can be made again: that it cannot be written fails no
/// run.
///
/// # Errors
/// A warning.
pub(super) fn write_page(folder: &Folder) -> std::result::Result<(), String> {
    let path = folder.path();
    let warning = |error| format!("warning: there is no {REPORT}: {error}; gradus report {} makes it", path.display());
    report::write(path).map_err(warning)
}

/// Says how to go on. Being asked to stop by `--stop-after` is no interruption.
pub(super) fn stopped(folder: &Folder) -> Result<()> {
    say(format!("stopped, and saved; go on with: gradus train --resume {}", word(folder.path())));
    if stop::requested() { Err(Error::Interrupted) } else { Ok(()) }
}

pub(super) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    par::with_threads(threads, work)
        .map_err(|error| Error::input(format!("cannot start {threads} threads: {error}; choose fewer with --threads")))
}

/// A path that means the same in whatever folder the written configuration is read, and that can be written there.
fn absolute(path: PathBuf) -> Result<PathBuf> {
    if path.to_str().is_none() {
        let path = path.display();
        return Err(Error::input(format!(
            "{path} is not UTF-8, which {CONFIG} could not hold; give the file another name"
        )));
    }
    std::path::absolute(&path).map_err(|error| Error::file("find", &path, &error, "check the path"))
}
