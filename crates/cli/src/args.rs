//! The command line. The flags of the settings are in [`settings`](crate::settings).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};

use crate::seeds::{GREATEST, Seeds};
use crate::settings::Flags;
use crate::task::TaskName;

/// Train, evaluate and inspect a model-native agent: one GRU that plans, remembers and uses tools inside its own
/// network, on an engine written from scratch.
#[derive(Debug, Parser)]
#[command(name = "gradus", version)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train an agent, and test it once at the end
    Train(Box<TrainArgs>),
    /// Test a trained agent
    Eval(EvalArgs),
    /// Show the tasks: states, optimum and shortest programs, from the solver
    Tasks(TasksArgs),
    /// Follow a run from another terminal, until it is over
    Watch(WatchArgs),
}

/// What to train, and where to.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// The task [default: calculator]
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<TaskName>,
    /// The seed, from which everything random follows [default: 0]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: Option<u64>,
    /// Several seeds, as many side by side as there are threads: 0..19 (both included), 3,5,9
    #[arg(long, value_name = "SEEDS", conflicts_with = "seed")]
    pub(crate) seeds: Option<Seeds>,
    /// Threads; the results do not depend on their number [default: all]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
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
    #[arg(long, value_name = "N", value_parser = updates)]
    pub(crate) stop_after: Option<usize>,
    /// Everything else.
    #[command(flatten)]
    pub(crate) settings: Flags,
}

/// What to test, and on what.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The folder of a run
    pub(crate) dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Only this stage
    #[arg(long, value_name = "N")]
    pub(crate) stage: Option<usize>,
    /// Episodes of each stage [default: as in the run's own test]
    #[arg(long, value_name = "N", value_parser = episodes)]
    pub(crate) episodes: Option<usize>,
    /// The seed of the test episodes [default: the run's]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: Option<u64>,
}

/// Which tasks.
#[derive(Debug, Args)]
pub(crate) struct TasksArgs {
    /// Only this task
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<TaskName>,
    /// Only this stage
    #[arg(long, value_name = "N")]
    pub(crate) stage: Option<usize>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to follow, and how closely.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The folder of a run, or of the runs of several seeds; nothing is written there
    pub(crate) dir: PathBuf,
    /// Milliseconds between two looks
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = value_parser!(u64).range(10..=3_600_000))]
    pub(crate) interval: u64,
    /// Show how far it is now, and do not wait
    #[arg(long)]
    pub(crate) once: bool,
}

fn threads(text: &str) -> Result<usize, String> {
    within(text, 1024)
}

fn updates(text: &str) -> Result<usize, String> {
    within(text, 1_000_000_000)
}

fn episodes(text: &str) -> Result<usize, String> {
    within(text, 1 << 24)
}

fn within(text: &str, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("it takes whole numbers from 1 to {most}"))
}
