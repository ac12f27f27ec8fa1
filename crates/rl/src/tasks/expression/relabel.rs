//! Hindsight for `expression`: each expression that a program computes is one for which the program is right.

use alloc::vec::Vec;

use tensor::philox::Philox;

use super::machine::{Instruction, Machine, run};
use super::tree::{Digest, Tree};
use super::{ACTION, Expression, to_tokens};
use crate::hindsight::{Achieved, Hindsight, minimize};
use crate::trajectories::Row;

/// The number of texts that are drawn for a program before it is left out, because they are all held out.
const TRIES: usize = 8;

impl Hindsight for Expression {
    /// After each operation and at ANS, an accumulator with distinct slots is an expression. Its program is minimised and
    /// answers at once.
    fn achieved(&self, played: &Row, out: &mut Vec<Achieved>) {
        let Self { stages, instructions, .. } = self;
        let answer = instructions.len() as u32 - 1;
        let program: Vec<Instruction> =
            played.actions.discrete().iter().map(|&action| instructions[action as usize]).collect();
        let mut machine = Machine::<Digest>::default();
        let mut last = None;
        for (k, &instruction) in program.iter().enumerate() {
            machine.execute(instruction);
            let is_checked = instruction.is_operation() || instruction == Instruction::Answer;
            let Some(acc) = machine.acc.filter(|acc| is_checked && last != Some(acc.hash) && acc.is_distinct()) else {
                continue;
            };
            let Some(stage) = Self::stage_of(acc.leaves.into()) else { continue };
            last = Some(acc.hash);
            if !stages[stage].trained_kinds.contains(&acc.kind) {
                continue;
            }
            let mut program = program[..=k].to_vec();
            shorten(&mut program);
            let action = |wanted: &Instruction| {
                instructions.iter().position(|known| known == wanted).expect("an instruction of the machine") as u32
            };
            let actions = program.iter().map(action).chain([answer]).collect();
            out.push(Achieved { stage, kind: acc.kind, actions });
        }
    }

    /// The text of the expression, in which the operands of + and · are exchanged at random.
    fn relabel(&self, achieved: &Achieved, rng: &mut Philox) -> Option<Row> {
        let Self { stages, instructions, .. } = self;
        let program = || achieved.actions.iter().map(|&action| instructions[action as usize]);
        let mut tree = run::<Tree>(program())?;
        let held_out = &stages[achieved.stage].held_out;
        let is_shown = (0..TRIES).any(|_| {
            tree.exchange_operands(rng);
            !held_out.contains(&tree.pattern())
        });
        if !is_shown {
            return None;
        }
        let mut machine = Machine::<Digest>::default();
        let mut legal = Vec::with_capacity(instructions.len() * achieved.actions.len());
        for instruction in program() {
            legal.extend(instructions.iter().map(|&other| machine.can_change(other)));
            if !machine.can_change(instruction) {
                return None; // a program of a file that was edited
            }
            machine.execute(instruction);
        }
        let row = Row::from_program(&to_tokens(&tree), &achieved.actions, |_, action| [ACTION + action]);
        Some(Row { legal, ..row })
    }
}

/// Removes each instruction without which the accumulator is the same at the end.
pub(super) fn shorten(program: &mut Vec<Instruction>) {
    minimize(program, Machine::<Digest>::default(), |machine, &next| machine.execute(next), |machine| machine.acc);
}
