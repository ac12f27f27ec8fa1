//! The final test. Each stage is played three times: with greedy actions, with sampled actions, and greedily with the
//! contexts of other episodes.

use gpu_train::Run;
use rl::env::Task;
use rl::evaluate::{TestResult, test_stage};
use rl::rollout::Undecided;
use rl::tasks::GOALS;
use serde::{Deserialize, Serialize};

use crate::output::table::{Table, format_share};

/// Test results of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StageTest {
    /// Stage of the task.
    pub(crate) stage: usize,
    /// Formula of the value that an exact match must equal.
    pub(crate) goal: String,
    /// Number of episodes of each of the three tests.
    pub(crate) episodes: usize,
    /// Exact match rate of the greedy policy.
    pub(crate) exact: f64,
    /// Exact match rate with sampled actions.
    pub(crate) sampled: f64,
    /// Exact match rate of the greedy policy with shuffled contexts.
    pub(crate) shuffled: f64,
    /// Mean sum of the greedy policy's rewards per episode.
    pub(crate) reward: f64,
    /// Mean number of the greedy policy's actions per episode.
    pub(crate) steps: f64,
    /// Number of distinct greedy programs.
    pub(crate) programs: usize,
    /// Most frequent greedy program.
    pub(crate) program: String,
    /// Fraction of the episodes with this program.
    pub(crate) program_share: f64,
}

/// Tests the given stages. The same seed gives the same episodes for every run.
///
/// # Errors
/// If an action cannot be chosen because a log-probability is NaN.
pub(crate) fn run_final_test(
    run: &Run<f32>,
    seed: u64,
    episodes: usize,
    stages: impl IntoIterator<Item = usize>,
) -> std::result::Result<Vec<StageTest>, Undecided> {
    let (task, learner) = (&run.task, run.learner.host());
    let tested = |stage| {
        let TestResult { greedy, sampled, shuffled } =
            test_stage(&learner.policy, &learner.params, task, stage, (seed, episodes))?;
        let (program, count) = greedy.programs.first().cloned().unwrap_or_default();
        let names: Vec<_> = program.iter().map(|&action| task.action_name(action as usize)).collect();
        Ok(StageTest {
            stage,
            goal: GOALS[stage].to_owned(),
            episodes,
            exact: greedy.exact,
            sampled: sampled.exact,
            shuffled: shuffled.exact,
            reward: greedy.reward,
            steps: greedy.steps,
            programs: greedy.programs.len(),
            program: names.join(" "),
            program_share: count as f64 / episodes as f64,
        })
    };
    stages.into_iter().map(tested).collect()
}

/// Formats the results as a table: exact match rates of the greedy policy, of sampled actions, and with shuffled contexts.
pub(crate) fn to_table(stages: &[StageTest]) -> Table {
    let columns =
        ["exact match", "sampled", "shuffled contexts", "steps", "distinct programs", "most frequent program"];
    let mut table = Table::new(["stage", "goal"].into_iter().chain(columns));
    for s in stages {
        let rates =
            [format_share(s.exact), format_share(s.sampled), format_share(s.shuffled), format!("{:.2}", s.steps)];
        let programs = [s.programs.to_string(), format!("{} ({})", s.program, format_share(s.program_share))];
        let before = [s.stage.to_string(), s.goal.clone()];
        table.row(before.into_iter().chain(rates).chain(programs));
    }
    table
}
