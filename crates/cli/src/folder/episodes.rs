//! `episodes.jsonl`: the behaviour of the policy at each validation. One line per stage, with the action probabilities at
//! each step and one decoded episode. No line contains a time.

use std::fmt;

use rl::env::{Action, Episodes, Space, Spec, Task};
use rl::explain::{self, Content};
use rl::trace::{GateMeans, Trace};
use rl::trajectories::Row;
use serde::{Deserialize, Serialize};

use crate::output::table::{NONE, format_share};

/// One line: one stage at one validation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpisodesLine {
    /// Update after which the validation ran.
    pub(crate) validation: usize,
    /// Stage of the task.
    pub(crate) stage: usize,
    /// Names of the actions.
    pub(crate) actions: Vec<String>,
    /// Probability of each action at each step, \[T,A\], averaged over the episodes that are still running.
    pub(crate) probabilities: Vec<Vec<f64>>,
    /// The first episode, decoded.
    pub(crate) episode: Episode,
}

/// A decoded episode. A task without explanations has no goals, and each of its steps has an observation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Episode {
    /// Stage of the task.
    pub(crate) stage: usize,
    /// Goal values. The first is the one that an exact match must equal.
    pub(crate) goals: Vec<Register>,
    /// Drawing of the problem, line by line; absent if the task draws none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) drawing: Vec<String>,
    /// Tokens of the first observation; empty if observations are vectors.
    pub(crate) context: Vec<String>,
    /// Tokens that the network read before its first decision, in order. Empty without a GRU, or if observations are vectors.
    pub(crate) read: Vec<ReadToken>,
    /// Steps of the episode.
    pub(crate) steps: Vec<EpisodeStep>,
    /// Later steps that were not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left_out: Option<LeftOut>,
    /// True if the episode ended in an exact match; absent for tasks without success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) solved: Option<bool>,
    /// True if the episode was cut off, and did not end by the rules of the task.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) truncated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(x: &bool) -> bool {
    !x
}

/// The steps at the end of an episode that were not recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeftOut {
    /// Number of these steps.
    pub(crate) steps: usize,
    /// Sum of their rewards.
    pub(crate) reward: f64,
}

/// A token that the network read, with the GRU's gates at that step, averaged over the units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadToken {
    /// Name of the token.
    pub(crate) token: String,
    /// Reset gate r.
    pub(crate) reset: f64,
    /// Update gate z; 1 keeps the state.
    pub(crate) update: f64,
}

/// The observation before a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Observation {
    /// The names of tokens.
    Tokens(Vec<String>),
    /// The numbers of a vector, before normalisation.
    Numbers(Vec<f64>),
}

/// One step of an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpisodeStep {
    /// Observation before the action; absent if the task explains its episodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) observation: Option<Observation>,
    /// Name of the action, or its numbers as text.
    pub(crate) action: String,
    /// Numbers of the action, if it is a vector.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) numbers: Vec<f64>,
    /// Mean of each number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) means: Vec<f64>,
    /// Standard deviation of each number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) deviations: Vec<f64>,
    /// Probability of each action, in the order of the task's actions; empty if actions are vectors.
    pub(crate) probabilities: Vec<f64>,
    /// Value that the critic estimated before the action.
    pub(crate) value: f64,
    /// Entropy of the policy at this step, in nats.
    pub(crate) entropy: f64,
    /// Reward of the action.
    pub(crate) reward: f64,
    /// Reset gate r when the token before this decision was read, averaged over the units; absent without a GRU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reset: Option<f64>,
    /// Update gate z at the same step, averaged over the units; 1 keeps the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) update: Option<f64>,
    /// Weight of each token of the context in the attention before the action; absent without attention.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attention: Vec<f64>,
    /// Contents of the tools' registers after the action.
    pub(crate) state: Vec<Register>,
}

/// A register of the tools, or a goal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    /// Name of the register.
    pub(crate) name: String,
    /// Formula of the value, for example `a·b`, or a description in words. `None` if the register is empty.
    pub(crate) holds: Option<String>,
    /// Number in the register, for example 8.
    pub(crate) number: Option<i64>,
}

impl Episode {
    /// Decodes episode `i` of a trace of `task`, up to its end. `episodes` are the traced episodes.
    pub(crate) fn from_trace(task: &dyn Task, trace: &Trace, episodes: &Episodes, i: usize) -> Self {
        let (played, spec) = (&trace.played, episodes.spec());
        let context = played.context(i);
        let explained = task.explanations().map(|task| {
            let (operands, program) = (&context[..task.operand_count(played.stage)], played.program(i));
            let drawing = task.drawing(played.stage, operands);
            (task.goals(played.stage, operands), task.states(played.stage, operands, &program), drawing)
        });
        let row = played.row(i);
        let step = |t: usize| match &explained {
            Some((_, states, _)) => {
                EpisodeStep { state: registers(&states[t + 1]), ..EpisodeStep::new(spec, trace, t, i) }
            }
            None => {
                let observation = Some(Observation::from_row(spec, &row, t));
                EpisodeStep { observation, ..EpisodeStep::new(spec, trace, t, i) }
            }
        };
        Self {
            stage: played.stage,
            goals: explained.iter().flat_map(|(goals, ..)| registers(goals)).collect(),
            drawing: explained.iter().flat_map(|(.., drawing)| drawing.clone()).collect(),
            read: ReadToken::read_context(spec, trace, i),
            context: context.into_iter().map(|token| spec.token_name(token).to_owned()).collect(),
            steps: (0..row.rewards.len()).map(step).collect(),
            left_out: None,
            solved: spec.has_success.then_some(played.solved[i]),
            truncated: episodes.transitions().truncated[i],
        }
    }

