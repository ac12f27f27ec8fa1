//! The contents of a report as JSON.

use serde_json::{Value, json};

use super::{header, results};
use crate::folder::{RunRecord, RunSet};
use crate::input::task_name;

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
    json!({
        "name": runs.name,
        "task": task_name::NAME,
        "caveat": header::caveat(),
        "changed_settings": changes.collect::<serde_json::Map<_, _>>(),
        "runs": runs.runs.iter().map(run).collect::<Vec<_>>(),
        "exact_match": results::exact_match_stats(runs),
    })
}
