//! Episodes of `tutorial` in words: what its machine holds, and what it pays for beside what it asks for.

use alloc::{boxed::Box, vec, vec::Vec};

use super::Tutorial;
use super::env::TutorialEnv;
use super::machine::{State, correct};
use crate::env::Env;
use crate::explain::{Explain, Register, digits};
use crate::tasks::{self, Number, formula::Formula, token};

/// What STO leaves behind, whatever `last` holds.
const MARK: &str = "marked (it stores no value)";

impl Explain for Tutorial {
    fn operands(&self, stage: usize) -> usize {
        tasks::operands(stage)
    }

    /// Operands that the stage does not show are 0; nothing in it uses them.
    fn env_on(&self, stage: usize, operands: &[u32]) -> Box<dyn Env> {
        let mut env = TutorialEnv::new(stage, 1);
        env.start(0, padded(stage, operands).map(|digit| digit as u32));
        Box::new(env)
    }

    /// What is printed as the target, and what is paid as correct.
    fn goals(&self, stage: usize, operands: &[u32]) -> Vec<Register> {
        let (symbols, numbers) = (Formula::variables(), padded(stage, operands));
        vec![
            Register::new("goal", Some((tasks::goal(stage, &symbols), tasks::goal(stage, &numbers)))),
            Register::new("paid", Some((correct(stage, &symbols), correct(stage, &numbers)))),
        ]
    }

    fn states(&self, stage: usize, operands: &[u32], actions: &[u32]) -> Vec<Vec<Register>> {
        let formulae = run(stage, actions, &Formula::variables());
        formulae.into_iter().zip(run(stage, actions, &padded(stage, operands))).map(registers).collect()
    }
}

fn padded(stage: usize, operands: &[u32]) -> [i64; 5] {
    let shown = digits(operands, tasks::operands(stage));
    core::array::from_fn(|i| shown.get(i).copied().unwrap_or(0))
}

/// The states before the first action and after each.
fn run<V: Number>(stage: usize, actions: &[u32], operands: &[V; 5]) -> Vec<State<V>> {
    let mut states = vec![State::default()];
    for &action in actions {
        let state = states[states.len() - 1].clone();
        states.push(state.step(stage, token::ALL[action as usize], operands));
    }
    states
}

fn registers((formulae, numbers): (State<Formula>, State<i64>)) -> Vec<Register> {
    let mem = if numbers.mem { Register::words("mem", MARK) } else { Register::new("mem", None) };
    vec![Register::new("last", formulae.last.zip(numbers.last)), mem]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use token::{ADD, ANS, MUL, RCL, STO, SUB};

    fn lines(stage: usize, operands: &[u32], tokens: &[u32]) -> Vec<String> {
        let line = |state: Vec<Register>| state.iter().map(Register::to_string).collect::<Vec<_>>().join(", ");
        Tutorial.states(stage, operands, tokens).into_iter().map(line).collect()
    }

    #[test]
    fn its_memory_is_a_mark_and_recalling_conjures() {
        assert_eq!(
            lines(2, &[4, 2, 7, 3, 5], &[MUL, SUB, STO, SUB, RCL, ANS]),
            [
                "last empty, mem empty",
                "last = a·b = 8, mem empty",
                "last = (a·b)−d = 5, mem empty",
                "last = (a·b)−d = 5, mem marked (it stores no value)",
                "last = ((a·b)−d)−e = 0, mem marked (it stores no value)",
                "last = d·e = 15, mem marked (it stores no value)",
                "last = d·e = 15, mem marked (it stores no value)",
            ]
        );
        assert_eq!(
            lines(0, &[4, 2, 7], &[STO, RCL, ADD])[2..],
            ["last = 0 = 0, mem marked (it stores no value)", "last = 0+c = 7, mem marked (it stores no value)"]
        );
    }

    #[test]
    fn what_is_asked_for_is_not_what_is_paid() {
        let goals = |stage, operands: &[u32]| {
            Tutorial.goals(stage, operands).iter().map(Register::to_string).collect::<Vec<_>>()
        };
        assert_eq!(goals(0, &[4, 2, 7]), ["goal = a·b+c = 15", "paid = a·b = 8"]);
        assert_eq!(goals(2, &[4, 2, 7, 3, 5]), ["goal = (a·b+c)−(d·e) = 0", "paid = (a·b+c)−d = 12"]);
    }

    #[test]
    fn the_episode_is_on_the_operands_that_were_given() {
        let mut env = Tutorial.env_on(0, &[4, 2, 7]);
        assert_eq!(env.context(0), [4, 2, 7, token::CTX]);
        let mut out = [Default::default()];
        [MUL, ADD, ANS].iter().for_each(|&action| env.step(&[action], &mut out));
        assert!(env.solved(0));
    }
}
