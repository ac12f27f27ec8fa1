//! `gradus tutorial`: trains the agent of the original tutorial with all its bugs, for one seed or several.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use nn::files::{Disk, probe_write, write_atomic};
use rl::a2c::Metrics;
use tensor::catch_cuda_error;
use tutorial::results::{Comparison, seed_table, stage_table, to_json, train};
use tutorial::run::{Report, TutorialConfig};

use super::results::{run_on_threads, thread_count};
use crate::error::{Error, Result, show_path};
use crate::input::numbers::{SEEDS, THREADS, parse_whole_in};
use crate::input::seeds::Seeds;
use crate::input::settings::Flags;
use crate::live::plain::{fit_fields, format_seed_prefix};
use crate::output::print::{pretty_json, print_line};
use crate::output::table::Table;
use crate::run::memory_check::MemoryNeed;

/// Arguments of `gradus tutorial`.
#[derive(Debug, Args)]
pub(crate) struct TutorialArgs {
    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value = "0", value_parser = parse_whole_in(SEEDS))]
    pub(crate) seed: u64,
    /// Several seeds, in parallel up to the number of threads: 0..39 (both ends included), or 3,5,9
    #[arg(long, value_name = "SEEDS", allow_hyphen_values = true, conflicts_with = "seed")]
    pub(crate) seeds: Option<Seeds>,
    /// Number of threads; the results do not depend on it [default: all]
    #[arg(long, value_name = "N", value_parser = parse_whole_in(THREADS))]
    pub(crate) threads: Option<usize>,
    /// New file for the results, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// All other settings.
    #[command(flatten)]
    pub(crate) settings: Flags<TutorialConfig>,
}

/// Trains, then prints a table and the caveat about its numbers.
///
/// # Errors
/// If a setting is invalid, memory is too small, a run fails, or the results cannot be written.
pub(crate) fn tutorial(args: &TutorialArgs) -> Result<()> {
    let mut config = TutorialConfig::default();
    args.settings.apply(&mut config)?;
    let seeds = args.seeds.as_ref().map_or_else(|| vec![args.seed], |Seeds(seeds)| seeds.clone());
    let threads = thread_count(args.threads);
    let advice =
        "choose a smaller batch or width, fewer evaluation episodes, or fewer parallel runs (--threads)".to_owned();
    let bytes_per_run = tutorial::memory::training_bytes(&config);
    MemoryNeed { activity: "training", bytes_per_run, runs: threads.min(seeds.len()), threads, advice }.check()?;
    if let Some(path) = &args.out {
        if path.symlink_metadata().is_ok() {
            return Err(Error::input(format!("{} already exists; name another file", show_path(path))));
        }
        probe_write(&Disk, path).map_err(|error| write_error(path, error))?;
    }
    let show = |seed, report| {
        format_progress(&format_seed_prefix(seed, seeds.len() > 1), report, config.updates())
            .into_iter()
            .for_each(print_line);
    };
    let outcomes = run_on_threads(threads, || catch_cuda_error(|| train(&config, &seeds, show)))?;
    let outcomes = outcomes.map_err(|failure| Error::input(failure.to_string()))?;
    let outcomes = outcomes.map_err(|failed| Error::Run(failed.to_string()))?;
    if let Some(path) = &args.out {
        let results = pretty_json(&to_json(&config, &outcomes));
        write_atomic(&Disk, path, results.as_bytes()).map_err(|error| write_error(path, error))?;
    }
    let (rows, comparison) = match &outcomes[..] {
        [outcome] => (stage_table(outcome), String::new()),
        _ => (seed_table(&outcomes), format!("{}\n", Comparison::new(&config, &outcomes))),
    };
    let mut table = Table::default();
    rows.into_iter().for_each(|row| table.row(row));
    print_line(format!("\n{table}\n{comparison}{}", tutorial::spec().caveat));
    Ok(())
}

/// Formats the progress of a run of `updates` updates after an evaluation.
fn format_progress(prefix: &str, report: Report, updates: usize) -> Option<String> {
    let Report { update, stage, metrics: Metrics { loss, reward, .. }, validation } = report;
    let accuracy: Vec<_> = validation?.iter().map(|stats| format!("{:.3}", stats.reward)).collect();
    Some(fit_fields(prefix, |keep| {
        [
            keep(4, "update ") + &format!("{update:>4}/{updates}"),
            keep(3, &format!("stage {stage}")),
            keep(1, &format!("loss {loss:.6}")),
            keep(2, &format!("reward {reward:.3}")),
            keep(5, "'accuracy' ") + &accuracy.join(" "),
        ]
    }))
}

fn write_error(path: &Path, error: io::Error) -> Error {
    Error::file(
        "write",
        path,
        &error,
        "name another file, in a folder with write permission, on a disk with free space",
    )
}
