//! Exact statistics of `tutorial`, computed from all programs on all operands.
//!
//! Two programs with the same polynomial in `last` earn the same on all operands. So the answers of programs of at most k
//! tokens are the distinct `last` of the solver's states up to depth k − 1. The code computes the reward of each answer on
//! all 10ⁿ draws of the n operands of the stage. Rewards are added as integers, so the means are exact.

use std::collections::BTreeSet;

use crate::machine::{State, SymbolicMachine, reward_hundredths};
use rl::solver::Graph;
use rl::tasks::{self, poly::Poly, token};

/// An exhaustive search over the programs of one stage: their states and their distinct answers.
#[derive(Clone, Debug)]
pub struct ExhaustiveSearch {
    stage: usize,
    graph: Graph<State<Poly>>,
    answers: Vec<Poly>,
}

/// Exact statistics over all draws of the operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExactStats {
    /// The highest mean reward of a fixed program.
    pub best_fixed: f64,
    /// The mean reward of the optimal policy, which chooses the best program for each draw of the operands.
    pub optimum: f64,
    /// The share of draws in which the result of the best fixed program is the printed target.
    pub best_fixed_match: f64,
    /// The share of draws in which the result of at least one program is the printed target.
    pub reachable: f64,
}

impl ExhaustiveSearch {
    /// Explores the programs of `stage` with at most `tokens` tokens, including the answer.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn new(stage: usize, tokens: usize) -> Self {
        let graph = Graph::explore(&SymbolicMachine::new(stage), tokens);
        let answers: BTreeSet<Poly> = graph.states().iter().filter_map(|state| state.last.clone()).collect();
        Self { stage, graph, answers: answers.into_iter().collect() }
    }

    /// The graph of the states of these programs: `last` as a polynomial, and `mem`.
    pub fn graph(&self) -> &Graph<State<Poly>> {
        &self.graph
    }

    /// The distinct answers.
    pub fn answers(&self) -> &[Poly] {
        &self.answers
    }

    /// Computes the statistics over all these programs.
    ///
    /// # Panics
    /// If `tokens` of [`new`](Self::new) is less than 2. The shortest program with a result, MUL ANS, has two tokens.
    pub fn stats(&self) -> ExactStats {
        let (mut earned, mut matched) = (vec![0u64; self.answers.len()], vec![0u32; self.answers.len()]);
        let (mut best_of_each, mut reachable) = (0u64, 0u32);
        let mut count = 0;
        for operands in all_operands(self.stage) {
            let target = tasks::goal(self.stage, &operands);
            let (mut best, mut is_reached) = (0, false);
            for (i, answer) in self.answers.iter().enumerate() {
                let last = answer.value(&operands);
                let reward = reward_hundredths(self.stage, last, &operands);
                earned[i] += u64::from(reward);
                matched[i] += u32::from(last == target);
                best = best.max(reward);
                is_reached |= last == target;
            }
            best_of_each += u64::from(best);
            reachable += u32::from(is_reached);
            count += 1;
        }
        let share = |n: u32| f64::from(n) / f64::from(count);
        let mean = |reward_hundredths: u64| reward_hundredths as f64 / (100.0 * f64::from(count));
        let best = (0..earned.len()).max_by_key(|&i| earned[i]).expect("a program of two tokens or more");
        ExactStats {
            best_fixed: mean(earned[best]),
            optimum: mean(best_of_each),
            best_fixed_match: share(matched[best]),
            reachable: share(reachable),
        }
    }
}

/// Returns the mean reward of `program`, and the share of draws in which its result is the printed target.
pub fn evaluate_program(stage: usize, program: &[u32]) -> (f64, f64) {
    let (mut earned, mut matched, mut count) = (0u64, 0u32, 0);
    for operands in all_operands(stage) {
        count += 1;
        let Some(ans) = program.iter().position(|&token| token == token::ANS) else {
            continue;
        };
        let run = |state: State<i64>, &token: &u32| state.step(stage, token, &operands);
        if let Some(last) = program[..ans].iter().fold(State::default(), run).last {
            earned += u64::from(reward_hundredths(stage, last, &operands));
            matched += u32::from(last == tasks::goal(stage, &operands));
        }
    }
    (earned as f64 / (100.0 * f64::from(count)), f64::from(matched) / f64::from(count))
}

/// All draws of the operands, each exactly once. Operands that the stage does not use are 0.
///
/// # Panics
/// If there is no such stage.
#[track_caller]
pub fn all_operands(stage: usize) -> impl Iterator<Item = [i64; 5]> {
    let n = tasks::operand_count(stage) as u32;
    (0..10i64.pow(n)).map(|number| [0, 1, 2, 3, 4].map(|i| number / 10i64.pow(i) % 10))
}
