//! `expression-memory`: the expression of [`expression`], then a delay, and only then the program.
//!
//! The context is the text, SEP, D distractors and GO. A distractor is a random slot or operator, so the policy must keep the
//! expression while it reads tokens of the same kind that mean nothing. Training has delays of [`DELAYS`]; the tests have longer
//! ones. The default policy is the bare GRU, whose state is all that it remembers: attention could look again.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use tensor::philox::Philox;

use crate::config::{Config, MemoryKind};
use crate::env::{Actions, Contexts, Env, Observations, Space, Spec, Task, TestSet, Transitions};
use crate::hindsight::{Achieved, Hindsight};
use crate::tasks::expression::tree::Operator;
use crate::tasks::expression::{self, ACTION, Expression, OPERATOR, SLOT};
use crate::trajectories::Row;

/// The name of the task.
pub const NAME: &str = "expression-memory";
/// The delays of training.
pub const DELAYS: RangeInclusive<u32> = 0..=8;
/// The delays of the tests.
pub const TESTED: [u32; 3] = [16, 32, 64];

/// The task.
#[derive(Clone, Debug)]
pub struct ExpressionMemory {
    expression: Expression,
    delays: RangeInclusive<u32>,
    separator: u32,
}

impl Default for ExpressionMemory {
    fn default() -> Self {
        Self::new(Expression::default(), DELAYS)
    }
}

impl ExpressionMemory {
    /// Creates the task with these expressions, and with delays of which each is drawn with the same probability.
    pub fn new(expression: Expression, delays: RangeInclusive<u32>) -> Self {
        let separator = ACTION + expression.spec().action.size() as u32;
        Self { expression, delays, separator }
    }

    /// Draws what stands between a text and GO.
    fn draw_delay(&self, rng: &mut Philox) -> Vec<u32> {
        let (least, most) = (*self.delays.start(), *self.delays.end());
        let count = least + rng.below(most - least + 1);
        let kinds = OPERATOR - SLOT + Operator::ALL.len() as u32;
        let distractors = (0..count).map(|_| SLOT + rng.below(kinds)).collect::<Vec<_>>();
        [&[self.separator], &distractors[..]].concat()
    }

    fn delayed(&self, env: Box<dyn Env>) -> Box<dyn Env> {
        Box::new(DelayedEnv { task: self.clone(), env })
    }
}

/// The description of the task.
pub fn spec() -> Spec {
    let mut spec = Spec { name: NAME.into(), ..expression::spec() };
    if let Space::Tokens { names } = &mut spec.observation {
        names.push("SEP".into());
    }
    spec
}

/// The settings that suit the task: those of `expression`, with the bare GRU, twice as many programs, and twice the updates.
pub fn default_config() -> Config {
    Config { memory: MemoryKind::Gru, hindsight: 64, max_updates: 4000, ..expression::default_config() }
}

/// Episodes of `expression` whose contexts have a delay.
struct DelayedEnv {
    task: ExpressionMemory,
    env: Box<dyn Env>,
}

impl Env for DelayedEnv {
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
        self.env.reset(episodes, rngs, out);
        for &i in episodes {
            let mut tokens = out.tokens(i).to_vec();
            let go = tokens.len() - 1;
            tokens.splice(go..go, self.task.draw_delay(&mut rngs[i]));
            out.set_tokens(i, &tokens);
        }
    }

    fn step(&mut self, episodes: &[usize], actions: &Actions, rngs: &mut [Philox], out: &mut Transitions) {
        self.env.step(episodes, actions, rngs, out);
    }
}

impl Task for ExpressionMemory {
    fn spec(&self) -> Spec {
        spec()
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        self.delayed(self.expression.env(stage, episodes))
    }

    fn default_config(&self) -> Config {
        default_config()
    }

    fn hindsight(&self) -> Option<&dyn Hindsight> {
        Some(self)
    }

    fn optimum(&self, stage: usize) -> Option<f64> {
        self.expression.optimum(stage)
    }

    fn label(&self, stage: usize) -> String {
        self.expression.label(stage)
    }

    fn all_contexts(&self) -> Option<&dyn Contexts> {
        Some(self)
    }

