//! Episodes of `calculator`. A program has the same effect for all operands, so a step is one look-up in the graph that
//! the solver explored. The operands appear only in the context.

use alloc::{sync::Arc, vec, vec::Vec};

use tensor::philox::Philox;

use super::machine::State;
use super::{ActionSet, HORIZON, Rewards};
use crate::env::{Actions, Env, Observations, Transitions};
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
    /// The operands of all episodes, if they are not drawn.
    operands: Option<Vec<u32>>,
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
            operands: None,
            states: vec![START; episodes],
            steps: vec![0; episodes],
        }
    }

    /// Starts all episodes with these operands instead of random ones.
    ///
    /// # Panics
    /// If the number of operands is not that of the stage.
    #[track_caller]
    pub fn with_operands(self, operands: &[u32]) -> Self {
        let (found, expected) = (operands.len(), operand_count(self.stage));
        assert!(found == expected, "with_operands: {found} operands, but stage {} has {expected}", self.stage);
        Self { operands: Some(operands.to_vec()), ..self }
    }

    /// Takes one action in an episode. Returns its reward.
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
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
        let mut context = [token::CTX; VARIABLES + 1];
        let count = operand_count(self.stage);
        for &i in episodes {
            match &self.operands {
                Some(operands) => context[..count].copy_from_slice(operands),
                None => context[..count].fill_with(|| rngs[i].below(10)),
            }
            context[count] = token::CTX;
            out.set_tokens(i, &context[..=count]);
            (self.states[i], self.nearest[i], self.steps[i]) = (START, self.graph.distance(START), 0);
        }
    }

    /// The policy observes the token of its action.
    fn step(&mut self, episodes: &[usize], actions: &Actions, _: &mut [Philox], out: &mut Transitions) {
        let actions = actions.discrete();
        for &i in episodes {
            out.rewards[i] = self.advance(i, actions[i]);
            out.terminated[i] = self.states[i] < START;
            out.solved[i] = self.states[i] == SOLVED;
            out.observations.set_tokens(i, &[self.tokens[actions[i] as usize]]);
        }
    }
}
