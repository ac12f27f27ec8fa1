//! `gradus train`: starts or resumes one run, or runs of several seeds in parallel.

use std::path::{Path, PathBuf};

use clap::Args;
use rl::config::Config;
use tensor::Device;

use super::many_seeds::train_seeds;
use super::results::{print_test_table, report_stopped, run_on_threads, thread_count, write_page};
use crate::error::{Error, Result, show_path};
use crate::folder::{ABOUT, About, CONFIG, Folder, seed_folder};
use crate::input::checkpoint_policy::CheckpointPolicy;
use crate::input::config_file::ConfigFile;
use crate::input::device_name::DeviceName;
use crate::input::numbers::{SEEDS, THREADS, UPDATES, parse_whole_in};
use crate::input::seeds::Seeds;
use crate::input::settings::Flags;
use crate::input::tasks::{TaskChoice, Tasks};
use crate::input::{device_name, settings};
use crate::live::Live;
use crate::output::print::print_line;
use crate::output::{profile_table, timestamp};
use crate::run::memory_check::{MemoryNeed, add_horizon};
use crate::run::{RunStatus, TrainingPlan, settings_change};
use crate::{interrupt, live};

/// Folder that holds the run folders, unless `--out` names one.
const RUNS_FOLDER: &str = "runs";

/// Arguments of `gradus train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Name of the task; gradus tasks lists them [default: expression, or the first task of the program]
    #[arg(long, value_name = "NAME", help_heading = "Task")]
    pub(crate) task: Option<String>,
    /// Seed of all random numbers [default: 0]
    #[arg(long, value_name = "N", value_parser = parse_whole_in(SEEDS), help_heading = "Run")]
    pub(crate) seed: Option<u64>,
    /// Several seeds, in parallel up to the number of threads: 0..19 (both ends included), or 3,5,9
    #[arg(long, value_name = "SEEDS", allow_hyphen_values = true, conflicts_with = "seed", help_heading = "Run")]
    pub(crate) seeds: Option<Seeds>,
    /// Number of threads; the results do not depend on it [default: all]
    #[arg(long, value_name = "N", value_parser = parse_whole_in(THREADS), help_heading = "Run")]
    pub(crate) threads: Option<usize>,
    /// Device that computes: cpu, cuda, or a GPU by number, for example cuda:1; gradus devices lists them [default: cpu]
    #[arg(long, value_name = "DEVICE", help_heading = "Run")]
    pub(crate) device: Option<DeviceName>,
    /// TOML file with settings; flags override it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for the run's files; it must be new or empty [default: a new folder in runs/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    /// Initial weights: a checkpoint, or a PyTorch state_dict saved as safetensors
    #[arg(long, value_name = "FILE", help_heading = "Model")]
    pub(crate) init: Option<PathBuf>,
    /// The folder of a run, or of the runs of several seeds, that goes on.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["task", "config", "out"], help = resume_help(), help_heading = "Run")]
    pub(crate) resume: Option<PathBuf>,
    /// Stop after this many more updates, as Ctrl-C does; --resume continues the run
    #[arg(long, value_name = "N", value_parser = parse_whole_in(UPDATES), help_heading = "Run")]
    pub(crate) stop_after: Option<usize>,
    /// At the end, print where the updates spent their time: each kernel with flops, bytes and its share of the machine's
    /// peak, then each phase's time outside kernels; results do not change
    #[arg(long, help_heading = "Output")]
    pub(crate) profile: bool,
    /// All other settings.
    #[command(flatten)]
    pub(crate) settings: Flags<Config>,
    /// The checkpoint policy.
    #[command(flatten)]
    pub(crate) checkpoint_policy: Flags<CheckpointPolicy>,
}

/// Runs `gradus train`.
///
/// # Errors
/// If an argument is invalid, a run fails, or Ctrl-C ends it.
pub(crate) fn train(args: &TrainArgs, tasks: &Tasks) -> Result<()> {
    interrupt::listen((!live::is_on_terminal()).then_some(interrupt::STOPPING_MESSAGE))?;
    if let Some(path) = &args.resume {
        let (folder, about) = Folder::open(path)?;
        let file = ConfigFile::read_regular(&path.join(CONFIG))?;
        let task = file.task(tasks)?;
        return run_on_device(args, task, args.device, |device| {
            train_resumed(args, task, device, &file, &folder, about)
        });
    }
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?;
    let file = file.as_ref();
    let task = match file {
        Some(file) => file.task_with_flag(args.task.as_deref(), tasks)?,
        None => tasks.choose(args.task.as_deref())?,
    };
    let device = args.device.or(file.map(ConfigFile::device).transpose()?.flatten());
    run_on_device(args, task, device, |device| train_new(args, task, device, file))
}

