//! The machine of `expression-read`: a text, a stack of values, and a notebook.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::END;
use crate::tasks::expression::RULES;
use crate::tasks::expression::tree::{Operator, Value, slot_name};

/// An action of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// LD x: pushes a slot.
    Load(u32),
    /// ADD, SUB, MUL: pops b, pops a, pushes a ∘ b.
    Apply(Operator),
    /// READ: shows the next token; END for ever.
    Read,
    /// NOTE: pushes the token that was shown last on the notebook.
    Note,
    /// RECALL: pops a token from the notebook and shows it.
    Recall,
    /// ANS: ends the program.
    Answer,
}

impl Action {
    /// All actions, in their order.
    pub fn all() -> impl Iterator<Item = Self> {
        let loads = (0..RULES.slots as u32).map(Self::Load);
        let rest = [Self::Read, Self::Note, Self::Recall, Self::Answer];
        loads.chain(Operator::ALL.into_iter().map(Self::Apply)).chain(rest)
    }

    /// The action with this number.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn from_number(number: u32) -> Self {
        Self::all().nth(number as usize).expect("an action of the task")
    }

    /// The name of the action.
    pub fn name(self) -> String {
        match self {
            Self::Load(slot) => format!("LD {}", slot_name(slot)),
            Self::Apply(Operator::Add) => "ADD".into(),
            Self::Apply(Operator::Sub) => "SUB".into(),
            Self::Apply(Operator::Mul) => "MUL".into(),
            Self::Read => "READ".into(),
            Self::Note => "NOTE".into(),
            Self::Recall => "RECALL".into(),
            Self::Answer => "ANS".into(),
        }
    }
}

/// The state of a machine on values of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine<V> {
    /// The values.
    pub stack: Vec<V>,
    /// The tokens that were noted.
    pub notebook: Vec<u32>,
    /// The number of READs.
    pub reads: usize,
    /// The token that was shown last.
    pub shown: Option<u32>,
}

/// The machine before its first action.
impl<V> Default for Machine<V> {
    fn default() -> Self {
        Self { stack: Vec::new(), notebook: Vec::new(), reads: 0, shown: None }
    }
}

impl<V: Value> Machine<V> {
    /// Executes an action on a text, which ends with END. Returns what it shows. An impossible action and ANS change nothing.
    pub fn execute(&mut self, action: Action, text: &[u32]) -> Option<u32> {
        let Self { stack, notebook, reads, shown } = self;
        let now = match action {
            Action::Load(slot) => {
                stack.push(V::from_slot(slot));
                None
            }
            Action::Apply(operator) => {
                if stack.len() >= 2
                    && let (Some(b), Some(a)) = (stack.pop(), stack.pop())
                {
                    stack.push(V::apply(operator, a, b));
                }
                None
            }
            Action::Read => {
                *reads += 1;
                Some(text.get(*reads - 1).copied().unwrap_or(END))
            }
            Action::Note => {
                notebook.extend(*shown);
                None
            }
            Action::Recall => notebook.pop(),
            Action::Answer => None,
        };
        *shown = now.or(*shown);
        now
    }

    /// The value that ANS answers: the only one, once END was shown.
    pub fn result(&self, text: &[u32]) -> Option<&V> {
        match &self.stack[..] {
            [value] if self.reads >= text.len() => Some(value),
            _ => None,
        }
    }
}
