//! `gradus tasks`: what the solver knows about the task.

use rl::env::Task;
use rl::solver::{Report, Solvable};
use rl::tasks::Calculator;
use serde_json::{Value, json};

use crate::args::TasksArgs;
use crate::commands::eval::stages;
use crate::error::Result;
use crate::show;
use crate::table::{NONE, Table};

/// Does what the arguments say.
///
/// # Errors
/// If there is no such stage.
pub(crate) fn tasks(args: &TasksArgs) -> Result<()> {
    let task = Calculator::default();
    let reports: Vec<Report> = stages(args.stage)?.map(|stage| task.report(stage)).collect();
    if args.json {
        let stages: Vec<_> = reports.iter().map(json).collect();
        let task = json!({ "task": task.name(), "caveat": task.caveat(), "stages": stages });
        return show(format!("{:#}", Value::from([task])));
    }
    show(format!("{}\n\n{}\n{}", args.task, table(&reports), task.caveat()))
}

fn table(reports: &[Report]) -> Table {
    let mut table = Table::new(["stage", "goal", "states", "dead", "optimum", "shortest programs"]);
    for report in reports {
        let counts = [report.states, report.dead].map(|count| count.to_string());
        let optimum = report.optimum.map_or(NONE.into(), |steps| steps.to_string());
        let programs: Vec<_> = report.programs.iter().map(|program| program.join(" ")).collect();
        let [states, dead] = counts;
        table.row([report.stage.to_string(), report.goal.clone(), states, dead, optimum, programs.join(", ")]);
    }
    table
}

fn json(report: &Report) -> Value {
    json!({
        "stage": report.stage,
        "goal": report.goal,
        "states": report.states,
        "dead": report.dead,
        "optimum": report.optimum,
        "programs": report.programs,
    })
}
