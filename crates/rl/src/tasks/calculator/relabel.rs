//! Hindsight for `calculator`: each result that a program computes is the goal of a context for which the program is right.

use alloc::string::ToString;
use alloc::vec::Vec;

use tensor::philox::Philox;

use super::{ACTION, Calculator, to_tokens};
use crate::hindsight::{Achieved, Hindsight, minimize};
use crate::solver::START;
use crate::tasks::calculator_stages::{explain::run, machine::State};
use crate::tasks::{formula::Formula, operand_count, poly::Poly, token};
use crate::trajectories::Row;

/// The smallest number of operands of a goal.
const FEWEST: usize = 3;
/// The number of the action that answers, ANS.
const ANSWER: u32 = 3;
const _: () = assert!(token::TOOLS[ANSWER as usize] == token::ANS);

/// The content of the accumulator, if it has as many operands as were used.
pub(super) fn result(state: &State<Poly>) -> Option<&Poly> {
    state.acc.as_ref().filter(|acc| acc.variable_count() == state.position)
}

impl Hindsight for Calculator {
    /// After each action, a result of three operands or more is a goal. Its program is minimised and answers at once.
    fn achieved(&self, played: &Row, out: &mut Vec<Achieved>) {
        let digits = played.tokens.iter().take_while(|&&token| token < super::SIGN).count();
        let graph = &self.graphs[digits - FEWEST];
        let actions = played.actions.discrete();
        let mut state = START;
        let mut last = None;
        for (k, &action) in actions.iter().enumerate().filter(|&(_, &action)| action != ANSWER) {
            state = graph.next(state, action as usize);
            let reached = graph.state(state).and_then(|state| Some((state.position, result(state)?)));
            let Some((used, result)) = reached.filter(|&(used, result)| used >= FEWEST && last != Some(result)) else {
                continue;
            };
            last = Some(result);
            let kind = self.results.binary_search(result).expect("a result of the machine") as u64;
            let mut program = actions[..=k].to_vec();
            let step = |state: &mut u16, &action: &u32| *state = graph.next(*state, action as usize);
            minimize(&mut program, START, step, |&state| graph.state(state).map(|state| state.acc.clone()));
            program.push(ANSWER);
            out.push(Achieved { stage: used - FEWEST, kind, actions: program });
        }
    }

    /// The formula that the program computes, of random digits.
    fn relabel(&self, achieved: &Achieved, rng: &mut Philox) -> Option<Row> {
        let graph = &self.graphs[achieved.stage];
        let count = operand_count(achieved.stage);
        let mut context: Vec<u32> = (0..count).map(|_| rng.below(10)).collect();
        context.extend(to_tokens(&compute_formula(&achieved.actions, count)?.to_string()));
        let mut legal = Vec::with_capacity(token::TOOLS.len() * achieved.actions.len());
        let mut state = START;
        for &action in &achieved.actions {
            legal.extend((0..token::TOOLS.len()).map(|other| graph.next(state, other) != state));
            let next = graph.next(state, action as usize);
            if next == state {
                return None; // a program of a file that was edited
            }
            state = next;
        }
        let row = Row::from_program(&context, &achieved.actions, |_, action| [ACTION + action]);
        Some(Row { legal, ..row })
    }
}

/// The accumulator after a program, as a formula in the first `count` operands.
fn compute_formula(actions: &[u32], count: usize) -> Option<Formula> {
    let program: Vec<u32> = actions.iter().map(|&action| token::TOOLS[action as usize]).collect();
    run(&program, &Formula::variables()[..count]).pop()?.acc
}
