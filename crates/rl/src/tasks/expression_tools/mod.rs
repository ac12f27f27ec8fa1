//! `expression-tools`: hidden bits select which expression is asked for, and only tools know the bits.
//!
//! The context is `IF x e₁ e₂ GO`, or one of the branches is an IF again. Each slot has a hidden bit. PR x calls the tool of slot x,
//! and the policy reads its answer after its own action: HI or LO; or FAIL, with probability q. HI selects the first branch. An
//! episode is right if the accumulator holds the selected expression, as in [`expression`], when it answers.
//!
//! A policy that calls no tool is right in half of the episodes of the first stage, and in half of those of the second at best:
//! it must call, wait for the answer, and act by it. There is time for six calls and a shortest program. So at q = 1/2 a policy
//! that calls until it knows, and never guesses, is right in 63/64 and 15/16 of the episodes; with the best guess in 127/128 and
//! 31/32.
//!
//! [`problem`] has the problems, [`mod@env`] the episodes, and [`relabel`] says what an episode achieved.

pub mod env;
pub mod problem;
pub mod relabel;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::config::Config;
use crate::env::{ActionSpace, Env, Space, Spec, Task, TestSet};
use crate::hindsight::Hindsight;
use crate::tasks::expression::machine::Instruction;
use crate::tasks::expression::tree::{Operator, slot_name};
use crate::tasks::expression::{self, GO, RULES};

use env::ToolsEnv;
use problem::Patterns;

/// The name of the task.
pub const NAME: &str = "expression-tools";
/// The maximum number of steps: six calls, and a program of four steps.
pub const HORIZON: usize = 10;
/// The number of stages: one IF, and two.
pub const STAGES: usize = 2;

/// The tokens after those that `expression` has before its actions.
const IF: u32 = GO + 1;
const HIGH: u32 = IF + 1;
const LOW: u32 = HIGH + 1;
const FAIL: u32 = LOW + 1;
const ACTION: u32 = FAIL + 1;

/// The task. Its copies share the list of patterns that are held out.
#[derive(Clone, Debug)]
pub struct ExpressionTools {
    patterns: Arc<[Patterns; STAGES]>,
    instructions: Arc<[Instruction]>,
    /// q, the probability that a call fails.
    failures: f64,
    /// True for the problems that are held out.
    is_held_out: bool,
    /// True if the tools answer with the other bit.
    is_lying: bool,
}

impl Default for ExpressionTools {
    fn default() -> Self {
        Self::new(0.0)
    }
}

impl ExpressionTools {
    /// Creates the task with the training problems. Calls fail with this probability.
    pub fn new(failures: f64) -> Self {
        let patterns = Arc::new(core::array::from_fn(Patterns::new));
        let instructions = RULES.instructions().into();
        Self { patterns, instructions, failures, is_held_out: false, is_lying: false }
    }

    /// The task with the problems that are held out: a fifth of the patterns, which are the operators and the place of the second
    /// IF.
    pub fn held_out(&self) -> Self {
        Self { is_held_out: true, ..self.clone() }
    }

    /// The task with tools that answer with the other bit. The problems stay, and so do their goals.
    pub fn lying(&self) -> Self {
        Self { is_lying: true, ..self.clone() }
    }

    /// The slot whose tool an action calls.
    fn called(&self, action: u32) -> Option<u32> {
        action.checked_sub(self.instructions.len() as u32)
    }

    /// The action that calls the tool of a slot.
    fn call(&self, slot: u32) -> u32 {
        self.instructions.len() as u32 + slot
    }

    /// The action that answers, ANS.
    fn answer(&self) -> u32 {
        self.instructions.len() as u32 - 1
    }

    /// The number of actions.
    fn action_count(&self) -> usize {
        self.instructions.len() + RULES.slots
    }
}

/// The answer of a tool that tells this bit.
fn bit_token(bit: bool) -> u32 {
    if bit { HIGH } else { LOW }
}

/// The description of the task.
pub fn spec() -> Spec {
    let slots = || (0..RULES.slots as u32).map(slot_name);
    let instructions = RULES.instructions().into_iter().map(Instruction::name);
    let actions: Vec<String> = instructions.chain(slots().map(|slot| format!("PR {slot}"))).collect();
    let signs = Operator::ALL.map(Operator::sign).map(String::from);
    let words = ["GO", "IF", "HI", "LO", "FAIL"].map(String::from);
    let tokens = ["(", ")"].map(String::from).into_iter().chain(slots().map(|slot| slot.to_string()));
    let tokens = tokens.chain(signs).chain(words).chain(actions.clone());
    Spec::new(NAME, Space::tokens(tokens), ActionSpace::discrete(actions), HORIZON)
        .with_stages(STAGES)
        .with_success()
        .with_caveat(expression::CAVEAT)
}

/// The settings that suit the task: those of `expression`, with more episodes in a validation and in the test.
pub fn default_config() -> Config {
    Config { validation_episodes: 2048, test_episodes: 4096, ..expression::default_config() }
}

impl Task for ExpressionTools {
    fn spec(&self) -> Spec {
        spec()
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        Box::new(ToolsEnv::new(self, stage, episodes))
    }

    fn default_config(&self) -> Config {
        Config { call_failures: self.failures, ..default_config() }
    }

    fn hindsight(&self) -> Option<&dyn Hindsight> {
        Some(self)
    }

    /// One call, or one and a half on average, and a program of four steps; unknown if calls may fail.
    fn optimum(&self, stage: usize) -> Option<f64> {
        (self.failures == 0.0).then_some(5.0 + 0.5 * stage as f64)
    }

    fn label(&self, stage: usize) -> String {
        format!("{} IF", stage + 1)
    }

    fn test_sets(&self) -> Vec<TestSet> {
        // Who acts by answers that are wrong computes the other branch.
        let predicted = (self.failures == 0.0).then(|| Vec::from([0.0; STAGES]));
        Vec::from([
            TestSet { name: "held out".into(), task: Box::new(self.held_out()), predicted: None, is_forgetting: false },
            TestSet { name: "tools lie".into(), task: Box::new(self.lying()), predicted, is_forgetting: false },
            TestSet {
                name: "tools fail".into(),
                task: Box::new(Self { failures: 1.0, ..self.clone() }),
                predicted: None,
                is_forgetting: false,
            },
        ])
    }
}
