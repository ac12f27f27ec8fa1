//! `calculator-stages`: a tape of operands, an accumulator, a memory, and six tools.
//!
//! [`machine`] defines the tools, [`mod@env`] the episodes. This file combines them into a [`Task`].
//! Success is symbolic: the accumulator must hold the goal *as a polynomial*. A wrong program is never counted as right
//! because its numbers match by chance.
//!
//! The right program does not depend on the operands, so a fixed program per stage is optimal. The task needs
//! exploration, credit assignment over seven steps, and no forgetting of earlier stages. It does not need the context.

pub mod env;
pub(in crate::tasks) mod explain;
pub mod machine;

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use crate::env::{ActionSpace, Env, Space, Spec, Task};
use crate::explain::Explain;
use crate::solver::{Graph, Report, Solvable};
use crate::tasks::{GOALS, STAGES, operand_count, poly::Poly, token};

use env::{CalculatorEnv, View};
use machine::{State, SymbolicMachine};

/// The name of the task.
pub const NAME: &str = "calculator-stages";
/// The warning for readers of results.
const CAVEAT: &str = "A fixed program per stage is optimal here: this task needs exploration, credit over seven steps and not \
     forgetting, but no context.";
/// The maximum number of steps. An episode that has not answered by then has failed.
pub const HORIZON: usize = 10;

/// The set of tokens that are actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActionSet {
    /// The six tools.
    #[default]
    Tools,
    /// All 18 tokens. Digits, CTX and EOS have no effect, but each costs a step.
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

/// The rewards of an action. The reward of a step is the sum of these parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rewards {
    /// Reward for a correct answer.
    pub correct: f64,
    /// Reward for each unit by which the distance to the goal falls below its minimum so far in the episode. The solver
    /// computes the distance, the exact number of remaining steps. A correct answer lowers it from 1 to 0. The value 0
    /// turns this reward off.
    pub milestone: f64,
    /// Reward for every step, including the answer.
    pub step: f64,
}

impl Rewards {
    /// Nothing but 1 for a correct answer, without a teacher.
    pub const ANSWER: Self = Self { correct: 1.0, milestone: 0.0, step: 0.0 };
}

impl Default for Rewards {
    fn default() -> Self {
        Self { correct: 1.0, milestone: 0.25, step: -0.02 }
    }
}

/// The task. Creating an environment is cheap, since all environments share the tables of the task.
#[derive(Clone, Debug)]
pub struct CalculatorStages {
    actions: ActionSet,
    rewards: Rewards,
    graphs: [Arc<Graph<State<Poly>>>; STAGES],
}

impl CalculatorStages {
    /// Creates the task with these actions and rewards.
    pub fn new(actions: ActionSet, rewards: Rewards) -> Self {
        let graph = |stage| Arc::new(Graph::explore(&SymbolicMachine::new(stage, actions), usize::MAX));
        Self { actions, rewards, graphs: core::array::from_fn(graph) }
    }

    /// The graph of all states of `stage`, with their distances to the goal.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn graph(&self, stage: usize) -> &Arc<Graph<State<Poly>>> {
        operand_count(stage);
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

    fn new_env(&self, stage: usize, episodes: usize) -> CalculatorEnv {
        let view = View {
            digits: operand_count(stage),
            ending: Vec::from([token::CTX]),
            tokens: self.actions.tokens().to_vec(),
            has_mask: false,
        };
        CalculatorEnv::new(episodes, self.graph(stage).clone(), view, self.rewards)
    }
}

impl Default for CalculatorStages {
    fn default() -> Self {
        Self::new(ActionSet::default(), Rewards::default())
    }
}

/// The description of the task with these actions. It needs no solver.
pub fn spec(actions: ActionSet) -> Spec {
    let names = |tokens: &[u32]| tokens.iter().map(|&token| token::name(token)).collect::<Vec<_>>();
    Spec::new(NAME, Space::tokens(names(&token::ALL)), ActionSpace::discrete(names(actions.tokens())), HORIZON)
        .with_stages(STAGES)
        .with_success()
        .with_caveat(CAVEAT)
}

impl Task for CalculatorStages {
    fn spec(&self) -> Spec {
        spec(self.actions)
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        Box::new(self.new_env(stage, episodes))
    }

    fn solver(&self) -> Option<&dyn Solvable> {
        Some(self)
    }

    fn explanations(&self) -> Option<&dyn Explain> {
        Some(self)
    }
}

impl Solvable for CalculatorStages {
    fn goal(&self, stage: usize) -> String {
        GOALS[stage].into()
    }

    fn report(&self, stage: usize) -> Report {
        let name = |action: usize| String::from(token::name(self.actions.tokens()[action]));
        Report::new(stage, self.goal(stage), self.graph(stage), name)
    }
}
