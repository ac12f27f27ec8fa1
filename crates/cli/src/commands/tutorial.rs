//! `gradus tutorial`: the tutorial bug for bug, for one seed or several.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use nn::files::{Disk, try_out, write_whole};
use rl::env::Task;
use tensor::catch_cuda;
use tutorial::Tutorial;
use tutorial::results::{Comparison, table_of_seeds, table_of_stages, to_json, train};
use tutorial::run::TutorialConfig;

use super::results::{on_threads, threads};
use crate::error::{Error, Result};
use crate::input::numbers;
use crate::input::seeds::{GREATEST, Seeds};
use crate::input::settings::Flags;
use crate::output::print::{pretty, say};
use crate::output::table::Table;
use crate::run::memory_check::Need;

/// The settings of the tutorial's runs, and the file for their results.
#[derive(Debug, Args)]
pub(crate) struct TutorialArgs {
    /// The seed, from which everything random follows
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value = "0", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: u64,
    /// Several seeds, as many side by side as there are threads: 0..39 (both included), 3,5,9
    #[arg(long, allow_negative_numbers = true, value_name = "SEEDS", conflicts_with = "seed")]
    pub(crate) seeds: Option<Seeds>,
    /// Threads; the results do not depend on their number [default: all]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = numbers::threads)]
    pub(crate) threads: Option<usize>,
    /// A new file for the results, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Everything else.
    #[command(flatten, next_help_heading = "Settings")]
    pub(crate) settings: Flags<TutorialConfig>,
}

/// Trains, and prints a table with its caveats.
///
/// # Errors
/// If a setting is wrong, the memory is too small, a run fails, or the results cannot be written.
pub(crate) fn tutorial(args: &TutorialArgs) -> Result<()> {
    let mut config = TutorialConfig::default();
    args.settings.apply(&mut config)?;
    let seeds = args.seeds.as_ref().map_or_else(|| vec![args.seed], |Seeds(seeds)| seeds.clone());
    let threads = threads(args.threads);
    let advice = "choose a smaller batch or width, fewer episodes to evaluate, or fewer runs at a time (--threads)";
    let each = tutorial::memory::of_training(&config);
    Need { what: "training", each, runs: threads.min(seeds.len()), threads, advice }.check()?;
    if let Some(path) = &args.out {
        if path.symlink_metadata().is_ok() {
            return Err(Error::input(format!("{} is there already; name another file", path.display())));
        }
        try_out(&Disk, path).map_err(|error| unwritable(path, error))?;
    }
    let outcomes = on_threads(threads, || catch_cuda(|| train(&config, &seeds, say)))?;
    let outcomes = outcomes.map_err(|failure| Error::input(failure.to_string()))?;
    let outcomes = outcomes.map_err(|failed| Error::Run(failed.to_string()))?;
    if let Some(path) = &args.out {
        let results = pretty(&to_json(&config, &outcomes));
        write_whole(&Disk, path, results.as_bytes()).map_err(|error| unwritable(path, error))?;
    }
    let (rows, comparison) = match &outcomes[..] {
        [outcome] => (table_of_stages(outcome), String::new()),
        _ => (table_of_seeds(&outcomes), format!("{}\n", Comparison::new(&config, &outcomes))),
    };
    let mut table = Table::default();
    rows.into_iter().for_each(|row| table.row(row));
    say(format!("\n{table}\n{comparison}{}", Tutorial.caveat()));
    Ok(())
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::file("write", path, &error, "name another file, in a folder that you may write to, on a disk with room")
}
