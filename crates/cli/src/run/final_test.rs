//! The test: each stage greedily, with sampled actions, and with the context of another episode.

use gpu_train::Run;
use rl::env::Task;
use rl::evaluate::{Test, test_stage};
use rl::rollout::Undecided;
use rl::tasks::GOALS;
use serde::{Deserialize, Serialize};

use crate::output::table::{Table, share};

/// The figures of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stage {
    /// The stage.
    pub(crate) stage: usize,
    /// What an exact match is a match with.
    pub(crate) goal: String,
    /// The number of episodes of each of the three.
    pub(crate) episodes: usize,
    /// The exact match of the greedy policy.
    pub(crate) exact: f64,
    /// The exact match with sampled actions.
    pub(crate) sampled: f64,
    /// The exact match of the greedy policy under shuffled contexts.
    pub(crate) shuffled: f64,
    /// The mean sum of the greedy policy's rewards.
    pub(crate) reward: f64,
    /// The mean number of the greedy policy's actions.
    pub(crate) steps: f64,
    /// The number of distinct greedy programs.
    pub(crate) programs: usize,
    /// The most frequent of them.
    pub(crate) program: String,
    /// Its share.
    pub(crate) program_share: f64,
}

/// Plays the test of some stages. The same seed draws the same episodes, whichever run it is for.
///
/// # Errors
/// If a decision cannot be made, because a log-probability is NaN.
pub(crate) fn test(
    run: &Run<f32>,
    seed: u64,
    episodes: usize,
    stages: impl IntoIterator<Item = usize>,
) -> std::result::Result<Vec<Stage>, Undecided> {
    let (task, learner) = (&run.task, run.learner.host());
    let tested = |stage| {
        let trial = (seed, episodes);
        let Test { greedy, sampled, shuffled } = test_stage(&learner.policy, &learner.params, task, stage, trial)?;
        let (program, count) = greedy.programs.first().cloned().unwrap_or_default();
        let names: Vec<_> = program.iter().map(|&action| task.action_name(action as usize)).collect();
        Ok(Stage {
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

/// The figures as people read them: exact match, greedy; then sampled, and greedy under shuffled contexts.
pub(crate) fn table(stages: &[Stage]) -> Table {
    let figures =
        ["exact match", "sampled", "shuffled contexts", "steps", "distinct programs", "most frequent program"];
    let mut table = Table::new(["stage", "goal"].into_iter().chain(figures));
    for s in stages {
        let figures = [share(s.exact), share(s.sampled), share(s.shuffled), format!("{:.2}", s.steps)];
        let programs = [s.programs.to_string(), format!("{} ({})", s.program, share(s.program_share))];
        let before = [s.stage.to_string(), s.goal.clone()];
        table.row(before.into_iter().chain(figures).chain(programs));
    }
    table
}
