//! `gradus eval`: the test of a run that was trained before.

use std::path::PathBuf;

use clap::{Args, value_parser};
use rl::env::Task;
use serde_json::json;

use crate::error::{Error, Result};
use crate::input::numbers::{self, stages};
use crate::input::seeds::GREATEST;
use crate::output::print::show;
use crate::run::{final_test, trained_agent};

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
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = numbers::episodes)]
    pub(crate) episodes: Option<usize>,
    /// The seed of the test episodes [default: the run's]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: Option<u64>,
}

/// Does what the arguments say.
///
/// # Errors
/// If they are wrong, or the folder does not hold a run whose checkpoint can be loaded.
pub(crate) fn eval(args: &EvalArgs) -> Result<()> {
    let file = trained_agent::config_of(&args.dir)?;
    let stages = stages(args.stage)?;
    let run = trained_agent::load(&args.dir, &file, None, args.episodes)?;
    let seed = args.seed.unwrap_or(run.seed);
    let episodes = args.episodes.unwrap_or(run.config.test_episodes);
    let stages = final_test::test(&run, seed, episodes, stages).map_err(|error| Error::input(error.to_string()))?;
    let task = &run.task;
    if args.json {
        let result = json!({ "task": task.name(), "caveat": task.caveat(), "seed": seed, "stages": stages });
        show(format!("{result:#}"))
    } else {
        let (table, caveat) = (final_test::table(&stages), task.caveat());
        show(format!("{episodes} test episodes a stage, seed {seed}\n\n{table}\n{caveat}"))
    }
}
