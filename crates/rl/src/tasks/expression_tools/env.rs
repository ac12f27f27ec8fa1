//! Episodes of `expression-tools`.

use alloc::vec;
use alloc::vec::Vec;

use tensor::philox::Philox;

use super::problem::Problem;
use super::{ACTION, ExpressionTools, FAIL, HORIZON, bit_token};
use crate::env::{Actions, Env, Observations, Transitions};
use crate::tasks::expression::RULES;
use crate::tasks::expression::machine::{Instruction, Machine};
use crate::tasks::expression::tree::{Digest, Value};

/// The reward of a right answer. Nothing else is rewarded.
const RIGHT: f64 = 1.0;

/// A vector of episodes; every array has one entry per episode.
pub(super) struct ToolsEnv {
    task: ExpressionTools,
    stage: usize,
    machines: Vec<Machine<Digest>>,
    goals: Vec<u64>,
    /// One bit for each slot.
    bits: Vec<u32>,
    /// The number of actions.
    steps: Vec<usize>,
    legal: Vec<bool>,
}

impl ToolsEnv {
    pub(super) fn new(task: &ExpressionTools, stage: usize, episodes: usize) -> Self {
        Self {
            task: task.clone(),
            stage,
            machines: vec![Machine::default(); episodes],
            goals: vec![0; episodes],
            bits: vec![0; episodes],
            steps: vec![0; episodes],
            legal: Vec::new(),
        }
    }

    fn draw_problem(&self, rng: &mut Philox) -> Problem {
        loop {
            let problem = Problem::draw(self.stage, rng);
            if self.task.patterns[self.stage].held_out.contains(&problem.pattern()) == self.task.is_held_out {
                return problem;
            }
        }
    }

    fn write_legal(&mut self, i: usize, out: &mut Observations) {
        self.task.write_legal(&self.machines[i], &mut self.legal);
        out.set_legal(i, &self.legal);
        self.legal.clear();
    }
}

impl ExpressionTools {
    /// Appends the actions that can change the state, and all calls.
    pub(super) fn write_legal<V: Value>(&self, machine: &Machine<V>, out: &mut Vec<bool>) {
        out.extend(self.instructions.iter().map(|&instruction| machine.can_change(instruction)));
        out.extend([true; RULES.slots]);
    }

    /// The answer of the tool of a slot.
    fn ask(&self, slot: u32, bits: u32, rng: &mut Philox) -> u32 {
        let bit = (bits >> slot & 1 == 1) != self.is_lying;
        match self.failures > 0.0 && rng.uniform_f64() < self.failures {
            true => FAIL,
            false => bit_token(bit),
        }
    }
}

impl Env for ToolsEnv {
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
        for &i in episodes {
            let problem = self.draw_problem(&mut rngs[i]);
            self.bits[i] = rngs[i].below(1 << RULES.slots);
            self.goals[i] = problem.selected(self.bits[i]).value::<Digest>().hash;
            (self.machines[i], self.steps[i]) = (Machine::default(), 0);
            out.set_tokens(i, &problem.to_tokens());
            self.write_legal(i, out);
        }
    }

    /// The policy observes its own action, and the answer of a tool that it called.
    fn step(&mut self, episodes: &[usize], actions: &Actions, rngs: &mut [Philox], out: &mut Transitions) {
        let actions = actions.discrete();
        for &i in episodes {
            let token = ACTION + actions[i];
            self.steps[i] += 1;
            let (mut is_answer, mut is_right) = (false, false);
            match self.task.called(actions[i]) {
                Some(slot) => {
                    let answer = self.task.ask(slot, self.bits[i], &mut rngs[i]);
                    out.observations.set_tokens(i, &[token, answer]);
                }
                None => {
                    let instruction = self.task.instructions[actions[i] as usize];
                    self.machines[i].execute(instruction);
                    is_answer = instruction == Instruction::Answer;
                    is_right = is_answer && self.machines[i].acc.is_some_and(|acc| acc.hash == self.goals[i]);
                    out.observations.set_tokens(i, &[token]);
                }
            }
            out.rewards[i] = if is_right { RIGHT } else { 0.0 };
            out.solved[i] = is_right;
            out.terminated[i] = is_answer || self.steps[i] == HORIZON;
            self.write_legal(i, &mut out.observations);
        }
    }
}
