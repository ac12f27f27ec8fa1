//! Episodes of `calculator`. A program has the same effect for all operands, so a step is one look-up in the graph that
//! the solver explored. The operands appear only in the context.

use alloc::{sync::Arc, vec, vec::Vec};

use tensor::philox::Philox;

use super::machine::State;
use super::{ActionSet, HORIZON, Rewards};
use crate::env::{Env, Step, check_reset, check_step};
use crate::solver::{FAILED, Graph, SOLVED, START};
use crate::tasks::{
    operand_count,
    poly::{Poly, VARIABLES},
    token,
};

/// A vector of episodes; every array has one entry per episode.
#[derive(Clone, Debug)]
pub struct CalculatorEnv {
    stage: usize,
    graph: Arc<Graph<State<Poly>>>,
    tokens: &'static [u32],
    rewards: Rewards,
    /// The context of each episode, `[B, operands + 1]`.
    contexts: Vec<u32>,
    /// The state of each episode in the graph, `[B]`.
    states: Vec<u16>,
    /// The smallest distance to the goal so far in each episode, `[B]`.
    nearest: Vec<u16>,
    /// The number of actions since the start of each episode, `[B]`.
    steps: Vec<usize>,
}

impl CalculatorEnv {
    pub(super) fn new(
        stage: usize,
        episodes: usize,
        graph: Arc<Graph<State<Poly>>>,
        actions: ActionSet,
        rewards: Rewards,
    ) -> Self {
        Self {
            stage,
            nearest: vec![graph.distance(START); episodes],
            graph,
            tokens: actions.tokens(),
            rewards,
            contexts: vec![token::CTX; episodes * (operand_count(stage) + 1)],
            states: vec![START; episodes],
            steps: vec![0; episodes],
        }
    }

    /// Restarts `episode` with these operands.
    ///
    /// # Panics
    /// If the number of operands is not that of the stage.
    pub fn start(&mut self, episode: usize, operands: &[u32]) {
        let width = self.context_len();
        self.contexts[episode * width..][..width - 1].copy_from_slice(operands);
        self.states[episode] = START;
        self.nearest[episode] = self.graph.distance(START);
        self.steps[episode] = 0;
    }

    /// Takes one action in an episode that is not done. Returns its reward.
    fn advance(&mut self, i: usize, action: u32) -> f64 {
        let state = self.graph.next(self.states[i], action as usize);
        let distance = self.graph.distance(state);
        let milestones = self.nearest[i].saturating_sub(distance);
        self.nearest[i] -= milestones;
        self.steps[i] += 1;
        let out_of_time = self.steps[i] == HORIZON && state != SOLVED;
        self.states[i] = if out_of_time { FAILED } else { state };
        let correct = if state == SOLVED { self.rewards.correct } else { 0.0 };
        self.rewards.step + self.rewards.milestone * f64::from(milestones) + correct
    }
}

impl Env for CalculatorEnv {
    fn stage(&self) -> usize {
        self.stage
    }

    fn len(&self) -> usize {
        self.states.len()
    }

    fn context_len(&self) -> usize {
        operand_count(self.stage) + 1
    }

    fn reset(&mut self, rngs: &mut [Philox]) {
        check_reset(self.len(), rngs);
        let mut operands = [0; VARIABLES];
        let operands = &mut operands[..self.context_len() - 1];
        for (i, rng) in rngs.iter_mut().enumerate() {
            operands.fill_with(|| rng.below(10));
            self.start(i, operands);
        }
    }

    fn context(&self, episode: usize) -> &[u32] {
        let width = self.context_len();
        &self.contexts[episode * width..][..width]
    }

    fn token(&self, action: u32) -> u32 {
        self.tokens[action as usize]
    }

    fn step(&mut self, actions: &[u32], out: &mut [Step]) {
        check_step(self.len(), actions, out);
        for (i, (&action, out)) in actions.iter().zip(out).enumerate() {
            let reward = if self.states[i] < START { 0.0 } else { self.advance(i, action) };
            *out = Step { reward, done: self.states[i] < START };
        }
    }

    fn solved(&self, episode: usize) -> bool {
        self.states[episode] == SOLVED
    }
}
