//! `episodes.jsonl`: what the policy does at each validation. One line a stage, with the probabilities of the actions at
//! each step and one episode decoded. No line tells the time.

use std::fmt;

use rl::explain::{self, Content, Explain};
use rl::tasks::token;
use rl::trace::{Activity, Trace};
use serde::{Deserialize, Serialize};

/// A stage, at a validation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpisodesLine {
    /// The update that the validation followed.
    pub(crate) validation: usize,
    /// The stage.
    pub(crate) stage: usize,
    /// The names of the actions.
    pub(crate) actions: Vec<String>,
    /// The probability of each action at each step, \[T,A\]: a mean over the episodes that are not over.
    pub(crate) probabilities: Vec<Vec<f64>>,
    /// The first of the episodes.
    pub(crate) episode: Episode,
}

/// An episode, decoded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Episode {
    /// Its stage.
    pub(crate) stage: usize,
    /// What an answer is measured by, first what an exact match is a match with.
    pub(crate) goals: Vec<Register>,
    /// The tokens that were shown.
    pub(crate) context: Vec<String>,
    /// Those that the network read before its first decision, in order.
    pub(crate) read: Vec<Reading>,
    /// What was done.
    pub(crate) steps: Vec<EpisodeStep>,
    /// Whether it ended in an exact match.
    pub(crate) solved: bool,
}

/// A token that was read, and how far the GRU's gates were open then, as means over its units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    /// The token.
    pub(crate) token: String,
    /// The reset gate r.
    pub(crate) reset: f64,
    /// The update gate z; 1 keeps the state.
    pub(crate) update: f64,
}

/// A step of an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpisodeStep {
    /// What was done.
    pub(crate) action: String,
    /// The probability of each action, in the order of the task's actions.
    pub(crate) probabilities: Vec<f64>,
    /// What the critic expected before it.
    pub(crate) value: f64,
    /// The entropy of the decision, in nats.
    pub(crate) entropy: f64,
    /// What it earned.
    pub(crate) reward: f64,
    /// The mean of the reset gate r over the units, when the token before this decision was read.
    pub(crate) reset: f64,
    /// The mean of the update gate z over the units then; 1 keeps the state.
    pub(crate) update: f64,
    /// What the tools hold after it.
    pub(crate) state: Vec<Register>,
}

/// What a register holds, or a goal is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    /// Its name.
    pub(crate) name: String,
    /// How its value was computed from the operands, as in `a·b`, or in words what it holds; nothing if it is empty.
    pub(crate) holds: Option<String>,
    /// The value, if there is one, as in 8.
    pub(crate) number: Option<i64>,
}

impl Episode {
    /// Episode `i` of a trace of `task`, up to its end.
    pub(crate) fn of(task: &dyn Explain, trace: &Trace, i: usize) -> Self {
        let played = &trace.played;
        let context: Vec<u32> = played.contexts.iter().skip(i).step_by(played.episodes).copied().collect();
        let (operands, program) = (&context[..task.operands(played.stage)], played.program(i));
        let states = task.states(played.stage, operands, &program);
        Self {
            stage: played.stage,
            goals: registers(&task.goals(played.stage, operands)),
            context: context.into_iter().map(name).collect(),
            read: Reading::before_acting(trace, i),
            steps: (0..program.len()).map(|t| EpisodeStep::of(task, trace, (t, i), &states[t + 1])).collect(),
            solved: played.solved[i],
        }
    }
}

impl EpisodesLine {
    /// What a trace of `task` shows, played at the validation after an update.
    pub(crate) fn of(task: &dyn Explain, validation: usize, trace: &Trace) -> Self {
        let played = &trace.played;
        let going_on = |t: usize| (0..played.episodes).filter(move |i| played.valid[t * played.episodes + i]);
        let mean = |t: usize| -> Vec<f64> {
            let sum = |a: usize| going_on(t).map(|i| trace.probabilities(t, i)[a]).sum::<f64>();
            (0..trace.actions).map(|a| sum(a) / going_on(t).count() as f64).collect()
        };
        Self {
            validation,
            stage: played.stage,
            actions: (0..trace.actions).map(|action| task.action_name(action).to_owned()).collect(),
            probabilities: (0..played.steps).map(mean).collect(),
            episode: Episode::of(task, trace, 0),
        }
    }
}

impl Reading {
    fn before_acting(trace: &Trace, i: usize) -> Vec<Self> {
        let read = trace.tokens.iter().zip(&trace.gates).skip(i).step_by(trace.played.episodes);
        let reading =
            |(&token, gates): (&u32, &Activity)| Self { token: name(token), reset: gates.reset, update: gates.update };
        read.take(trace.read()).map(reading).collect()
    }
}

impl EpisodeStep {
    fn of(task: &dyn Explain, trace: &Trace, (t, i): (usize, usize), state: &[explain::Register]) -> Self {
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
    /// As in `acc = a·b = 8`, `used a b` or `mem empty`.
    pub(crate) fn line(&self) -> String {
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

/// As in `a·b = 8`, or `empty`.
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

    /// Sampled, so that episodes differ in length.
    fn trace(task: &dyn Task) -> Trace {
        let mut params = Params::<f32>::new();
        let policy = Policy::new(&mut params, task, 8, 0);
        let mut env: Box<dyn Env> = task.env(1, EPISODES);
        let mut rngs: Vec<_> = (0..EPISODES).map(|i| test_stream(2, 1, i)).collect();
        env.reset(&mut rngs);
        trace::play(&policy, &params, &mut *env, Choice::Sampled(&mut rngs)).expect("finite")
    }

    #[test]
    fn a_line_is_the_mean_of_what_goes_on_and_the_first_episode() {
        let task = Calculator::default();
        let trace = trace(&task);
        let line = EpisodesLine::of(&task, 50, &trace);
        let all: Vec<Episode> = (0..EPISODES).map(|i| Episode::of(&task, &trace, i)).collect();
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
    fn registers_are_lines() {
        let register =
            |holds: Option<&str>, number| Register { name: "acc".into(), holds: holds.map(Into::into), number };
        assert_eq!(register(Some("a·b"), Some(8)).line(), "acc = a·b = 8");
        assert_eq!([register(Some("a b"), None).line(), register(None, None).line()], ["acc a b", "acc empty"]);
    }
}
