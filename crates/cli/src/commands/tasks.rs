//! `gradus tasks`: what the solver knows about the task.

use clap::Args;
use rl::env::Task;
use rl::solver::{Report, Solvable};
use rl::tasks::Calculator;
use serde_json::{Value, json};

use crate::error::Result;
use crate::input::numbers::stages;
use crate::input::task_name;
use crate::output::print::show;
use crate::output::table::{NONE, Table};

/// The task and its stage.
#[derive(Debug, Args)]
pub(crate) struct TasksArgs {
    /// The task
    #[arg(long, value_name = "NAME", value_parser = task_name::parse, default_value = task_name::NAME)]
    pub(crate) task: &'static str,
    /// Only this stage
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub(crate) stage: Option<usize>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

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
