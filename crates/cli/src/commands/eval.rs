//! `gradus eval`: the test of a run that was trained before.

use std::ops::Range;

use gpu_train::Run;
use rl::tasks::STAGES;
use rl::tutorial::TutorialRun;
use serde_json::json;

use crate::args::EvalArgs;
use crate::error::{Error, Result};
use crate::file::ConfigFile;
use crate::task::TaskName;
use crate::trained::{self, Trained};
use crate::training::Training;
use crate::{show, test};

/// Does what the arguments say.
///
/// # Errors
/// If they are wrong, or the folder does not hold a run whose checkpoint can be loaded.
pub(crate) fn eval(args: &EvalArgs) -> Result<()> {
    let file = trained::config_of(&args.dir)?;
    match file.task()?.unwrap_or(TaskName::ALL[0]) {
        TaskName::Calculator => eval_task::<Run<f32>>(args, &file),
        TaskName::Tutorial => eval_task::<TutorialRun<f32>>(args, &file),
    }
}

fn eval_task<R: Training>(args: &EvalArgs, file: &ConfigFile) -> Result<()> {
    let stages = stages(R::TASK, args.stage)?;
    let Trained { run, config } = trained::load::<R>(&args.dir, file, None, args.episodes)?;
    let seed = args.seed.unwrap_or(run.parts().seed);
    let episodes = args.episodes.unwrap_or_else(|| R::test_episodes(&config));
    let stages = test::test(&run, seed, episodes, stages).map_err(|error| Error::input(error.to_string()))?;
    let task = run.parts().task;
    if args.json {
        let result = json!({ "task": task.name(), "caveat": task.caveat(), "seed": seed, "stages": stages });
        show(format!("{result:#}"))
    } else {
        let (table, caveat) = (test::table::<R>(&stages), task.caveat());
        show(format!("{episodes} test episodes a stage, seed {seed}\n\n{table}\n{caveat}"))
    }
}

/// The stage that was asked for, or all.
///
/// # Errors
/// If there is no such stage.
pub(crate) fn stages(task: TaskName, stage: Option<usize>) -> Result<Range<usize>> {
    match stage {
        None => Ok(0..STAGES),
        Some(stage) if stage < STAGES => Ok(stage..stage + 1),
        Some(stage) => {
            let (task, last) = (task.name(), STAGES - 1);
            Err(Error::input(format!("there is no stage {stage}: {task} has stages 0 to {last}; did you mean {last}?")))
        }
    }
}