    fn test_sets(&self) -> Vec<TestSet> {
        let set = |name: String, expression: &Expression, delays| TestSet {
            name,
            task: Box::new(Self::new(expression.clone(), delays)),
            predicted: None,
            is_forgetting: false,
        };
        let held_out = set("held out".into(), &self.expression.held_out(), self.delays.clone());
        let delayed = TESTED.map(|delay| set(format!("delay {delay}"), &self.expression, delay..=delay));
        [held_out].into_iter().chain(delayed).collect()
    }
}

impl Contexts for ExpressionMemory {
    fn count(&self, stage: usize) -> usize {
        self.expression.contexts(stage).len()
    }

    fn env_with_contexts(&self, stage: usize, contexts: &[usize]) -> Box<dyn Env> {
        self.delayed(self.expression.env_with_contexts(stage, contexts))
    }
}

/// As for `expression`, with a delay before GO.
impl Hindsight for ExpressionMemory {
    fn achieved(&self, played: &Row, out: &mut Vec<Achieved>) {
        self.expression.achieved(played, out);
    }

    fn relabel(&self, achieved: &Achieved, rng: &mut Philox) -> Option<Row> {
        let mut row = self.expression.relabel(achieved, rng)?;
        let (go, delay) = (row.ends[0] as usize, self.draw_delay(rng));
        row.ends.iter_mut().for_each(|end| *end += delay.len() as u32);
        row.tokens.splice(go..go, delay);
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Episodes, check};
    use crate::tasks::expression::GO;

    #[test]
    fn env_keeps_every_promise() {
        assert_eq!(check::check(&ExpressionMemory::default()), Ok(()));
        assert_eq!(check::check(&ExpressionMemory::new(Expression::default(), 64..=64)), Ok(()));
    }

    /// Every delay occurs, every distractor does, and what stands before SEP is the text of a context of `expression`.
    #[test]
    fn contexts_have_delays_of_slots_and_operators() {
        let task = ExpressionMemory::default();
        let spec = task.spec();
        let count = task.count(1);
        let all: Vec<usize> = (0..count).collect();
        let mut episodes = Episodes::with_env(spec.clone(), 1, task.env_with_contexts(1, &all), count);
        let mut rngs: Vec<Philox> = (0..count as u64).map(Philox::new).collect();
        episodes.reset(&all, &mut rngs).expect("no fault");
        let (mut delays, mut distractors) = ([0; *DELAYS.end() as usize + 1], [0; 17]);
        for i in 0..count {
            let tokens = episodes.observations().tokens(i);
            let separator = tokens.iter().position(|&token| spec.token_name(token) == "SEP").expect("SEP");
            let text = [&tokens[..separator], &[GO]].concat();
            assert_eq!(text, task.expression.contexts(1)[i].tokens);
            let delay = &tokens[separator + 1..tokens.len() - 1];
            delays[delay.len()] += 1;
            delay.iter().for_each(|&token| distractors[token as usize] += 1);
            assert_eq!(tokens[tokens.len() - 1], GO);
        }
        assert!(delays.iter().all(|&count| count > 10), "{delays:?}");
        assert!(
            (0..17).all(|token| (distractors[token] > 0) == (SLOT..GO).contains(&(token as u32))),
            "{distractors:?}"
        );
        let delayed = &task.test_sets()[3];
        assert_eq!(delayed.name, "delay 64");
        let mut long = Episodes::new(&*delayed.task, 0, 1);
        long.reset(&[0], &mut rngs[..1]).expect("no fault");
        assert_eq!(long.observations().tokens(0).len(), 5 + 1 + 64 + 1);
    }

    /// A relabelled program is that of `expression`, after a delay: playing it solves the context that it reads.
    #[test]
    fn relabel_delays_the_demonstrations_of_expression() {
        let (task, mut rng) = (ExpressionMemory::default(), Philox::new(1));
        let achieved = Achieved { stage: 0, kind: 0, actions: [0, 1, 4, 10].into() };
        let mut lengths = alloc::collections::BTreeSet::new();
        for _ in 0..200 {
            let row = task.relabel(&achieved, &mut rng).expect("it is shown");
            assert_eq!(row.actions.discrete(), achieved.actions);
            let read = row.ends[0] as usize;
            assert!(row.tokens[read] == GO && row.tokens[5] == task.separator);
            assert_eq!(row.tokens[read + 1..], [ACTION, ACTION + 1, ACTION + 4]);
            assert!(row.ends.iter().enumerate().all(|(t, &end)| end as usize == read + t));
            lengths.insert(read - 6);
        }
        assert_eq!(lengths, (0..=*DELAYS.end() as usize).collect());
    }
}
