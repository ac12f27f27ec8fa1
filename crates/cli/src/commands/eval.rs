//! `gradus eval`: tests a trained agent again.

use std::path::PathBuf;

use clap::Args;
use rl::env::Task;
use serde_json::json;

use crate::error::{Error, Result};
use crate::input::numbers::{ALL_STAGES, EPISODES, SEEDS, parse_whole_in, select_stages};
use crate::output::print::{print_data, print_result};
use crate::run::{final_test, trained_agent};

/// Arguments of `gradus eval`.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// Folder of the run
    pub(crate) dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Test only this stage
    #[arg(long, value_name = "N", value_parser = parse_whole_in(ALL_STAGES))]
    pub(crate) stage: Option<usize>,
    /// Number of episodes per stage [default: as in the run's own test]
    #[arg(long, value_name = "N", value_parser = parse_whole_in(EPISODES))]
    pub(crate) episodes: Option<usize>,
    /// Seed of the test episodes [default: the run's seed]
    #[arg(long, value_name = "N", value_parser = parse_whole_in(SEEDS))]
    pub(crate) seed: Option<u64>,
}

/// Runs `gradus eval`.
///
/// # Errors
/// If an argument is invalid, or the folder holds no run with a checkpoint that loads.
pub(crate) fn eval(args: &EvalArgs) -> Result<()> {
    let file = trained_agent::read_config(&args.dir)?;
    let stages = select_stages(args.stage);
    let run = trained_agent::load(&args.dir, &file, None, args.episodes)?;
    let seed = args.seed.unwrap_or(run.seed);
    let episodes = args.episodes.unwrap_or(run.config.test_episodes);
    let stages =
        final_test::run_final_test(&run, seed, episodes, stages).map_err(|error| Error::input(error.to_string()))?;
    let task = &run.task;
    if args.json {
        let result = json!({ "task": task.name(), "caveat": task.caveat(), "seed": seed, "stages": stages });
        print_data(format!("{result:#}"))
    } else {
        let (table, caveat) = (final_test::to_table(&stages), task.caveat());
        print_result(format!("{episodes} test episodes per stage, seed {seed}\n\n{table}\n{caveat}"))
    }
}