    /// Leaves out the steps after the first `count`.
    fn shorten(mut self, count: usize) -> Self {
        let rest = self.steps.split_off(count.min(self.steps.len()));
        let reward = rest.iter().map(|step| step.reward).sum();
        self.left_out = (!rest.is_empty()).then_some(LeftOut { steps: rest.len(), reward });
        self
    }

    /// Returns the number of steps and the sum of their rewards.
    pub(crate) fn totals(&self) -> (usize, f64) {
        let rest = self.left_out.unwrap_or_default();
        (self.steps.len() + rest.steps, self.steps.iter().map(|step| step.reward).sum::<f64>() + rest.reward)
    }
}

/// Maximum number of steps of an episode that a line records.
const RECORDED_STEPS: usize = 100;

impl EpisodesLine {
    /// Creates the line of a trace of `task` that was played at the validation after an update.
    pub(crate) fn from_trace(task: &dyn Task, validation: usize, trace: &Trace, episodes: &Episodes) -> Self {
        let played = &trace.played;
        let running = |t: usize| (0..played.episodes).filter(move |i| played.valid[t * played.episodes + i]);
        let mean = |t: usize| -> Vec<f64> {
            let sum = |a: usize| running(t).map(|i| trace.probabilities(t, i)[a]).sum::<f64>();
            (0..trace.actions).map(|a| sum(a) / running(t).count() as f64).collect()
        };
        let name = |action: usize| episodes.spec().action_name(action as u32).to_owned();
        let steps = if trace.actions > 0 { played.steps.min(RECORDED_STEPS) } else { 0 };
        Self {
            validation,
            stage: played.stage,
            actions: (0..trace.actions).map(name).collect(),
            probabilities: (0..steps).map(mean).collect(),
            episode: Episode::from_trace(task, trace, episodes, 0).shorten(RECORDED_STEPS),
        }
    }
}

impl ReadToken {
    /// Returns the tokens that the network read in episode `i` before its first decision.
    fn read_context(spec: &Spec, trace: &Trace, i: usize) -> Vec<Self> {
        let read = trace.tokens.iter().zip(&trace.gates).skip(i).step_by(trace.played.episodes);
        let reading = |(&token, gates): (&u32, &GateMeans)| Self {
            token: spec.token_name(token).to_owned(),
            reset: gates.reset,
            update: gates.update,
        };
        read.take(trace.played.context(i).len()).map(reading).collect()
    }
}

/// Maximum number of tokens or numbers of an observation in a text.
const SHOWN: usize = 12;

impl Observation {
    /// The observation of a row before the decision of step `t`.
    fn from_row(spec: &Spec, row: &Row, t: usize) -> Self {
        match spec.observation {
            Space::Tokens { .. } => {
                let first = t.checked_sub(1).map_or(0, |last| row.ends[last] as usize + 1);
                let read = &row.tokens[first..=row.ends[t] as usize];
                Self::Tokens(read.iter().map(|&token| spec.token_name(token).to_owned()).collect())
            }
            Space::Vector { size } => Self::Numbers(row.vectors[t * size..][..size].to_vec()),
        }
    }
}

/// Formats the names or the rounded numbers, the first [`SHOWN`] of them.
impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = match self {
            Self::Tokens(names) => names.clone(),
            Self::Numbers(numbers) => numbers.iter().map(|x| round(*x)).collect(),
        };
        f.write_str(&all[..all.len().min(SHOWN)].join(" "))?;
        if all.len() > SHOWN { write!(f, " … ({} in all)", all.len()) } else { Ok(()) }
    }
}

/// Formats a number to three decimals.
pub(crate) fn round(x: f64) -> String {
    format!("{x:.3}")
}

impl EpisodeStep {
    /// The step without observation and state.
    fn new(spec: &Spec, trace: &Trace, t: usize, i: usize) -> Self {
        let (played, gates) = (&trace.played, (!trace.gates.is_empty()).then(|| trace.gates(t, i)));
        let at = t * played.episodes + i;
        let (action, numbers) = match played.actions.get(at) {
            Action::Discrete(action) => (spec.action_name(action).to_owned(), Vec::new()),
            Action::Continuous(x) => (x.iter().map(|x| round(*x)).collect::<Vec<_>>().join(" "), x.to_vec()),
        };
        let of_step = |x: &[f64]| x.get(at * numbers.len()..(at + 1) * numbers.len()).unwrap_or_default().to_vec();
        Self {
            observation: None,
            action,
            means: of_step(&trace.means),
            deviations: of_step(&trace.deviations),
            numbers,
            probabilities: if trace.actions > 0 { trace.probabilities(t, i).to_vec() } else { Vec::new() },
            value: played.values[at],
            entropy: trace.entropies[at],
            reward: played.rewards[at],
            reset: gates.map(|gates| gates.reset),
            update: gates.map(|gates| gates.update),
            attention: trace.attention(t, i).iter().take(played.context(i).len()).copied().collect(),
            state: Vec::new(),
        }
    }

