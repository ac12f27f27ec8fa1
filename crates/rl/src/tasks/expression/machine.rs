//! The machine of `expression`: an accumulator, an argument, and registers.
//!
//! | action | condition | effect |
//! |---|---|---|
//! | LD_i | | `acc` := slot i if `acc` is empty, else `arg` := slot i |
//! | ADD, SUB, MUL | `acc` and `arg` set | `acc` := `acc` ∘ `arg`; `arg` emptied |
//! | RSB | `acc` and `arg` set | `acc` := `arg` − `acc`; `arg` emptied |
//! | ST_k | `acc` set | register k := `acc`; `acc` and `arg` emptied |
//! | RC_k | register k set | as LD, of the register, which is emptied |
//! | ANS | | ends the program; right if `acc` is the goal |
//!
//! An action whose condition does not hold has no effect, but costs its step.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::tree::{Operator, Value, slot_name};

/// The maximum of M.
pub const MAX_REGISTERS: usize = 3;

/// The sizes of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// N, the number of slots.
    pub slots: usize,
    /// M, the number of registers, at most [`MAX_REGISTERS`].
    pub registers: usize,
    /// True if there is RSB.
    pub has_reverse: bool,
}

/// An action of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// LD_i: loads a slot.
    Load(u32),
    /// ADD, SUB, MUL.
    Apply(Operator),
    /// RSB.
    Reverse,
    /// ST_k: moves the accumulator to a register.
    Store(usize),
    /// RC_k: loads a register and empties it.
    Recall(usize),
    /// ANS: ends the program.
    Answer,
}

impl Rules {
    /// All instructions, in the order of the actions.
    pub fn instructions(self) -> Vec<Instruction> {
        let Self { slots, registers, has_reverse } = self;
        let mut all: Vec<_> = (0..slots as u32).map(Instruction::Load).collect();
        all.extend(Operator::ALL.map(Instruction::Apply));
        all.extend(has_reverse.then_some(Instruction::Reverse));
        all.extend((0..registers).flat_map(|k| [Instruction::Store(k), Instruction::Recall(k)]));
        all.push(Instruction::Answer);
        all
    }
}

impl Instruction {
    /// The name of the action.
    pub fn name(self) -> String {
        match self {
            Self::Load(slot) => format!("LD {}", slot_name(slot)),
            Self::Apply(Operator::Add) => "ADD".into(),
            Self::Apply(Operator::Sub) => "SUB".into(),
            Self::Apply(Operator::Mul) => "MUL".into(),
            Self::Reverse => "RSB".into(),
            Self::Store(k) => format!("ST {k}"),
            Self::Recall(k) => format!("RC {k}"),
            Self::Answer => "ANS".into(),
        }
    }

    /// Returns true for ADD, SUB, MUL and RSB.
    pub fn is_operation(self) -> bool {
        matches!(self, Self::Apply(_) | Self::Reverse)
    }
}

/// The state of a machine on values of any kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Machine<V> {
    /// The accumulator.
    pub acc: Option<V>,
    /// The argument.
    pub arg: Option<V>,
    /// The registers.
    pub registers: [Option<V>; MAX_REGISTERS],
}

/// The machine before its first instruction.
impl<V> Default for Machine<V> {
    fn default() -> Self {
        Self { acc: None, arg: None, registers: [const { None }; MAX_REGISTERS] }
    }
}

impl<V: Value> Machine<V> {
    /// Returns true if the instruction changes the state or ends the program.
    pub fn can_change(&self, instruction: Instruction) -> bool {
        match instruction {
            Instruction::Load(slot) => self.acc.is_none() || self.arg != Some(V::from_slot(slot)),
            Instruction::Apply(_) | Instruction::Reverse => self.acc.is_some() && self.arg.is_some(),
            Instruction::Store(_) => self.acc.is_some(),
            Instruction::Recall(k) => self.registers[k].is_some(),
            Instruction::Answer => true,
        }
    }

    /// Executes an instruction. ANS changes nothing.
    pub fn execute(&mut self, instruction: Instruction) {
        match instruction {
            Instruction::Load(slot) => self.load(V::from_slot(slot)),
            Instruction::Apply(operator) => self.apply(|acc, arg| V::apply(operator, acc, arg)),
            Instruction::Reverse => self.apply(|acc, arg| V::apply(Operator::Sub, arg, acc)),
            Instruction::Store(k) => {
                if let Some(acc) = self.acc.take() {
                    (self.registers[k], self.arg) = (Some(acc), None);
                }
            }
            Instruction::Recall(k) => {
                if let Some(value) = self.registers[k].take() {
                    self.load(value);
                }
            }
            Instruction::Answer => {}
        }
    }

    fn load(&mut self, value: V) {
        let to = if self.acc.is_none() { &mut self.acc } else { &mut self.arg };
        *to = Some(value);
    }

    fn apply(&mut self, operation: impl FnOnce(V, V) -> V) {
        if self.acc.is_some()
            && let Some(arg) = self.arg.take()
        {
            self.acc = self.acc.take().map(|acc| operation(acc, arg));
        }
    }
}

/// Computes the accumulator after a program.
pub fn run<V: Value>(program: impl IntoIterator<Item = Instruction>) -> Option<V> {
    let mut machine = Machine::default();
    program.into_iter().for_each(|instruction| machine.execute(instruction));
    machine.acc
}
