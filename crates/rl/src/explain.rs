//! Explanations of episodes: the contents of a task's registers after each action, as formulae and as numbers.
//!
//! ```
//! use rl::{env::Task, explain::Explain, tasks::CalculatorStages};
//!
//! let (task, spec) = (CalculatorStages::default(), CalculatorStages::default().spec());
//! let actions = ["MUL", "ADD"].map(|name| (0..6).find(|&action| spec.action_name(action) == name).unwrap());
//! let states = task.states(0, &[4, 2, 7], &actions);
//! assert_eq!(states[1][0].to_string(), "acc = a·b = 8");
//! assert_eq!(states[2][0].to_string(), "acc = a·b+c = 15");
//! assert_eq!(states[2][1].to_string(), "mem empty");
//! assert_eq!(task.goals(0, &[4, 2, 7])[0].to_string(), "goal = a·b+c = 15");
//! ```

use alloc::string::{String, ToString};
use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use crate::env::{Env, Task};
use crate::tasks::formula::Formula;

/// A task that can start episodes on given operands and explain them.
pub trait Explain: Task {
    /// The number of operands, or of tokens that describe the problem, at the start of the context of `stage`.
    ///
    /// # Panics
    /// If the task has no such stage.
    fn operand_count(&self, stage: usize) -> usize;

    /// Parses a context that a person typed: its stage, and its operands or tokens without the end of the context. Returns
    /// `None`, the default, if contexts are digits, which the command parses itself. The error is a sentence.
    fn parse_context(&self, text: &str) -> Option<Result<(usize, Vec<u32>), String>> {
        let _ = text;
        None
    }

    /// Creates an environment of one episode of `stage`. Each reset starts it on these operands.
    ///
    /// # Panics
    /// If the number of operands is not that of the stage, or if one is not a digit.
    fn env_with_operands(&self, stage: usize, operands: &[u32]) -> Box<dyn Env>;

    /// The goals that an answer is compared with; the first is the goal of the stage.
    ///
    /// # Panics
    /// If the number of operands is not that of the stage.
    fn goals(&self, stage: usize, operands: &[u32]) -> Vec<Register>;

    /// Draws the problem in several lines, if it has a drawing.
    ///
    /// # Panics
    /// If the number of operands is not that of the stage.
    fn drawing(&self, stage: usize, operands: &[u32]) -> Vec<String> {
        let _ = (stage, operands);
        Vec::new()
    }

    /// The registers before the first of these actions and after each action: one entry more than there are actions.
    ///
    /// # Panics
    /// If the number of operands is not that of the stage, or if the task has no such action.
    fn states(&self, stage: usize, operands: &[u32], actions: &[u32]) -> Vec<Vec<Register>>;
}

/// A register that the tools read or write, with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// The name of the register.
    pub name: &'static str,
    /// The content of the register.
    pub content: Content,
}

/// The content of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Empty,
    /// A value, as a formula in the operands and as a number.
    Value {
        /// The formula, for example `a·b+c`.
        formula: String,
        /// The number for the operands of the episode, for example 15.
        number: i64,
    },
    /// A text that is not a number.
    Words(String),
}

impl Register {
    pub(crate) fn new(name: &'static str, value: Option<(Formula, i64)>) -> Self {
        let content = |(formula, number): (Formula, i64)| Content::Value { formula: formula.to_string(), number };
        Self { name, content: value.map_or(Content::Empty, content) }
    }

    pub(crate) fn from_words(name: &'static str, words: impl Into<String>) -> Self {
        Self { name, content: Content::Words(words.into()) }
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Empty => write!(f, "{} empty", self.name),
            Content::Value { formula, number } => write!(f, "{} = {formula} = {number}", self.name),
            Content::Words(words) => write!(f, "{} {words}", self.name),
        }
    }
}

/// Converts the operands to numbers.
///
/// # Panics
/// If there are not `expected` operands, or if one is not a digit.
#[track_caller]
pub(crate) fn to_digits(operands: &[u32], expected: usize) -> Vec<i64> {
    assert!(
        operands.len() == expected && operands.iter().all(|&digit| digit < 10),
        "operands {operands:?}, but the stage has {expected} digits"
    );
    operands.iter().map(|&digit| digit.into()).collect()
}
