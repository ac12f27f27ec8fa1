//! Explanations of `calculator-stages` episodes: one machine runs on formulae, another on numbers.

use alloc::{boxed::Box, string::String, vec, vec::Vec};
use core::ops::ControlFlow::{Break, Continue};

use super::CalculatorStages;
use super::machine::State;
use crate::env::Env;
use crate::explain::{Explain, Register, to_digits};
use crate::tasks::{self, Number, formula::Formula};

impl Explain for CalculatorStages {
    fn operand_count(&self, stage: usize) -> usize {
        tasks::operand_count(stage)
    }

    fn env_with_operands(&self, stage: usize, operands: &[u32]) -> Box<dyn Env> {
        to_digits(operands, tasks::operand_count(stage));
        Box::new(self.new_env(stage, 1).with_operands(operands))
    }

    fn goals(&self, stage: usize, operands: &[u32]) -> Vec<Register> {
        vec![explain_goal(stage, operands)]
    }

    fn states(&self, stage: usize, operands: &[u32], actions: &[u32]) -> Vec<Vec<Register>> {
        explain_program(stage, operands, actions.iter().map(|&action| self.actions.tokens()[action as usize]))
    }
}

/// The goal of a stage, as a formula and as a number.
///
/// # Panics
/// If the number of operands is not that of the stage.
#[track_caller]
pub(in crate::tasks) fn explain_goal(stage: usize, operands: &[u32]) -> Register {
    let numbers = to_digits(operands, tasks::operand_count(stage));
    Register::new("goal", Some((tasks::goal(stage, &Formula::variables()), tasks::goal(stage, &numbers))))
}

/// The registers before the first token of a program and after each token.
///
/// # Panics
/// If the number of operands is not that of the stage.
#[track_caller]
pub(in crate::tasks) fn explain_program(
    stage: usize,
    operands: &[u32],
    program: impl Iterator<Item = u32>,
) -> Vec<Vec<Register>> {
    let numbers = to_digits(operands, tasks::operand_count(stage));
    let symbols = &Formula::variables()[..numbers.len()];
    let program: Vec<u32> = program.collect();
    let (formulae, numbers) = (run(&program, symbols), run(&program, &numbers));
    formulae.into_iter().zip(numbers).map(|(formulae, numbers)| registers(formulae, numbers, symbols)).collect()
}

/// The states before the first token of a program and after each token. An answer changes no register.
pub(in crate::tasks) fn run<V: Number>(program: &[u32], operands: &[V]) -> Vec<State<V>> {
    let mut states = vec![State::default()];
    for &token in program {
        let state = states[states.len() - 1].clone();
        states.push(match state.clone().step(token, operands, &V::default()) {
            Continue(next) => next,
            Break(_) => state,
        });
    }
    states
}

fn registers(formulae: State<Formula>, numbers: State<i64>, symbols: &[Formula]) -> Vec<Register> {
    let used: Vec<String> = symbols[..numbers.position].iter().map(|symbol| alloc::format!("{symbol}")).collect();
    vec![
        Register::new("acc", formulae.acc.zip(numbers.acc)),
        Register::new("mem", formulae.mem.zip(numbers.mem)),
        Register::new("left", formulae.left.zip(numbers.left)),
        Register::from_words("used", if used.is_empty() { "no operand".into() } else { used.join(" ") }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Actions, Episodes, Task};
    use crate::explain::Content;
    use crate::tasks::{calculator_stages::HORIZON, poly::Poly};
    use alloc::string::ToString;

    fn actions(program: &str) -> Vec<u32> {
        let spec = CalculatorStages::default().spec();
        let find = |name| (0..6).find(|&action| spec.action_name(action) == name).expect("an action");
        program.split(' ').map(find).collect()
    }

    fn lines(stage: usize, operands: &[u32], program: &str) -> Vec<String> {
        let line = |state: Vec<Register>| state.iter().map(Register::to_string).collect::<Vec<_>>().join(", ");
        CalculatorStages::default().states(stage, operands, &actions(program)).into_iter().map(line).collect()
    }

    #[test]
    fn states_of_the_longest_program_are_explained() {
        assert_eq!(
            lines(2, &[4, 2, 7, 3, 5], "MUL ADD STO MUL RCL SUB ANS"),
            [
                "acc empty, mem empty, left empty, used no operand",
                "acc = a·b = 8, mem empty, left empty, used a b",
                "acc = a·b+c = 15, mem empty, left empty, used a b c",
                "acc empty, mem = a·b+c = 15, left empty, used a b c",
                "acc = d·e = 15, mem = a·b+c = 15, left empty, used a b c d e",
                "acc = d·e = 15, mem empty, left = a·b+c = 15, used a b c d e",
                "acc = (a·b+c)−(d·e) = 0, mem empty, left empty, used a b c d e",
                "acc = (a·b+c)−(d·e) = 0, mem empty, left empty, used a b c d e",
            ]
        );
        let goals = CalculatorStages::default().goals(2, &[4, 2, 7, 3, 5]);
        assert_eq!(goals.iter().map(Register::to_string).collect::<Vec<_>>(), ["goal = (a·b+c)−(d·e) = 0"]);
    }

    /// The environment steps through a graph of polynomials. For every program, the explained states agree with it.
    #[test]
    fn states_agree_with_the_environment_for_all_programs() {
        let (task, operands) = (CalculatorStages::default(), [4, 2, 7, 3]);
        let goal = &task.goals(1, &operands)[0].content;
        let polynomial = |state: &State<Poly>| state.acc.as_ref().map(|acc| acc.value(&operands.map(i64::from)));
        for number in 0..6usize.pow(5) {
            let program: Vec<u32> = (0..5).map(|i| (number / 6usize.pow(i) % 6) as u32).collect();
            let mut episodes = Episodes::with_env(task.spec(), 1, task.env_with_operands(1, &operands), 1);
            let (mut rngs, mut place) = ([tensor::philox::Philox::new(0)], crate::solver::START);
            episodes.reset(&[0], &mut rngs).expect("no fault");
            assert_eq!(episodes.observations().tokens(0), [4, 2, 7, 3, crate::tasks::token::CTX]);
            let states = task.states(1, &operands, &program);
            assert!(states.len() == 6 && HORIZON > 5);
            for (action, state) in program.iter().zip(&states[1..]) {
                episodes.step(&[0], &Actions::Discrete(vec![*action]), &mut rngs).expect("no fault");
                let out = episodes.transitions();
                let is_done = out.is_done(0);
                place = task.graph(1).next(place, *action as usize);
                match task.graph(1).state(place) {
                    Some(expected) => assert_eq!(number_of(&state[0]), polynomial(expected), "{program:?}"),
                    None => assert_eq!(is_done && out.solved[0], is_done && state[0].content == *goal),
                }
                if is_done {
                    break;
                }
            }
        }
    }

    fn number_of(register: &Register) -> Option<i64> {
        match register.content {
            Content::Value { number, .. } => Some(number),
            _ => None,
        }
    }

    #[test]
    #[should_panic(expected = "operands [4, 2], but the stage has 3 digits")]
    fn env_with_operands_wrong_count_panics() {
        CalculatorStages::default().env_with_operands(0, &[4, 2]);
    }
}
