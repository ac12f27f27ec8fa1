//! The final test. Each stage is played with greedy actions and with sampled actions. If observations are tokens, it is also
//! played greedily with the first observations of other episodes. If the task lists its contexts, each is played once. The
//! task's other test sets, such as held-out contexts, are played greedily.

use rl::env::{ActionSpace, Space, Task, TestSet};
use rl::evaluate::{EvalConfig, EvalStats, evaluate_stage};
use rl::rollout::RolloutError;
use serde::{Deserialize, Serialize};
use tensor::philox::Purpose;

use crate::input::tasks;
use crate::output::table::{Table, format_share};
use crate::run::Run;
use crate::score::Score;

/// Maximum number of characters of a program in a table.
const SHOWN_CHARS: usize = 60;

/// Test results of one stage. A task without success has rewards instead of exact matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StageTest {
    /// Stage of the task.
    pub(crate) stage: usize,
    /// Name of another test set; empty for the task's own episodes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) set: String,
    /// Formula of the value that an exact match must equal; empty if the task has no solver.
    pub(crate) goal: String,
    /// Number of episodes of each test.
    pub(crate) episodes: usize,
    /// Exact match rate of the greedy policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exact: Option<f64>,
    /// Exact match rate in this test set of a policy that solves every episode of the task, if the task can predict it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) predicted: Option<f64>,
    /// Exact match rate with sampled actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sampled: Option<f64>,
    /// Exact match rate of the greedy policy with shuffled contexts; absent if observations are vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shuffled: Option<f64>,
    /// Mean sum of the greedy policy's rewards per episode.
    pub(crate) reward: f64,
    /// Mean sum of rewards per episode with sampled actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sampled_reward: Option<f64>,
    /// Mean sum of rewards per episode with shuffled contexts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shuffled_reward: Option<f64>,
    /// Mean number of the greedy policy's actions per episode.
    pub(crate) steps: f64,
    /// Number of contexts, if the test played each once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contexts: Option<usize>,
    /// Mean number of actions of shortest programs, if the task knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) optimum: Option<f64>,
    /// Number of distinct greedy programs; absent if actions are numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) programs: Option<usize>,
    /// Most frequent greedy program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) program: Option<String>,
    /// Fraction of the episodes with this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) program_share: Option<f64>,
}

impl StageTest {
    /// Returns the score of the greedy policy: the exact match, or the reward of a task without success.
    pub(crate) fn score(&self) -> f64 {
        self.exact.unwrap_or(self.reward)
    }

    /// Returns the score with shuffled contexts.
    pub(crate) fn shuffled_score(&self) -> Option<f64> {
        self.shuffled.or(self.shuffled_reward)
    }
}

