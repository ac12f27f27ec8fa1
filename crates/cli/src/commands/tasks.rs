//! `gradus tasks`: shows the solver's facts about the task.

use clap::Args;
use rl::env::Task;
use rl::solver::{Report, Solvable};
use rl::tasks::Calculator;
use serde_json::{Value, json};

use crate::error::Result;
use crate::input::numbers::{ALL_STAGES, parse_whole_in, select_stages};
use crate::input::task_name;
use crate::output::print::{print_data, print_result};
use crate::output::table::{NONE, Table};

/// Arguments of `gradus tasks`.
#[derive(Debug, Args)]
pub(crate) struct TasksArgs {
    /// Name of the task
    #[arg(long, value_name = "NAME", value_parser = task_name::parse, default_value = task_name::NAME)]
    pub(crate) task: &'static str,
    /// Show only this stage
    #[arg(long, value_name = "N", value_parser = parse_whole_in(ALL_STAGES))]
    pub(crate) stage: Option<usize>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `gradus tasks`.
///
/// # Errors
/// If the stage does not exist, or the output cannot be written.
pub(crate) fn tasks(args: &TasksArgs) -> Result<()> {
    let task = Calculator::default();
    let reports: Vec<Report> = select_stages(args.stage).map(|stage| task.report(stage)).collect();
    if args.json {
        let stages: Vec<_> = reports.iter().map(report_json).collect();
        let task = json!({ "task": task.name(), "caveat": task.caveat(), "stages": stages });
        return print_data(format!("{:#}", Value::from([task])));
    }
    print_result(format!("{}\n\n{}\n{}", args.task, report_table(&reports), task.caveat()))
}

fn report_table(reports: &[Report]) -> Table {
    let mut table = Table::new(["stage", "goal", "states", "dead", "optimum", "shortest programs"]);
    for report in reports {
        let counts = [report.states, report.dead_states].map(|count| count.to_string());
        let optimum = report.optimum.map_or(NONE.into(), |steps| steps.to_string());
        let programs: Vec<_> = report.programs.iter().map(|program| program.join(" ")).collect();
        let [states, dead] = counts;
        table.row([report.stage.to_string(), report.goal.clone(), states, dead, optimum, programs.join(", ")]);
    }
    table
}

fn report_json(report: &Report) -> Value {
    json!({
        "stage": report.stage,
        "goal": report.goal,
        "states": report.states,
        "dead": report.dead_states,
        "optimum": report.optimum,
        "programs": report.programs,
    })
}
