//! `gradus train`: one run, or runs of several seeds side by side, from the beginning or from where they stopped.

use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use rl::config::Config;
use tensor::Device;

use super::many_seeds::several;
use super::results::{on_threads, result, stopped, threads, write_page};
use crate::error::{Error, Result};
use crate::folder::{About, CONFIG, Folder, TEST, of_seed};
use crate::input::checkpoint_policy::Keeping;
use crate::input::config_file::ConfigFile;
use crate::input::device_name::DeviceName;
use crate::input::seeds::{GREATEST, Seeds};
use crate::input::settings::Flags;
use crate::input::{device_name, numbers, settings, task_name};
use crate::live::Live;
use crate::output::print::say;
use crate::output::{profile_table, timestamp};
use crate::run::memory_check::Need;
use crate::run::{Left, Plan};
use crate::{interrupt, live};

/// Where the folders of runs are, unless `--out` says otherwise.
const RUNS: &str = "runs";

/// What to train, and where to.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// The task [default: calculator]
    #[arg(long, value_name = "NAME", value_parser = task_name::parse)]
    pub(crate) task: Option<&'static str>,
    /// The seed, from which everything random follows [default: 0]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: Option<u64>,
    /// Several seeds, as many side by side as there are threads: 0..19 (both included), 3,5,9
    #[arg(long, allow_negative_numbers = true, value_name = "SEEDS", conflicts_with = "seed")]
    pub(crate) seeds: Option<Seeds>,
    /// Threads; the results do not depend on their number [default: all]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = numbers::threads)]
    pub(crate) threads: Option<usize>,
    /// Where to compute: cpu, cuda, or a GPU by its number, as in cuda:1; gradus devices lists them [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<DeviceName>,
    /// Settings from a TOML file; flags win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder to write to; it must be new or empty [default: a new one in runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Initial weights: a checkpoint, or a PyTorch state_dict as safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) init: Option<PathBuf>,
    /// Go on with the run, or the runs of several seeds, in this folder, as if they had never stopped
    #[arg(long, value_name = "DIR", conflicts_with_all = ["task", "seed", "seeds", "config", "out", "init"])]
    pub(crate) resume: Option<PathBuf>,
    /// Stop after this many more updates, as after Ctrl-C; --resume goes on
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = numbers::updates)]
    pub(crate) stop_after: Option<usize>,
    /// At the end, show where the updates' time went: kernels with flops, bytes and their share of the machine's peak,
    /// then what each phase spends outside of them; results do not change
    #[arg(long)]
    pub(crate) profile: bool,
    /// Everything else.
    #[command(flatten, next_help_heading = "Settings")]
    pub(crate) settings: Flags<Config>,
    /// The checkpoints that are kept.
    #[command(flatten, next_help_heading = "What is kept")]
    pub(crate) keeping: Flags<Keeping>,
}

/// Does what the arguments say.
///
/// # Errors
/// If they are wrong, a run fails, or Ctrl-C ends it.
pub(crate) fn train(args: &TrainArgs) -> Result<()> {
    interrupt::listen((!live::on_screen()).then_some(interrupt::WORDS))?;
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
    let device = device.map_or(Ok(Device::Host), |name| device_name::choose(name, true))?;
    if !args.profile {
        return work(device);
    }
    let profiled = tensor::profile::start(); // before there is a tape, which keeps the kernels that it was made with
    let left = work(device);
    say(format!("\n{}", profile_table::words(profiled, profile_table::Peak::measure)));
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
            several(&plan, seeds, &folder, args.threads, args.stop_after)
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
            several(&plan, &seeds, folder, args.threads, args.stop_after)
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
    let threads = threads(args.threads);
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
        None => {
            Folder::create_new(Path::new(RUNS), &format!("{}-{}-{suffix}", task_name::NAME, timestamp::now()), &about)
        }
    }?;
    say(format!("writing to {}", folder.path().display()));
    Ok(folder)
}

/// One seed, with the table of its test.
fn alone(plan: &Plan, seed: u64, folder: &Folder, args: &TrainArgs) -> Result<()> {
    let work = || plan.go_on(seed, folder, args.stop_after, &mut Live::alone().view(seed));
    let left = on_threads(threads(args.threads), work)??;
    write_page(folder).unwrap_or_else(say);
    match left {
        Left::Stopped => stopped(folder),
        Left::Over(run) => result(&run.outcome),
    }
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
