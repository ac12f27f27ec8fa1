//! `gradus tasks`: lists the tasks, or describes one with the facts that a solver knows.

use clap::Args;
use rl::config::Config;
use rl::env::{ActionSpace, Space, Spec, Task, TestSet};
use rl::solver::Report;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Result;
use crate::input::numbers::{STAGES, parse_whole_in, select_stages};
use crate::input::tasks::Tasks;
use crate::output::print::{print_data, print_result};
use crate::output::table::{NONE, Table};

/// Arguments of `gradus tasks`.
#[derive(Debug, Args)]
pub(crate) struct TasksArgs {
    /// Describe this task in full
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<String>,
    /// Show only this stage
    #[arg(long, value_name = "N", requires = "task", value_parser = parse_whole_in(STAGES))]
    pub(crate) stage: Option<usize>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `gradus tasks`.
///
/// # Errors
/// If the task or the stage does not exist, or the output cannot be written.
pub(crate) fn tasks(args: &TasksArgs, tasks: &Tasks) -> Result<()> {
    let chosen = match &args.task {
        Some(name) => vec![tasks.choose(Some(name))?],
        None => tasks.iter().collect(),
    };
    if args.task.is_none() && !args.json {
        let specs = chosen.into_iter().map(|task| task.spec(&Config::default()));
        return print_result(task_table(specs));
    }
    let (mut texts, mut values) = (Vec::new(), Vec::new());
    for task in chosen {
        let task = task.create(&Config::default());
        let spec = task.spec();
        let stages = select_stages(args.stage, spec.stages)?;
        let contexts: Vec<_> = stages.clone().filter_map(|stage| StageContexts::new(&*task, stage)).collect();
        let reports = task.solver().map(|solver| stages.map(|stage| solver.report(stage)).collect::<Vec<_>>());
        texts.push(describe(&spec, reports.as_deref(), &contexts));
        values.push(to_json(&spec, reports.as_deref(), &contexts));
    }
    if args.json { print_data(format!("{:#}", Value::from(values))) } else { print_result(texts.join("\n\n")) }
}

/// The contexts of a stage of a task that lists them.
#[derive(Serialize)]
struct StageContexts {
    stage: usize,
    goal: String,
    /// Number of contexts that training shows.
    contexts: usize,
    /// Mean number of actions of a shortest program, if the task knows it.
    optimum: Option<f64>,
    /// Names of the other test sets, and their numbers of contexts.
    sets: Vec<(String, usize)>,
}

impl StageContexts {
    fn new(task: &dyn Task, stage: usize) -> Option<Self> {
        let contexts = task.all_contexts()?;
        let set = |set: TestSet| (set.name, set.task.all_contexts().map_or(0, |contexts| contexts.count(stage)));
        Some(Self {
            stage,
            goal: task.label(stage),
            contexts: contexts.count(stage),
            optimum: task.optimum(stage),
            sets: task.test_sets().into_iter().map(set).collect(),
        })
    }
}

fn context_table(stages: &[StageContexts]) -> Table {
    let names = stages.iter().flat_map(|stage| &stage.sets).map(|(name, _)| name.as_str());
    let names: Vec<_> = names.take(stages.first().map_or(0, |stage| stage.sets.len())).collect();
    let mut table = Table::new(["stage", "goal", "contexts", "optimum"].into_iter().chain(names));
    for StageContexts { stage, goal, contexts, optimum, sets } in stages {
        let optimum = optimum.map_or(String::new(), |steps| format!("{steps:.2}"));
        let own = [stage.to_string(), goal.clone(), contexts.to_string(), optimum];
        table.row(own.into_iter().chain(sets.iter().map(|(_, count)| count.to_string())));
    }
    table
}

fn task_table(specs: impl Iterator<Item = Spec>) -> Table {
    let mut table = Table::new(["task", "observations", "actions", "stages", "horizon", "score"]);
    for spec in specs {
        let observations = match &spec.observation {
            Space::Tokens { names } => format!("{} tokens", names.len()),
            &Space::Vector { size } => count_numbers(size),
        };
        let actions = match &spec.action {
            ActionSpace::Discrete { names } => format!("{} choices", names.len()),
            &ActionSpace::Continuous { size } => count_numbers(size),
        };
        let [stages, horizon] = [spec.stages, spec.horizon].map(|count| count.to_string());
        let score = if spec.has_success { "solved episodes" } else { "mean reward" };
        table.row([spec.name, observations, actions, stages, horizon, score.to_owned()]);
    }
    table
}

fn count_numbers(size: usize) -> String {
    if size == 1 { "1 number".to_owned() } else { format!("{size} numbers") }
}

fn describe(spec: &Spec, reports: Option<&[Report]>, contexts: &[StageContexts]) -> String {
    let observations = match &spec.observation {
        Space::Tokens { names } => format!("tokens: {}", names.join(", ")),
        &Space::Vector { size } => format!("vectors of {}", count_numbers(size)),
    };
    let actions = match &spec.action {
        ActionSpace::Discrete { names } => names.join(", "),
        &ActionSpace::Continuous { size } => format!("vectors of {}", count_numbers(size)),
    };
    let end = if spec.has_success { "episodes can be solved" } else { "without success; the score is the mean reward" };
    let lines = [
        format!("observations  {observations}"),
        format!("actions       {actions}"),
        format!("stages        {}", spec.stages),
        format!("horizon       {} steps", spec.horizon),
        format!("success       {end}"),
    ];
    let tables = reports.map(report_table).into_iter().chain((!contexts.is_empty()).then(|| context_table(contexts)));
    let facts: String = tables.map(|table| format!("\n{table}")).collect();
    format!("{}\n\n{}\n{facts}\n{}", spec.name, lines.join("\n"), spec.caveat).trim_end().to_owned()
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

fn to_json(spec: &Spec, reports: Option<&[Report]>, contexts: &[StageContexts]) -> Value {
    let observation = match &spec.observation {
        Space::Tokens { names } => json!({ "tokens": names }),
        Space::Vector { size } => json!({ "vector": size }),
    };
    let action = match &spec.action {
        ActionSpace::Discrete { names } => json!({ "discrete": names }),
        ActionSpace::Continuous { size } => json!({ "continuous": size }),
    };
    let mut value = json!({
        "task": spec.name,
        "caveat": spec.caveat,
        "observation": observation,
        "action": action,
        "horizon": spec.horizon,
        "stage_count": spec.stages,
        "success": spec.has_success,
        "stages": reports.map(|reports| reports.iter().map(report_json).collect::<Vec<_>>()),
    });
    if !contexts.is_empty() {
        value["contexts"] = json!(contexts);
    }
    value
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
