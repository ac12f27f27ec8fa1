//! What hindsight knows at the end of a run: the programs in its buffer, kind by kind.

use std::collections::BTreeSet;

use rl::env::Spec;
use rl::hindsight::{Achieved, Hindsight, Kind};
use rl::trajectories::Row;
use serde::{Deserialize, Serialize};
use tensor::philox::Philox;

use crate::output::table::Table;
use crate::run::Run;

/// The number of draws of a problem from its start.
const TRIES: usize = 64;

/// A kind of problem with its known programs, which are equally long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownKind {
    /// Stage of the problem.
    pub(crate) stage: usize,
    /// A problem of the kind: what the policy reads. Empty if training must not show it.
    pub(crate) problem: String,
    /// Number of actions of each program.
    pub(crate) steps: usize,
    /// Number of programs.
    pub(crate) programs: usize,
    /// Number of distinct ones.
    pub(crate) distinct: usize,
    /// The program for this problem.
    pub(crate) program: String,
}

/// Describes the buffer of a run: the kinds of each stage, the shortest programs first. Empty without hindsight.
pub(crate) fn of_run(run: &Run) -> Vec<KnownKind> {
    let Some(task) = run.task.hindsight() else { return Vec::new() };
    let spec = run.task.spec();
    let stages = run.learner.host().programs.stages.iter().enumerate();
    let mut kinds: Vec<_> = stages
        .flat_map(|(stage, kinds)| kinds.iter().map(move |kind| (stage, kind)))
        .map(|(stage, kind)| describe(task, &spec, stage, kind))
        .collect();
    kinds.sort_by(|a, b| (a.stage, a.steps, &a.problem).cmp(&(b.stage, b.steps, &b.problem)));
    kinds
}

fn describe(task: &dyn Hindsight, spec: &Spec, stage: usize, Kind { kind, programs }: &Kind) -> KnownKind {
    let actions = programs.back().expect("a kind has a program").clone();
    let steps = actions.len();
    let program = actions.iter().map(|&action| spec.action_name(action)).collect::<Vec<_>>().join(" ");
    let (achieved, rng) = (Achieved { stage, kind: *kind, actions }, &mut Philox::new(*kind));
    let is_whole = |row: &Row| row.actions.len() == steps; // some tasks show late steps alone
    let row = (0..TRIES).filter_map(|_| task.relabel(&achieved, rng)).find(is_whole);
    let context = row.map_or(Vec::new(), |row| row.tokens[..=row.ends[0] as usize].to_vec());
    let problem = context.into_iter().map(|token| spec.token_name(token)).collect::<Vec<_>>().join(" ");
    let distinct = programs.iter().collect::<BTreeSet<_>>().len();
    KnownKind { stage, problem, steps, programs: programs.len(), distinct, program }
}

/// Formats the kinds as a table.
pub(crate) fn to_table(kinds: &[KnownKind]) -> Table {
    let mut table = Table::new(["stage", "problem", "steps", "programs", "distinct", "program"]);
    for KnownKind { stage, problem, steps, programs, distinct, program } in kinds {
        let [stage, steps, programs, distinct] = [stage, steps, programs, distinct].map(usize::to_string);
        table.row([stage, problem.clone(), steps, programs, distinct, program.clone()]);
    }
    table
}
