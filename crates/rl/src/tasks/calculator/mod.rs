//! `calculator`: a tape of operands, an accumulator, a memory, and six tools.
//!
//! What the tools do is in [`machine`]; what an episode is, in [`mod@env`]; this file puts them together as a [`Task`].
//! Success is symbolic: the accumulator holds the goal *as a polynomial*, so that a wrong program never scores
//! because its numbers happened to be right.
//!
//! What the program computes does not depend on the operands, so a fixed program per stage is optimal. The task needs
//! exploration, credit over seven steps and stages that are not forgotten; it does not need the context.

pub mod env;
mod explain;
pub mod machine;

use alloc::{boxed::Box, string::String, sync::Arc};

use crate::env::{Env, Task};
use crate::solver::{Graph, Report, Solvable};
use crate::tasks::{GOALS, STAGES, operands, poly::Poly, token};

use env::CalculatorEnv;
use machine::{State, Symbolic};

/// The name of the task.
pub const NAME: &str = "calculator";
/// Steps after which an episode without an answer has failed.
pub const HORIZON: usize = 10;

/// Which tokens can be chosen as actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActionSet {
    /// The six tools.
    #[default]
    Tools,
    /// All 18 tokens; digits, CTX and EOS do nothing and cost their step.
    Tokens,
}

impl ActionSet {
    /// The token of each action.
    pub const fn tokens(self) -> &'static [u32] {
        match self {
            Self::Tools => &token::TOOLS,
            Self::Tokens => &token::ALL,
        }
    }
}

/// What an action earns; the parts add up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rewards {
    /// Paid for a correct answer.
    pub correct: f64,
    /// Paid for each unit by which the exact number of steps that are still needed falls below its smallest value
    /// so far in the episode; a correct answer takes it from 1 to 0. This is the solver teaching: 0 turns it off.
    pub milestone: f64,
    /// Paid for every step, the answer included.
    pub step: f64,
}

impl Default for Rewards {
    fn default() -> Self {
        Self { correct: 1.0, milestone: 0.25, step: -0.02 }
    }
}

/// The task; cheap to make environments from, as they share its tables.
#[derive(Clone, Debug)]
pub struct Calculator {
    actions: ActionSet,
    rewards: Rewards,
    graphs: [Arc<Graph<State<Poly>>>; STAGES],
}

impl Calculator {
    /// The task with these actions and rewards.
    pub fn new(actions: ActionSet, rewards: Rewards) -> Self {
        let graph = |stage| Arc::new(Graph::explore(&Symbolic::new(stage, actions), usize::MAX));
        Self { actions, rewards, graphs: core::array::from_fn(graph) }
    }

    /// All states of `stage`, how they follow each other, and how far each is from the goal.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn graph(&self, stage: usize) -> &Arc<Graph<State<Poly>>> {
        operands(stage);
        &self.graphs[stage]
    }

    /// The set of tokens that are actions.
    pub fn action_set(&self) -> ActionSet {
        self.actions
    }

    /// The rewards of an action.
    pub fn rewards(&self) -> Rewards {
        self.rewards
    }

    fn episodes(&self, stage: usize, episodes: usize) -> CalculatorEnv {
        CalculatorEnv::new(stage, episodes, self.graph(stage).clone(), self.actions, self.rewards)
    }
}

impl Default for Calculator {
    fn default() -> Self {
        Self::new(ActionSet::default(), Rewards::default())
    }
}

impl Task for Calculator {
    fn name(&self) -> &'static str {
        NAME
    }

    fn caveat(&self) -> &'static str {
        "A fixed program per stage is optimal here: this task needs exploration, credit over seven steps and not \
         forgetting, but no context."
    }

    fn stages(&self) -> usize {
        STAGES
    }

    fn vocabulary(&self) -> usize {
        token::COUNT
    }

    fn actions(&self) -> usize {
        self.actions.tokens().len()
    }

    fn action_name(&self, action: usize) -> &'static str {
        token::name(self.actions.tokens()[action])
    }

    fn horizon(&self) -> usize {
        HORIZON
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        Box::new(self.episodes(stage, episodes))
    }
}

impl Solvable for Calculator {
    fn report(&self, stage: usize) -> Report {
        Report::new(stage, String::from(GOALS[stage]), self.graph(stage), |action| self.action_name(action))
    }
}
