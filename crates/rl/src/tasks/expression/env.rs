//! Episodes of `expression`.

use alloc::vec;
use alloc::vec::Vec;

use tensor::philox::Philox;

use super::machine::{Instruction, Machine};
use super::milestones::Progress;
use super::tree::Digest;
use super::{ACTION, Context, Expression};
use crate::env::{Actions, Env, Observations, Transitions};
use crate::tasks::calculator_stages::Rewards;

/// The problems of the episodes.
pub(super) enum Problems {
    /// Each reset draws one of the task's.
    Drawn,
    /// The index of the problem of each episode, \[B\].
    Listed(Vec<usize>),
    /// The same one in all episodes.
    Given(Context),
}

/// A vector of episodes.
pub(super) struct ExpressionEnv {
    task: Expression,
    stage: usize,
    problems: Problems,
    machines: Vec<Machine<Digest>>,
    goals: Vec<u64>,
    /// The progress of each episode, \[B\], if there are milestones.
    progress: Vec<Progress>,
    /// The number of actions in each episode, \[B\].
    steps: Vec<usize>,
    legal: Vec<bool>,
}

impl ExpressionEnv {
    pub(super) fn new(task: &Expression, stage: usize, episodes: usize, problems: Problems) -> Self {
        Self {
            task: task.clone(),
            stage,
            problems,
            machines: vec![Machine::default(); episodes],
            goals: vec![0; episodes],
            progress: vec![Progress::default(); task.graphs.as_ref().map_or(0, |_| episodes)],
            steps: vec![0; episodes],
            legal: Vec::new(),
        }
    }

    /// An episode with this problem.
    pub(super) fn with_context(task: &Expression, stage: usize, context: Context) -> Self {
        Self::new(task, stage, 1, Problems::Given(context))
    }

    /// Marks the actions that can change the state. On a machine without registers, ST and RC look as if they could.
    fn write_legal(&mut self, i: usize, out: &mut Observations) {
        let Self { task, machines, legal, .. } = self;
        legal.clear();
        legal.extend(task.instructions.iter().map(|&instruction| machines[i].can_change(instruction)));
        out.set_legal(i, legal);
    }
}

impl Env for ExpressionEnv {
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
        for &i in episodes {
            let contexts = self.task.contexts(self.stage);
            let context = match &self.problems {
                Problems::Drawn => &contexts[rngs[i].below(contexts.len() as u32) as usize],
                Problems::Listed(indices) => &contexts[indices[i]],
                Problems::Given(context) => context,
            };
            out.set_tokens(i, &context.tokens);
            (self.goals[i], self.steps[i]) = (context.goal, 0);
            self.machines[i] = Machine::default();
            if let Some(graphs) = &self.task.graphs {
                self.progress[i] = Progress::new(graphs, context);
            }
            self.write_legal(i, out);
        }
    }

    /// The policy observes its own action.
    fn step(&mut self, episodes: &[usize], actions: &Actions, _: &mut [Philox], out: &mut Transitions) {
        let (actions, horizon) = (actions.discrete(), self.task.stages[self.stage].horizon);
        for &i in episodes {
            let instruction = self.task.instructions[actions[i] as usize];
            let is_answer = instruction == Instruction::Answer;
            self.task.execute(&mut self.machines[i], instruction);
            self.steps[i] += 1;
            let is_right = is_answer && self.machines[i].acc.is_some_and(|acc| acc.hash == self.goals[i]);
            let Rewards { correct, milestone, step } = self.task.rewards;
            let milestones =
                self.task.graphs.as_ref().map_or(0, |graphs| self.progress[i].advance(graphs, actions[i] as usize));
            out.rewards[i] = step + milestone * f64::from(milestones) + if is_right { correct } else { 0.0 };
            out.solved[i] = is_right;
            out.terminated[i] = is_answer || self.steps[i] == horizon;
            out.observations.set_tokens(i, &[ACTION + actions[i]]);
            self.write_legal(i, &mut out.observations);
        }
    }
}
