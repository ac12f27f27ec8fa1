//! `gradus eval`: tests a trained agent again.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::{Error, Result};
use crate::input::numbers::{EPISODES, SEEDS, STAGES, parse_whole_in, select_stages};
use crate::input::tasks::Tasks;
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
    #[arg(long, value_name = "N", value_parser = parse_whole_in(STAGES))]
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
pub(crate) fn eval(args: &EvalArgs, tasks: &Tasks) -> Result<()> {
    let file = trained_agent::read_config(&args.dir)?;
    let run = trained_agent::load(&args.dir, &file, tasks, None, args.episodes)?;
    let spec = run.task.spec();
    let stages = select_stages(args.stage, spec.stages)?;
    let seed = args.seed.unwrap_or(run.seed);
    let stages = final_test::run_final_test(&run, seed, args.episodes, stages)
        .map_err(|error| Error::input(error.to_string()))?;
    if args.json {
        let result = json!({ "task": spec.name, "caveat": spec.caveat, "seed": seed, "stages": stages });
        print_data(format!("{result:#}"))
    } else {
        let text = final_test::to_text(&stages, &spec.caveat);
        let episodes = stages.first().map_or(0, |test| test.episodes);
        let tested = match stages.iter().any(|test| test.episodes != episodes) {
            true => "every context of each stage".to_owned(),
            false => format!("{episodes} test episodes per stage"),
        };
        print_result(format!("{tested}, seed {seed}\n\n{text}"))
    }
}
