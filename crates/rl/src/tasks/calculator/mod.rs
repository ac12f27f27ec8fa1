//! `calculator`: reads digits and the text of a goal, and computes it with six tools. Nothing teaches it the way.
//!
//! The context is the digits of the operands, the goal as a formula in the letters a to e, and CTX: `4 2 7 a · b + c CTX`. The
//! machine is that of [`calculator_stages`](super::calculator_stages::machine). An episode is right if the accumulator holds the goal *as a
//! polynomial* when it answers; nothing else is rewarded. The network is not told the stage, so it must read the goal.
//!
//! A random policy almost never computes `(a·b+c)−(d·e)`. But whatever it computes is the goal of another context, and hindsight
//! learns from that: [`relabel`] says which one.

mod explain;
pub mod relabel;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::config::{Config, Curriculum};
use crate::env::{ActionSpace, Env, Space, Spec, Task, TestSet};
use crate::explain::Explain;
use crate::hindsight::Hindsight;
use crate::solver::{Graph, Report, Solvable};
use crate::tasks::calculator_stages::env::{CalculatorEnv, View};
use crate::tasks::calculator_stages::machine::{State, SymbolicMachine};
use crate::tasks::calculator_stages::{ActionSet, HORIZON, Rewards};
use crate::tasks::{GOALS, STAGES, operand_count, poly::Poly, token};

/// The name of the task.
pub const NAME: &str = "calculator";
/// The remark for readers of results.
const CAVEAT: &str =
    "The three goals differ, the operands do not matter: this task needs the text of the goal, but not the digits.";
/// The signs of formulae. Their tokens follow the digits; CTX and the tools follow them.
const SIGNS: [char; 10] = ['a', 'b', 'c', 'd', 'e', '(', ')', '+', '−', '·'];
const SIGN: u32 = 10;
const CTX: u32 = SIGN + SIGNS.len() as u32;
const ACTION: u32 = CTX + 1;

/// The task. Creating an environment is cheap, since all environments share the tables of the task.
#[derive(Clone, Debug)]
pub struct Calculator {
    /// The states of the machine in each stage.
    graphs: [Arc<Graph<State<Poly>>>; STAGES],
    /// All results that the machine can compute from all operands it has used, in ascending order.
    results: Arc<[Poly]>,
    /// The stage whose context is shown, as a distance from that of the episode.
    shown: usize,
}

impl Default for Calculator {
    fn default() -> Self {
        Self::new()
    }
}

impl Calculator {
    /// Creates the task.
    pub fn new() -> Self {
        let graph = |stage| Arc::new(Graph::explore(&SymbolicMachine::new(stage, ActionSet::Tools), usize::MAX));
        let graphs: [_; STAGES] = core::array::from_fn(graph);
        let mut results: Vec<Poly> =
            graphs.iter().flat_map(|graph| graph.states()).filter_map(relabel::result).cloned().collect();
        results.sort_unstable();
        results.dedup();
        Self { graphs, results: results.into(), shown: 0 }
    }

    /// The task with the context of another goal in each episode. It has no explanations and no hindsight.
    pub fn with_another_goal(&self) -> Self {
        Self { shown: STAGES - 1, ..self.clone() }
    }

    fn new_env(&self, stage: usize, episodes: usize) -> CalculatorEnv {
        let shown = (stage + self.shown) % STAGES;
        let view = View {
            digits: operand_count(shown),
            ending: to_tokens(GOALS[shown]),
            tokens: (ACTION..).take(token::TOOLS.len()).collect(),
            has_mask: true,
        };
        CalculatorEnv::new(episodes, self.graphs[stage].clone(), view, Rewards::ANSWER)
    }
}

/// The tokens of a formula, then CTX.
fn to_tokens(formula: &str) -> Vec<u32> {
    let token = |sign| SIGN + SIGNS.iter().position(|&known| known == sign).expect("a sign of a formula") as u32;
    formula.chars().map(token).chain([CTX]).collect()
}

/// The description of the task. It needs no solver.
pub fn spec() -> Spec {
    let actions = token::TOOLS.map(token::name);
    let digits = (0..SIGN).map(token::name).map(ToString::to_string);
    let signs = SIGNS.iter().map(ToString::to_string);
    let tokens =
        digits.chain(signs).chain([token::CTX].into_iter().chain(token::TOOLS).map(|token| token::name(token).into()));
    Spec::new(NAME, Space::tokens(tokens), ActionSpace::discrete(actions), HORIZON)
        .with_stages(STAGES)
        .with_hidden_stage()
        .with_success()
        .with_caveat(CAVEAT)
}

/// The settings that suit the task: hindsight alone, with a GRU.
pub fn default_config() -> Config {
    Config {
        width: 64,
        batch: 64,
        chunk: 64,
        explore: 0.2,
        a2c: 0.0,
        hindsight: 32,
        max_updates: 500,
        curriculum: Curriculum::Adapt,
        patience: 4,
        ..Config::default()
    }
}

impl Task for Calculator {
    fn spec(&self) -> Spec {
        spec()
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        Box::new(self.new_env(stage, episodes))
    }

    fn default_config(&self) -> Config {
        default_config()
    }

    fn solver(&self) -> Option<&dyn Solvable> {
        Some(self)
    }

    fn explanations(&self) -> Option<&dyn Explain> {
        (self.shown == 0).then_some(self as _)
    }

    fn hindsight(&self) -> Option<&dyn Hindsight> {
        (self.shown == 0).then_some(self as _)
    }

    /// A policy that reads the context of another goal computes that goal.
    fn test_sets(&self) -> Vec<TestSet> {
        let task = Box::new(self.with_another_goal());
        Vec::from([TestSet {
            name: "another goal shown".into(),
            task,
            predicted: Some(Vec::from([0.0; STAGES])),
            is_forgetting: false,
        }])
    }
}

impl Solvable for Calculator {
    fn goal(&self, stage: usize) -> String {
        GOALS[stage].into()
    }

    fn report(&self, stage: usize) -> Report {
        let name = |action: usize| String::from(token::name(token::TOOLS[action]));
        Report::new(stage, self.goal(stage), &self.graphs[stage], name)
    }
}
