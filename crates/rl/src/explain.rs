//! Episodes in words: what the tools of a task hold after each action, as formulae and as numbers.
//!
//! ```
//! use rl::{env::Task, explain::Explain, tasks::Calculator};
//!
//! let task = Calculator::default();
//! let actions = ["MUL", "ADD"].map(|name| (0..task.actions()).find(|&a| task.action_name(a) == name).unwrap() as u32);
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

/// A task whose episodes can be started on operands of one's choice, and told.
pub trait Explain: Task {
    /// The number of operands that the context of `stage` shows.
    ///
    /// # Panics
    /// If there is no such stage.
    fn operands(&self, stage: usize) -> usize;

    /// One episode of `stage`, started on these operands; it needs no reset.
    ///
    /// # Panics
    /// Unless the stage shows as many operands, all of them digits.
    fn env_on(&self, stage: usize, operands: &[u32]) -> Box<dyn Env>;

    /// What an answer is measured by, first what the stage asks for.
    ///
    /// # Panics
    /// Unless the stage shows as many operands.
    fn goals(&self, stage: usize, operands: &[u32]) -> Vec<Register>;

    /// What the tools hold before the first of these actions and after each: one entry more than there are actions.
    ///
    /// # Panics
    /// Unless the stage shows as many operands, and on an action that the task does not have.
    fn states(&self, stage: usize, operands: &[u32], actions: &[u32]) -> Vec<Vec<Register>>;
}

/// A place that a tool reads or writes, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub content: Content,
}

/// What a register holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Empty,
    /// A value: how it was computed from the operands, and what it is for those of the episode.
    Value {
        /// As in `a·b+c`.
        formula: String,
        /// As in 15.
        number: i64,
    },
    /// Something that is not a number.
    Words(String),
}

impl Register {
    pub(crate) fn new(name: &'static str, value: Option<(Formula, i64)>) -> Self {
        let content = |(formula, number): (Formula, i64)| Content::Value { formula: formula.to_string(), number };
        Self { name, content: value.map_or(Content::Empty, content) }
    }

    pub(crate) fn words(name: &'static str, words: impl Into<String>) -> Self {
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

/// The operands as numbers.
///
/// # Panics
/// Unless there are `expected`, all of them digits.
#[track_caller]
pub(crate) fn digits(operands: &[u32], expected: usize) -> Vec<i64> {
    assert!(
        operands.len() == expected && operands.iter().all(|&digit| digit < 10),
        "operands {operands:?}, but the stage shows {expected} digits"
    );
    operands.iter().map(|&digit| digit.into()).collect()
}