/// Calls `work` with the device, and prints a profile of it with `--profile`.
fn run_on_device(
    args: &TrainArgs,
    task: TaskChoice,
    device: Option<DeviceName>,
    work: impl FnOnce(Device) -> Result<()>,
) -> Result<()> {
    let select = |name| task.check_device(name).and_then(|()| device_name::select_device(name, true));
    let device = device.map_or(Ok(Device::Host), select)?;
    if !args.profile {
        return work(device);
    }
    let profiled = tensor::profile::start(); // before any tape exists, since a tape keeps the kernels it was created with
    let result = work(device);
    print_line(format!("\n{}", profile_table::render(profiled, profile_table::Peak::measure)));
    result
}

/// Starts a new run, or new runs of several seeds, in a new folder.
fn train_new(args: &TrainArgs, task: TaskChoice, device: Device, file: Option<&ConfigFile>) -> Result<()> {
    let (mut config, mut checkpoint_policy) = settings::read(file, task)?;
    args.settings.check_task(task)?;
    args.settings.apply(&mut config)?;
    args.checkpoint_policy.apply(&mut checkpoint_policy)?;
    let init = args.init.clone().or_else(|| file?.init()).map(to_absolute).transpose()?;
    let seed = args.seed.or(file.map(ConfigFile::seed).transpose()?.flatten()).unwrap_or(0);
    let plan = TrainingPlan { task, config, checkpoint_policy, init, device };
    plan.check()?;
    check_memory(&plan, args, args.seeds.as_ref().map_or(1, |Seeds(seeds)| seeds.len()))?;
    plan.create_run(seed)?; // reports unsuitable settings, devices and initial weights before the folder is created
    if plan.config.a2c == 0.0 && plan.config.hindsight > 0 {
        let also = if plan.config.prior > 0.0 { ", and the prior where it acts" } else { "" };
        print_line(format!("hindsight alone: iterated supervised learning on relabelled episodes{also}; A2C is off"));
    }
    match &args.seeds {
        None => {
            let folder = create_run_folder(args, task, &format!("seed{seed}"), None)?;
            train_one_seed(&plan, seed, &folder, thread_count(args.threads), args.stop_after)
        }
        Some(Seeds(seeds)) => {
            let folder = create_run_folder(args, task, "seeds", Some(seeds))?;
            folder.write(CONFIG, plan.to_toml(None))?;
            train_seeds(&plan, seeds, seeds.len(), &folder, args.threads, args.stop_after)
        }
    }
}

/// Returns the help of `--resume`, which lists the settings that may change.
fn resume_help() -> String {
    format!(
        "Resume the run, or the runs of several seeds, in this folder; the results are the same as without a stop. These \
         settings may change: {}; a run that has finished goes on with a higher --max-updates, or --patience if it is solved",
        settings_change::changeable_flags()
    )
}

/// Resumes the run, or the runs of several seeds, in a folder.
fn train_resumed(
    args: &TrainArgs,
    task: TaskChoice,
    device: Device,
    file: &ConfigFile,
    folder: &Folder,
    about: About,
) -> Result<()> {
    file.require_complete(task)?;
    check_identity(args, file, folder, &about)?;
    let mut plan = TrainingPlan::from_file(file, task, device)?;
    args.settings.check_task(task)?;
    args.settings.apply(&mut plan.config)?;
    args.checkpoint_policy.apply(&mut plan.checkpoint_policy)?;
    plan.check()?;
    let Some(seeds) = about.seeds else {
        let seed = file.seed()?.unwrap_or(0);
        let unfinished = plan.check_settings(seed, folder.path())?.is_unfinished();
        check_memory(&plan, args, usize::from(unfinished))?;
        let threads = if unfinished { thread_count(args.threads) } else { 0 };
        return train_one_seed(&plan, seed, folder, threads, args.stop_after);
    };
    let (recorded, changed) = plan.changed_settings(&folder.path().join(CONFIG))?;
    let mut unfinished = 0;
    for &seed in &seeds {
        unfinished += usize::from(plan.check_settings(seed, &seed_folder(folder.path(), seed))?.is_unfinished());
    }
    check_memory(&plan, args, unfinished)?;
    if unfinished > 0 {
        folder.record_kernel_change()?; // each run prints the change itself
    }
    folder.record_settings_change(&|name| recorded.get_setting(name), &changed, None)?;
    if !changed.is_empty() {
        folder.write(CONFIG, plan.to_toml(None))?; // each run brings its own folder to these settings
    }
    train_seeds(&plan, &seeds, unfinished, folder, args.threads, args.stop_after)
}

