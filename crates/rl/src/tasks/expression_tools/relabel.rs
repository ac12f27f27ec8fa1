//! Hindsight for `expression-tools`: an expression that was computed after a tool had answered is right where that answer selects it.
//!
//! An episode that has observed the bit of x, and then computed e, is a demonstration for `IF x e …` or `IF x … e`, by the bit, with
//! any other expression in the other branch: call x until it answers, compute e, answer. Two observed bits make one for two IFs. Only
//! bits that were observed before the first step of the program count: a program that was right by luck teaches nothing.

use alloc::vec::Vec;

use tensor::philox::Philox;

use super::problem::{Problem, draw_other, draw_slot};
use super::{ACTION, ExpressionTools, FAIL, HIGH, HORIZON, LOW, bit_token};
use crate::hindsight::{Achieved, Hindsight, minimize};
use crate::tasks::expression::RULES;
use crate::tasks::expression::machine::{Instruction, Machine, run};
use crate::tasks::expression::tree::{Digest, Tree};
use crate::trajectories::Row;

/// The number of problems that are drawn for a program before it is left out, because they are all held out.
const TRIES: usize = 16;

/// A slot whose tool has answered: the number of calls up to then, and the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answered {
    slot: u32,
    calls: usize,
    bit: bool,
    /// The index of the action that was answered.
    time: usize,
}

/// The kind of a demonstration: its operator, and the calls and the bit of each slot that it uses, one byte each.
fn encode(operation: u32, used: &[Answered]) -> u64 {
    let bytes = used.iter().rev().map(|used| 2 * used.calls as u64 + u64::from(used.bit)).chain([operation.into()]);
    bytes.fold(0, |bytes, byte| (bytes << 8) | byte)
}

/// The calls and the bit of each slot that a kind uses.
fn decode(kind: u64) -> impl Iterator<Item = (usize, bool)> {
    let bytes = kind.to_le_bytes();
    bytes.into_iter().skip(1).take_while(|&byte| byte > 0).map(|byte| (usize::from(byte / 2), byte % 2 == 1))
}

impl Hindsight for ExpressionTools {
    /// After each operation, an accumulator with two slots is an expression. Its program is minimised and answers at once.
    fn achieved(&self, played: &Row, out: &mut Vec<Achieved>) {
        let (mut machine, mut last) = (Machine::<Digest>::default(), None);
        let (mut calls, mut answered, mut program) = ([0; RULES.slots], Vec::<Answered>::new(), Vec::new());
        for (time, &action) in played.actions.discrete().iter().enumerate() {
            if let Some(slot) = self.called(action) {
                let is_known = answered.iter().any(|known| known.slot == slot);
                let read = played.ends.get(time + 1).map(|&end| played.tokens[end as usize]).filter(|_| !is_known);
                calls[slot as usize] += usize::from(!is_known);
                if let Some(answer @ (HIGH | LOW)) = read {
                    answered.push(Answered { slot, calls: calls[slot as usize], bit: answer == HIGH, time });
                }
                continue;
            }
            let instruction = self.instructions[action as usize];
            machine.execute(instruction);
            program.push((time, action));
            let is_new = |acc: &Digest| acc.leaves == 2 && acc.is_distinct() && last != Some(acc.hash);
            let Some(acc) = machine.acc.filter(|acc| instruction.is_operation() && is_new(acc)) else { continue };
            last = Some(acc.hash);
            let mut program = program.clone();
            let step = |machine: &mut Machine<_>, &(_, action): &(usize, u32)| {
                machine.execute(self.instructions[action as usize]);
            };
            minimize(&mut program, Machine::<Digest>::default(), step, |machine| machine.acc);
            let known: Vec<Answered> = answered.iter().copied().filter(|known| known.time < program[0].0).collect();
            let mut add = |stage, used: &[Answered]| {
                let call = |used: &Answered| core::iter::repeat_n(self.call(used.slot), used.calls);
                let actions: Vec<u32> = used
                    .iter()
                    .flat_map(call)
                    .chain(program.iter().map(|&(_, action)| action))
                    .chain([self.answer()])
                    .collect();
                let kind = encode(program[program.len() - 1].1, used);
                out.extend((actions.len() <= HORIZON).then_some(Achieved { stage, kind, actions }));
            };
            for &x in &known {
                add(0, &[x]);
                add(1, &[x]);
                known.iter().filter(|y| y.slot != x.slot).for_each(|&y| add(1, &[x, y]));
            }
        }
    }

    /// A problem in which the bits that were observed select the expression. What they do not select is drawn.
    fn relabel(&self, Achieved { stage, kind, actions }: &Achieved, rng: &mut Philox) -> Option<Row> {
        let (mut program, mut used, mut answers) = (&actions[..], Vec::new(), Vec::new());
        for (calls, bit) in decode(*kind) {
            let slot = self.called(*program.first()?)?;
            let (own, rest) = program.split_at_checked(calls)?;
            program = rest;
            if own.iter().any(|&action| self.called(action) != Some(slot)) {
                return None; // a program of a file that was edited
            }
            used.push((slot, bit));
            answers.extend((1..=calls).map(|call| if call == calls { bit_token(bit) } else { FAIL }));
        }
        let mut machine = Machine::<Digest>::default();
        let mut legal = Vec::with_capacity(self.action_count() * actions.len());
        (0..answers.len()).for_each(|_| self.write_legal(&machine, &mut legal));
        let program: Vec<Instruction> =
            program.iter().map(|&action| self.instructions.get(action as usize).copied()).collect::<Option<_>>()?;
        for &instruction in &program {
            self.write_legal(&machine, &mut legal);
            if !machine.can_change(instruction) {
                return None;
            }
            machine.execute(instruction);
        }
        let mut tree =
            run::<Tree>(program).filter(|tree| tree.leaves() == 2 && tree.value::<Digest>().is_distinct())?;
        let held_out = &self.patterns[*stage].held_out;
        let problem = (0..TRIES).find_map(|_| {
            tree.exchange_operands(rng);
            draw_problem(*stage, &used, tree.clone(), rng).filter(|problem| !held_out.contains(&problem.pattern()))
        })?;
        let row = Row::from_program(&problem.to_tokens(), actions, |t, action| {
            [Some(ACTION + action), answers.get(t).copied()].into_iter().flatten()
        });
        Some(Row { legal, ..row })
    }
}

/// Draws a problem in which these bits select `tree`; `None` if they are not those of a problem of the stage.
fn draw_problem(stage: usize, used: &[(u32, bool)], tree: Tree, rng: &mut Philox) -> Option<Problem> {
    let mut drawn = Vec::from([tree.value::<Digest>().hash]);
    let mut other = |rng: &mut Philox| Problem::Expression(draw_other(&mut drawn, rng));
    let right = Problem::Expression(tree);
    match (stage, used) {
        (0, &[(x, bit)]) => Some(Problem::choice(x, bit, right, other(rng))),
        (1, &[(x, bit)]) => {
            let inner = Problem::choice(draw_slot(x, rng), true, other(rng), other(rng));
            Some(Problem::choice(x, bit, right, inner))
        }
        (1, &[(x, outer), (y, bit)]) if x != y => {
            let inner = Problem::choice(y, bit, right, other(rng));
            Some(Problem::choice(x, outer, inner, other(rng)))
        }
        _ => None,
    }
}