    /// Describes the distribution of the action: its probability, or mean ± deviation of each number.
    pub(crate) fn describe_distribution(&self, actions: &[String]) -> String {
        if self.numbers.is_empty() {
            let action = actions.iter().position(|action| *action == self.action);
            return action.and_then(|a| self.probabilities.get(a)).map_or(NONE.to_owned(), |&p| format_share(p));
        }
        let part = |(mean, deviation): (&f64, &f64)| format!("{} ± {}", round(*mean), round(*deviation));
        self.means.iter().zip(&self.deviations).map(part).collect::<Vec<_>>().join(", ")
    }
}

fn registers(registers: &[explain::Register]) -> Vec<Register> {
    registers.iter().map(Register::from).collect()
}

impl Register {
    /// Formats the register as a line: `acc = a·b = 8`, `used a b` or `mem empty`.
    pub(crate) fn to_line(&self) -> String {
        let sign = if self.number.is_some() { " =" } else { "" };
        format!("{}{sign} {self}", self.name)
    }
}

impl From<&explain::Register> for Register {
    fn from(register: &explain::Register) -> Self {
        let (holds, number) = match &register.content {
            Content::Empty => (None, None),
            Content::Value { formula, number } => (Some(formula.clone()), Some(*number)),
            Content::Words(words) => (Some(words.clone()), None),
        };
        Self { name: register.name.to_owned(), holds, number }
    }
}

/// Formats the content: `a·b = 8` or `empty`.
impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.holds, self.number) {
            (None, _) => f.write_str("empty"),
            (Some(holds), None) => f.write_str(holds),
            (Some(holds), Some(number)) => write!(f, "{holds} = {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::Params;
    use rl::evaluate::{Trained, test_stream};
    use rl::policy::{Architecture, Policy};
    use rl::rollout::{Options, Streams};
    use rl::tasks::CalculatorStages;
    use rl::trace;

    const EPISODES: usize = 6;

    /// Plays episodes with sampled actions, so that they differ in length.
    fn trace(task: &dyn Task) -> (Trace, Episodes) {
        let mut params = Params::<f32>::new();
        let policy = Policy::new(&mut params, &task.spec(), Architecture::gru(8), 0);
        let mut episodes = Episodes::new(task, 1, EPISODES);
        let mut streams = Streams::shared((0..EPISODES).map(|i| test_stream(2, 1, i)).collect());
        let trained = Trained::new(&policy, &params);
        (trace::trace_episodes(trained, &mut episodes, &mut streams, Options::SAMPLED).expect("finite"), episodes)
    }

    #[test]
    fn episodes_line_from_trace_has_mean_of_running_episodes_and_first_episode() {
        let task = CalculatorStages::default();
        let (trace, episodes) = trace(&task);
        let line = EpisodesLine::from_trace(&task, 50, &trace, &episodes);
        let all: Vec<Episode> = (0..EPISODES).map(|i| Episode::from_trace(&task, &trace, &episodes, i)).collect();
        let lengths: Vec<_> = all.iter().map(|episode| episode.steps.len()).collect();
        assert!(lengths.iter().any(|&length| length != lengths[0]), "{lengths:?}");
        assert_eq!((line.validation, line.stage, line.actions.len()), (50, 1, 6));
        assert_eq!(line.probabilities.len(), trace.played.steps);
        for (t, row) in line.probabilities.iter().enumerate() {
            let steps: Vec<_> = all.iter().filter_map(|episode| episode.steps.get(t)).collect();
            for (a, &mean) in row.iter().enumerate() {
                let sum: f64 = steps.iter().map(|step| step.probabilities[a]).sum();
                assert!((mean - sum / steps.len() as f64).abs() < 1e-12);
            }
        }
        let json = serde_json::json!(line);
        assert_eq!(serde_json::from_value::<EpisodesLine>(json).expect("what was written"), line);
        assert_eq!(line.episode, all[0]);
        assert_eq!(line.episode.read.len(), 5);
    }

    #[test]
    fn register_line_shows_name_formula_and_number() {
        let register =
            |holds: Option<&str>, number| Register { name: "acc".into(), holds: holds.map(Into::into), number };
        assert_eq!(register(Some("a·b"), Some(8)).to_line(), "acc = a·b = 8");
        assert_eq!([register(Some("a b"), None).to_line(), register(None, None).to_line()], ["acc a b", "acc empty"]);
    }
}
