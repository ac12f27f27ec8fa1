//! `gradus eval`: the test of a run that was trained before.

use std::ops::Range;

use rl::env::Task;
use rl::tasks::STAGES;
use serde_json::json;

use crate::args::EvalArgs;
use crate::error::{Error, Result};
use crate::{show, task, test, trained};

/// Does what the arguments say.
///
/// # Errors
/// If they are wrong, or the folder does not hold a run whose checkpoint can be loaded.
pub(crate) fn eval(args: &EvalArgs) -> Result<()> {
    let file = trained::config_of(&args.dir)?;
    let stages = stages(args.stage)?;
    let run = trained::load(&args.dir, &file, None, args.episodes)?;
    let seed = args.seed.unwrap_or(run.seed);
    let episodes = args.episodes.unwrap_or(run.config.test_episodes);
    let stages = test::test(&run, seed, episodes, stages).map_err(|error| Error::input(error.to_string()))?;
    let task = &run.task;
    if args.json {
        let result = json!({ "task": task.name(), "caveat": task.caveat(), "seed": seed, "stages": stages });
        show(format!("{result:#}"))
    } else {
        let (table, caveat) = (test::table(&stages), task.caveat());
        show(format!("{episodes} test episodes a stage, seed {seed}\n\n{table}\n{caveat}"))
    }
}

/// The stage that was asked for, or all.
///
/// # Errors
/// If there is no such stage.
pub(crate) fn stages(stage: Option<usize>) -> Result<Range<usize>> {
    match stage {
        None => Ok(0..STAGES),
        Some(stage) if stage < STAGES => Ok(stage..stage + 1),
        Some(stage) => {
            let (task, last) = (task::NAME, STAGES - 1);
            Err(Error::input(format!("there is no stage {stage}: {task} has stages 0 to {last}; did you mean {last}?")))
        }
    }
}
