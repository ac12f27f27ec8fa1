//! The contents of a page as JSON, for programs.

use serde_json::{Value, json};

use super::{header, results};
use crate::folder::{Record, Runs};
use crate::input::task_name;

/// The runs of a folder as JSON.
pub(crate) fn json(runs: &Runs) -> Value {
    let run = |run: &Record| {
        json!({
            "seed": run.seed,
            "updates": run.updates.last().map(|line| line.update),
            "seconds": run.seconds,
            "last_validation": run.validations.last(),
            "outcome": run.outcome,
        })
    };
    let changes = runs.changes().map(|setting| (setting.name.to_owned(), json!(setting.value)));
    json!({
        "name": runs.name,
        "task": task_name::NAME,
        "caveat": header::caveat(),
        "changed_settings": changes.collect::<serde_json::Map<_, _>>(),
        "runs": runs.runs.iter().map(run).collect::<Vec<_>>(),
        "exact_match": results::exact(runs),
    })
}
