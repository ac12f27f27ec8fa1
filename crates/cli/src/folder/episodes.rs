//! `episodes.jsonl`: the behaviour of the policy at each validation. One line per stage, with the action probabilities at
//! each step and one decoded episode. No line contains a time.

use std::fmt;

use rl::explain::{self, Content, Explain};
use rl::tasks::token;
use rl::trace::{GateMeans, Trace};
use serde::{Deserialize, Serialize};

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

/// A decoded episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Episode {
    /// Stage of the task.
    pub(crate) stage: usize,
    /// Goal values. The first is the one that an exact match must equal.
    pub(crate) goals: Vec<Register>,
    /// Tokens of the context.
    pub(crate) context: Vec<String>,
    /// Tokens that the network read before its first decision, in order.
    pub(crate) read: Vec<ReadToken>,
    /// Steps of the episode.
    pub(crate) steps: Vec<EpisodeStep>,
    /// True if the episode ended in an exact match.
    pub(crate) solved: bool,
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

/// One step of an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpisodeStep {
    /// Name of the action.
    pub(crate) action: String,
    /// Probability of each action, in the order of the task's actions.
    pub(crate) probabilities: Vec<f64>,
    /// Value that the critic estimated before the action.
    pub(crate) value: f64,
    /// Entropy of the policy at this step, in nats.
    pub(crate) entropy: f64,
    /// Reward of the action.
    pub(crate) reward: f64,
    /// Reset gate r when the token before this decision was read, averaged over the units.
    pub(crate) reset: f64,
    /// Update gate z at the same step, averaged over the units; 1 keeps the state.
    pub(crate) update: f64,
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
    /// Decodes episode `i` of a trace of `task`, up to its end.
    pub(crate) fn from_trace(task: &dyn Explain, trace: &Trace, i: usize) -> Self {
        let played = &trace.played;
        let context: Vec<u32> = played.contexts.iter().skip(i).step_by(played.episodes).copied().collect();
        let (operands, program) = (&context[..task.operand_count(played.stage)], played.program(i));
        let states = task.states(played.stage, operands, &program);
        Self {
            stage: played.stage,
            goals: registers(&task.goals(played.stage, operands)),
            context: context.into_iter().map(name).collect(),
            read: ReadToken::read_context(trace, i),
            steps: (0..program.len()).map(|t| EpisodeStep::from_trace(task, trace, (t, i), &states[t + 1])).collect(),
            solved: played.solved[i],
        }
    }
}

impl EpisodesLine {
    /// Creates the line of a trace of `task` that was played at the validation after an update.
    pub(crate) fn from_trace(task: &dyn Explain, validation: usize, trace: &Trace) -> Self {
        let played = &trace.played;
        let running = |t: usize| (0..played.episodes).filter(move |i| played.valid[t * played.episodes + i]);
        let mean = |t: usize| -> Vec<f64> {
            let sum = |a: usize| running(t).map(|i| trace.probabilities(t, i)[a]).sum::<f64>();
            (0..trace.actions).map(|a| sum(a) / running(t).count() as f64).collect()
        };
        Self {
            validation,
            stage: played.stage,
            actions: (0..trace.actions).map(|action| task.action_name(action).to_owned()).collect(),
            probabilities: (0..played.steps).map(mean).collect(),
            episode: Episode::from_trace(task, trace, 0),
        }
    }
}

impl ReadToken {
    /// Returns the tokens that the network read in episode `i` before its first decision.
    fn read_context(trace: &Trace, i: usize) -> Vec<Self> {
        let read = trace.tokens.iter().zip(&trace.gates).skip(i).step_by(trace.played.episodes);
        let reading =
            |(&token, gates): (&u32, &GateMeans)| Self { token: name(token), reset: gates.reset, update: gates.update };
        read.take(trace.context_len()).map(reading).collect()
    }
}

impl EpisodeStep {
    fn from_trace(task: &dyn Explain, trace: &Trace, (t, i): (usize, usize), state: &[explain::Register]) -> Self {
        let (played, gates) = (&trace.played, trace.gates(t, i));
        let at = t * played.episodes + i;
        Self {
            action: task.action_name(played.actions[at] as usize).to_owned(),
            probabilities: trace.probabilities(t, i).to_vec(),
            value: played.values[at],
            entropy: trace.entropies[at],
            reward: played.rewards[at],
            reset: gates.reset,
            update: gates.update,
            state: registers(state),
        }
    }
}

fn name(token: u32) -> String {
    token::name(token).to_owned()
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
    use rl::env::Env;
    use rl::policy::Policy;
    use rl::rollout::Choice;
    use rl::tasks::Calculator;
    use rl::trace;
    use rl::{env::Task, evaluate::test_stream};

    const EPISODES: usize = 6;

    /// Plays episodes with sampled actions, so that they differ in length.
    fn trace(task: &dyn Task) -> Trace {
        let mut params = Params::<f32>::new();
        let policy = Policy::new(&mut params, task, 8, 0);
        let mut env: Box<dyn Env> = task.env(1, EPISODES);
        let mut rngs: Vec<_> = (0..EPISODES).map(|i| test_stream(2, 1, i)).collect();
        env.reset(&mut rngs);
        trace::trace_episodes(&policy, &params, &mut *env, Choice::Sampled(&mut rngs)).expect("finite")
    }

    #[test]
    fn episodes_line_from_trace_has_mean_of_running_episodes_and_first_episode() {
        let task = Calculator::default();
        let trace = trace(&task);
        let line = EpisodesLine::from_trace(&task, 50, &trace);
        let all: Vec<Episode> = (0..EPISODES).map(|i| Episode::from_trace(&task, &trace, i)).collect();
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