/// Tests the given stages: on this number of episodes, or if it is `None` on as many as the settings of the run say; of a task
/// that lists its contexts then on each of them. The same seed gives the same episodes for every run.
///
/// # Errors
/// If an action cannot be chosen because a log-probability is NaN, or the environment has a fault.
pub(crate) fn run_final_test(
    run: &Run,
    seed: u64,
    episodes: Option<usize>,
    stages: impl IntoIterator<Item = usize>,
) -> Result<Vec<StageTest>, RolloutError> {
    let (task, spec, trained) = (&run.task, run.task.spec(), run.learner.host().trained());
    let (exhaustive, episodes) = (episodes.is_none(), episodes.unwrap_or(run.config.test_episodes));
    let config = EvalConfig {
        seed,
        purpose: Purpose::TEST,
        update: 0,
        episodes,
        sampled: false,
        shuffled: false,
        forgetting: false,
        exhaustive,
    };
    let play =
        |stage, sampled, shuffled| evaluate_stage(trained, task, stage, EvalConfig { sampled, shuffled, ..config });
    // What every set has.
    let common = |task: &dyn Task, greedy: &EvalStats| StageTest {
        stage: greedy.stage,
        goal: tasks::goal(task, greedy.stage),
        episodes: greedy.episodes,
        exact: spec.has_success.then_some(greedy.exact),
        reward: greedy.reward,
        steps: greedy.steps,
        contexts: task.all_contexts().filter(|_| exhaustive).map(|contexts| contexts.count(greedy.stage)),
        optimum: tasks::optimum(task, greedy.stage),
        ..StageTest::default()
    };
    let reads_tokens = matches!(spec.observation, Space::Tokens { .. });
    let is_discrete = matches!(spec.action, ActionSpace::Discrete { .. });
    let tested = |stage| {
        let (greedy, sampled) = (play(stage, false, false)?, play(stage, true, false)?);
        let shuffled = reads_tokens.then(|| play(stage, false, true)).transpose()?;
        let (program, count) = greedy.programs.first().cloned().unwrap_or_default();
        let names = || program.iter().map(|&action| spec.action_name(action)).collect::<Vec<_>>().join(" ");
        let shuffled = |value: fn(&EvalStats) -> f64| shuffled.as_ref().map(value);
        let (solves, earns) = (spec.has_success, !spec.has_success);
        Ok(StageTest {
            sampled: solves.then_some(sampled.exact),
            shuffled: shuffled(|stats| stats.exact).filter(|_| solves),
            sampled_reward: earns.then_some(sampled.reward),
            shuffled_reward: shuffled(|stats| stats.reward).filter(|_| earns),
            programs: is_discrete.then_some(greedy.programs.len()),
            program: is_discrete.then(names),
            program_share: is_discrete.then_some(count as f64 / greedy.episodes as f64),
            ..common(task, &greedy)
        })
    };
    let stages: Vec<usize> = stages.into_iter().collect();
    let mut tests = stages.iter().map(|&stage| tested(stage)).collect::<Result<Vec<_>, RolloutError>>()?;
    for TestSet { name, task, predicted, is_forgetting } in task.test_sets() {
        let has_contexts = |stage: usize| task.all_contexts().is_none_or(|contexts| contexts.count(stage) > 0);
        for &stage in stages.iter().filter(|&&stage| has_contexts(stage)) {
            let predicted = predicted.as_ref().map(|shares| shares[stage]);
            let greedy = evaluate_stage(trained, &*task, stage, EvalConfig { forgetting: is_forgetting, ..config })?;
            let common = common(&*task, &greedy);
            tests.push(StageTest { set: name.clone(), predicted, ..common });
        }
    }
    Ok(tests)
}

/// Formats the results as a table: scores of the greedy policy, of sampled actions, and with shuffled contexts. A column that
/// the task does not have is left out.
pub(crate) fn to_table(stages: &[StageTest]) -> Table {
    let score = if stages.iter().any(|s| s.exact.is_none()) { Score::Reward } else { Score::ExactMatch };
    type Cell = fn(&StageTest, Score) -> Option<String>;
    let columns: [(&str, Cell); 12] = [
        ("stage", |s, _| Some(s.stage.to_string())),
        ("set", |s, _| Some(s.set.clone()).filter(|set| !set.is_empty())),
        ("goal", |s, _| Some(s.goal.clone()).filter(|goal| !goal.is_empty())),
        (score.name(), |s, score| Some(score.format(s.score()))),
        ("predicted", |s, score| s.predicted.map(|x| score.format(x))),
        ("contexts", |s, _| s.contexts.map(|count| count.to_string())),
        ("sampled", |s, score| s.sampled.or(s.sampled_reward).map(|x| score.format(x))),
        ("shuffled contexts", |s, score| s.shuffled_score().map(|x| score.format(x))),
        ("steps", |s, _| Some(format!("{:.2}", s.steps))),
        ("optimum", |s, _| s.optimum.map(|steps| format!("{steps:.2}"))),
        ("distinct programs", |s, _| s.programs.map(|count| count.to_string())),
        ("most frequent program", |s, _| {
            let (program, share) = (s.program.as_ref()?, s.program_share?);
            let rest = if program.chars().nth(SHOWN_CHARS).is_some() { "…" } else { "" };
            let shown: String = program.chars().take(SHOWN_CHARS).collect();
            Some(format!("{shown}{rest} ({})", format_share(share)))
        }),
    ];
    let has = |cell: Cell| stages.is_empty() || stages.iter().any(|s| cell(s, score).is_some());
    let columns: Vec<_> = columns.into_iter().filter(|&(_, cell)| has(cell)).collect();
    let mut table = Table::new(columns.iter().map(|&(name, _)| name));
    for s in stages {
        table.row(columns.iter().map(|(_, cell)| cell(s, score).unwrap_or_default()));
    }
    table
}

/// Formats the results as a table with the caveat of the task.
pub(crate) fn to_text(stages: &[StageTest], caveat: &str) -> String {
    format!("{}\n{caveat}", to_table(stages)).trim_end().to_owned()
}
