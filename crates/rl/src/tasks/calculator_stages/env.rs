//! Episodes of `calculator-stages` and of `calculator`. A program has the same effect for all operands, so a step is one look-up
//! in the graph that the solver explored. The operands appear only in the context.

use alloc::{sync::Arc, vec, vec::Vec};

use tensor::philox::Philox;

use super::machine::State;
use super::{HORIZON, Rewards};
use crate::env::{Actions, Env, Observations, Transitions};
use crate::solver::{FAILED, Graph, SOLVED, START, approach};
use crate::tasks::{poly::Poly, token};

/// What the policy of a task of the calculator reads.
#[derive(Clone, Debug)]
pub(in crate::tasks) struct View {
    /// The number of digits at the start of the context.
    pub digits: usize,
    /// The tokens after the digits.
    pub ending: Vec<u32>,
    /// The token that answers each action.
    pub tokens: Vec<u32>,
    /// True if actions that cannot change the state are illegal. The actions are then the six tools.
    pub has_mask: bool,
}

/// A vector of episodes; every array has one entry per episode.
#[derive(Clone, Debug)]
pub struct CalculatorEnv {
    graph: Arc<Graph<State<Poly>>>,
    view: View,
    rewards: Rewards,
    /// The operands of all episodes, if they are not drawn.
    operands: Option<Vec<u32>>,
    /// The context of the latest episode.
    context: Vec<u32>,
    /// The state of each episode in the graph, `[B]`.
    states: Vec<u16>,
    /// The smallest distance to the goal so far in each episode, `[B]`.
    nearest: Vec<u16>,
    /// The number of actions since the start of each episode, `[B]`.
    steps: Vec<usize>,
}

impl CalculatorEnv {
    pub(in crate::tasks) fn new(episodes: usize, graph: Arc<Graph<State<Poly>>>, view: View, rewards: Rewards) -> Self {
        Self {
            nearest: vec![graph.distance(START); episodes],
            graph,
            view,
            rewards,
            operands: None,
            context: Vec::new(),
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
        let (found, expected) = (operands.len(), self.view.digits);
        assert!(found == expected, "with_operands: {found} operands, but the stage has {expected}");
        Self { operands: Some(operands.to_vec()), ..self }
    }

    /// Takes one action in an episode. Returns its reward.
    fn advance(&mut self, i: usize, action: u32) -> f64 {
        let state = self.graph.next(self.states[i], action as usize);
        let milestones = approach(&mut self.nearest[i], self.graph.distance(state));
        self.steps[i] += 1;
        let out_of_time = self.steps[i] == HORIZON && state != SOLVED;
        self.states[i] = if out_of_time { FAILED } else { state };
        let correct = if state == SOLVED { self.rewards.correct } else { 0.0 };
        self.rewards.step + self.rewards.milestone * f64::from(milestones) + correct
    }

    /// Marks the actions that can change the state of an episode, if the task has a mask.
    fn write_legal(&self, i: usize, out: &mut Observations) {
        if self.view.has_mask {
            let state = self.states[i];
            let has_ended = state < START;
            let legal: [bool; token::TOOLS.len()] =
                core::array::from_fn(|action| has_ended || self.graph.next(state, action) != state);
            out.set_legal(i, &legal);
        }
    }
}

impl Env for CalculatorEnv {
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
        for &i in episodes {
            let View { digits, ending, .. } = &self.view;
            self.context.clear();
            match &self.operands {
                Some(operands) => self.context.extend(operands),
                None => self.context.extend((0..*digits).map(|_| rngs[i].below(10))),
            }
            self.context.extend(ending);
            out.set_tokens(i, &self.context);
            (self.states[i], self.nearest[i], self.steps[i]) = (START, self.graph.distance(START), 0);
            self.write_legal(i, out);
        }
    }

    /// The policy observes the token of its action.
    fn step(&mut self, episodes: &[usize], actions: &Actions, _: &mut [Philox], out: &mut Transitions) {
        let actions = actions.discrete();
        for &i in episodes {
            out.rewards[i] = self.advance(i, actions[i]);
            out.terminated[i] = self.states[i] < START;
            out.solved[i] = self.states[i] == SOLVED;
            out.observations.set_tokens(i, &[self.view.tokens[actions[i] as usize]]);
            self.write_legal(i, &mut out.observations);
        }
    }
}