/// Returns an error if a flag would give a resumed run another seed or other initial weights.
fn check_identity(args: &TrainArgs, file: &ConfigFile, folder: &Folder, about: &About) -> Result<()> {
    let join = |seeds: &Vec<u64>| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let shown = |path: PathBuf| path.display().to_string();
    let init = args.init.clone().map(to_absolute).transpose()?;
    let flags = [
        ("seed", args.seed.map(|seed| seed.to_string()), file.seed()?.map(|seed| seed.to_string()), CONFIG),
        ("seeds", args.seeds.as_ref().map(|Seeds(seeds)| join(seeds)), about.seeds.as_ref().map(join), ABOUT),
        ("init", init.map(shown), file.init().map(shown), CONFIG),
    ];
    for (name, given, recorded, place) in flags {
        if given.is_some() && given != recorded {
            let (given, recorded) = (given.unwrap_or_default(), recorded.unwrap_or_else(|| "none".into()));
            return Err(settings_change::fixed_setting_error(name, &recorded, &given, &folder.path().join(place)));
        }
    }
    Ok(())
}

/// Returns an error if this many runs, in parallel up to the number of threads, need more memory than is available.
fn check_memory(plan: &TrainingPlan, args: &TrainArgs, runs: usize) -> Result<()> {
    if runs == 0 || !plan.device.is_host() {
        return Ok(());
    }
    let threads = thread_count(args.threads);
    let runs = runs.min(threads);
    let advice =
        "choose a smaller batch or width, larger chunks, fewer evaluation episodes, or fewer parallel runs (--threads)";
    let need = MemoryNeed {
        activity: "training",
        bytes_per_run: rl::memory::training_bytes(&*plan.task.create(&plan.config), &plan.config, threads / runs),
        runs,
        threads,
        advice: add_horizon(advice, &plan.task.spec(&plan.config)),
    };
    need.check()
}

/// Creates the folder that `--out` names, or a new folder in `runs/`.
fn create_run_folder(args: &TrainArgs, task: TaskChoice, suffix: &str, seeds: Option<&[u64]>) -> Result<Folder> {
    let about = About::now(seeds);
    let folder = match &args.out {
        Some(path) => Folder::create(path, &about),
        None => Folder::create_new(
            Path::new(RUNS_FOLDER),
            &format!("{}-{}-{suffix}", task.name(), timestamp::now()),
            &about,
        ),
    }?;
    print_line(format!("writing to {}", show_path(folder.path())));
    Ok(folder)
}

/// Trains one seed on `threads` threads, 0 if it has finished, and prints the table of its test.
fn train_one_seed(
    plan: &TrainingPlan,
    seed: u64,
    folder: &Folder,
    threads: usize,
    stop_after: Option<usize>,
) -> Result<()> {
    let work = || plan.train(seed, folder, stop_after, &mut Live::single_run().view(seed));
    let status = run_on_threads(threads, work)??;
    write_page(folder, plan.task).unwrap_or_else(print_line);
    match status {
        RunStatus::Stopped => report_stopped(folder),
        RunStatus::Finished(run) => print_test_table(&run.outcome),
    }
}

/// Makes a path absolute, so that `config.toml` names the same file wherever it is read. The path must be UTF-8 to be
/// written there.
fn to_absolute(path: PathBuf) -> Result<PathBuf> {
    if path.to_str().is_none() {
        let path = show_path(&path);
        return Err(Error::input(format!(
            "the path {path} is not UTF-8, so it cannot be written to {CONFIG}; give the file another name"
        )));
    }
    std::path::absolute(&path).map_err(|error| Error::file("find", &path, &error, "name an existing file"))
}
