//! `gradus tasks`: what the solver knows about the tasks.

use rl::solver::Report;
use serde_json::{Map, Value, json};

use crate::args::TasksArgs;
use crate::commands::eval::stages;
use crate::error::Result;
use crate::show;
use crate::table::{NONE, Table};
use crate::task::TaskName;

/// Does what the arguments say.
///
/// # Errors
/// If there is no such stage.
pub(crate) fn tasks(args: &TasksArgs) -> Result<()> {
    let names = args.task.map_or(TaskName::ALL.to_vec(), |task| vec![task]);
    let mut all = Vec::new();
    for name in names {
        let task = name.task();
        let reports: Vec<Report> = stages(name, args.stage)?.map(|stage| task.report(stage)).collect();
        if args.json {
            let stages: Vec<_> = reports.iter().map(json).collect();
            all.push(json!({ "task": task.name(), "caveat": task.caveat(), "stages": stages }));
        } else {
            let figures = figures(&reports).map(|table| format!("{table}\n")).unwrap_or_default();
            show(format!("{}\n\n{}\n{figures}{}\n", task.name(), table(&reports), task.caveat()))?;
        }
    }
    if args.json {
        show(format!("{:#}", Value::from(all)))?;
    }
    Ok(())
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

/// What is known beside states and programs, if anything is.
fn figures(reports: &[Report]) -> Option<Table> {
    let first = reports.first().filter(|report| !report.figures.is_empty())?;
    let stages = reports.iter().map(|report| format!("stage {}", report.stage));
    let mut table = Table::new(["figure".into()].into_iter().chain(stages));
    for (row, (name, _)) in first.figures.iter().enumerate() {
        let values = reports.iter().map(|report| format!("{:.6}", report.figures[row].1));
        table.row([(*name).to_owned()].into_iter().chain(values));
    }
    Some(table)
}

fn json(report: &Report) -> Value {
    let figures: Map<_, _> = report.figures.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
    json!({
        "stage": report.stage,
        "goal": report.goal,
        "states": report.states,
        "dead": report.dead,
        "optimum": report.optimum,
        "programs": report.programs,
        "figures": figures,
    })
}
