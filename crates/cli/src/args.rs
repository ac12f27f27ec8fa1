//! The command line. The flags of the settings are in [`settings`](crate::settings).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};
use clap_complete::Shell;
use rl::config::Config;
use tutorial::run::TutorialConfig;

use crate::device::DeviceName;
use crate::examples;
use crate::keeping::Keeping;
use crate::seeds::{GREATEST, Seeds};
use crate::settings::Flags;
use crate::task;

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
    #[command(after_help = examples::TRAIN)]
    Train(Box<TrainArgs>),
    /// Follow a run from another terminal, until it is over
    #[command(after_help = examples::WATCH)]
    Watch(WatchArgs),
    /// Test a trained agent
    #[command(after_help = examples::EVAL)]
    Eval(EvalArgs),
    /// Show one episode step by step, and all that goes into each
    #[command(after_help = examples::EXPLAIN)]
    Explain(ExplainArgs),
    /// Look at runs: a page of one folder, or a comparison of several
    #[command(after_help = examples::REPORT)]
    Report(ReportArgs),
    /// Prove the gradients: every operation and layer, by five methods
    #[command(after_help = examples::GRADCHECK)]
    Gradcheck(GradcheckArgs),
    /// Print all settings as a file to begin with, or check such a file
    #[command(after_help = examples::CONFIG)]
    Config(ConfigArgs),
    /// Show the task: states, optimum and shortest programs, from the solver
    #[command(after_help = examples::TASKS)]
    Tasks(TasksArgs),
    /// Train the agent of the tutorial that gradus began with, bug for bug, and show what its figures hide
    #[command(after_help = examples::TUTORIAL)]
    Tutorial(TutorialArgs),
    /// List what there is to compute on, and what is missing
    #[command(after_help = examples::DEVICES)]
    Devices(DevicesArgs),
    /// Print what a shell needs to complete commands and flags
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
}

/// What to train, and where to.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// The task [default: calculator]
    #[arg(long, value_name = "NAME", value_parser = task::parse)]
    pub(crate) task: Option<&'static str>,
    /// The seed, from which everything random follows [default: 0]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: Option<u64>,
    /// Several seeds, as many side by side as there are threads: 0..19 (both included), 3,5,9
    #[arg(long, allow_negative_numbers = true, value_name = "SEEDS", conflicts_with = "seed")]
    pub(crate) seeds: Option<Seeds>,
    /// Threads; the results do not depend on their number [default: all]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// Where to compute: cpu, cuda, or a card by its number, as in cuda:1; gradus devices lists them [default: cpu]
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
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = updates)]
    pub(crate) stop_after: Option<usize>,
    /// At the end, show where the updates' time went: kernels with flops, bytes and their share of the machine's peak,
    /// then what each phase spends outside of them; results do not change
    #[arg(long)]
    pub(crate) profile: bool,
    /// Everything else.
    #[command(flatten, next_help_heading = "Settings")]
    pub(crate) settings: Flags<Config>,
    /// What it keeps.
    #[command(flatten, next_help_heading = "What is kept")]
    pub(crate) keeping: Flags<Keeping>,
}

/// How to train the tutorial, and where its results go.
#[derive(Debug, Args)]
pub(crate) struct TutorialArgs {
    /// The seed, from which everything random follows
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value = "0", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: u64,
    /// Several seeds, as many side by side as there are threads: 0..39 (both included), 3,5,9
    #[arg(long, allow_negative_numbers = true, value_name = "SEEDS", conflicts_with = "seed")]
    pub(crate) seeds: Option<Seeds>,
    /// Threads; the results do not depend on their number [default: all]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// A new file for the results, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Everything else.
    #[command(flatten, next_help_heading = "Settings")]
    pub(crate) settings: Flags<TutorialConfig>,
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
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub(crate) stage: Option<usize>,
    /// Episodes of each stage [default: as in the run's own test]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = episodes)]
    pub(crate) episodes: Option<usize>,
    /// The seed of the test episodes [default: the run's]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: Option<u64>,
}

/// Which episode, of which run, and for whom.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The folder of a run
    pub(crate) dir: PathBuf,
    /// The stage [default: the one whose context is as long as --context, or the last]
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub(crate) stage: Option<usize>,
    /// The operands, digits between commas, as in "4,2,7" [default: those of a test episode]
    #[arg(long, value_name = "DIGITS", allow_hyphen_values = true)]
    pub(crate) context: Option<String>,
    /// Which test episode, from 0
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value = "0", value_parser = value_parser!(u32).range(..1 << 24), conflicts_with = "context")]
    pub(crate) episode: u32,
    /// The seed of the test episodes, and of what is sampled [default: the run's]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: Option<u64>,
    /// Draw each action from the policy instead of taking the most probable one
    #[arg(long)]
    pub(crate) sampled: bool,
    /// The checkpoint, to look at an earlier agent of the same run [default: model.safetensors in DIR]
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Write a page that needs no network, and print where it is; it replaces an earlier page of gradus, and nothing
    /// else [default FILE: explain.html in DIR]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "json")]
    #[expect(clippy::option_option, reason = "the flag may be missing, alone, or with a file")]
    pub(crate) html: Option<Option<PathBuf>>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The folder of a run or of several seeds, which may still go on; several folders are compared
    #[arg(required = true, value_name = "DIR")]
    pub(crate) dirs: Vec<PathBuf>,
    /// Where to write the page; it replaces an earlier page of gradus, and nothing else [default: report.html in DIR;
    /// of several folders compare.html]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to prove, and for whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct GradcheckArgs {
    /// Only this operation or layer, case by case; may be given several times, or with commas between names
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) op: Vec<String>,
    /// Show the museum instead: wrong gradients that were published or shipped, and what the checker says of each
    #[arg(long, conflicts_with = "op")]
    pub(crate) museum: bool,
    /// Whose gradients, values and differences: cpu, cuda, or a card by its number, as in cuda:1; duals, and so second
    /// derivatives, are the processor's [default: cpu]
    #[arg(long, value_name = "DEVICE", conflicts_with = "museum")]
    pub(crate) device: Option<DeviceName>,
    /// Write a page that needs no network, and print where it is; it replaces an earlier page of gradus, and nothing
    /// else [default FILE: gradcheck.html, or museum.html]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "json")]
    #[expect(clippy::option_option, reason = "the flag may be missing, alone, or with a file")]
    pub(crate) html: Option<Option<PathBuf>>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which settings, or which file.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The task whose settings are printed
    #[arg(long, value_name = "NAME", conflicts_with = "check", value_parser = task::parse, default_value = task::NAME)]
    pub(crate) task: &'static str,
    /// Check this file, and say what in it is not at its default
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Option<PathBuf>,
}

/// What to list devices for.
#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// Which task.
#[derive(Debug, Args)]
pub(crate) struct TasksArgs {
    /// The task
    #[arg(long, value_name = "NAME", value_parser = task::parse, default_value = task::NAME)]
    pub(crate) task: &'static str,
    /// Only this stage
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
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
