//! The contents of a report as JSON.

use serde_json::{Value, json};

use super::results;
use crate::folder::{RunRecord, RunSet};

/// Converts the runs of a folder to JSON.
pub(crate) fn json(runs: &RunSet) -> Value {
    let run = |run: &RunRecord| {
        json!({
            "seed": run.seed,
            "updates": run.updates.last().map(|line| line.update),
            "seconds": run.seconds,
            "last_validation": run.validations.last(),
            "outcome": run.outcome,
        })
    };
    let changes = runs.changed_settings().map(|setting| (setting.name.to_owned(), json!(setting.value)));
    let mut json = json!({
        "name": runs.name,
        "task": runs.task.name,
        "caveat": runs.task.caveat,
        "changed_settings": changes.collect::<serde_json::Map<_, _>>(),
        "runs": runs.runs.iter().map(run).collect::<Vec<_>>(),
    });
    json[runs.task.score.name().replace(' ', "_")] = json!(results::score_stats(runs));
    json
}
