//! Exact figures of `tutorial`, from all programs on all operands.
//!
//! Two programs whose `last` is the same polynomial earn the same on all operands. So the answers that programs of at
//! most k tokens can give are the distinct `last` of the solver's states, up to k − 1 tools deep; each is paid on all
//! 10ⁿ draws of the n operands that matter. Rewards are added as integers: the means are exact.

use std::collections::BTreeSet;

use crate::machine::{State, Symbolic, hundredths};
use rl::solver::Graph;
use rl::tasks::{self, poly::Poly, token};

/// All answers that programs of one stage can give.
#[derive(Clone, Debug)]
pub struct Exhaustive {
    stage: usize,
    graph: Graph<State<Poly>>,
    answers: Vec<Poly>,
}

/// Exact means over all draws of the operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The highest mean reward of a fixed program.
    pub best_fixed: f64,
    /// The mean reward of the policy that picks the best program for the operands it sees.
    pub optimum: f64,
    /// The share of draws in which the best fixed program gives the printed target.
    pub best_fixed_match: f64,
    /// The share of draws in which some program gives the printed target.
    pub reachable: f64,
}

impl Exhaustive {
    /// Explores the programs of `stage` with at most `tokens` tokens, the answer included.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn new(stage: usize, tokens: usize) -> Self {
        let graph = Graph::explore(&Symbolic::new(stage), tokens);
        let answers: BTreeSet<Poly> = graph.states().iter().filter_map(|state| state.last.clone()).collect();
        Self { stage, graph, answers: answers.into_iter().collect() }
    }

    /// The states that those programs pass through: `last` as a polynomial, and `mem`.
    pub fn graph(&self) -> &Graph<State<Poly>> {
        &self.graph
    }

    /// The distinct answers.
    pub fn answers(&self) -> &[Poly] {
        &self.answers
    }

    /// The figures over all these programs.
    ///
    /// # Panics
    /// If two tokens, MUL ANS, were not allowed.
    pub fn figures(&self) -> Figures {
        let (mut earned, mut matched) = (vec![0u64; self.answers.len()], vec![0u32; self.answers.len()]);
        let (mut best_of_each, mut reachable) = (0u64, 0u32);
        let mut count = 0;
        for operands in draws(self.stage) {
            let target = tasks::goal(self.stage, &operands);
            let (mut best, mut met) = (0, false);
            for (i, answer) in self.answers.iter().enumerate() {
                let last = answer.value(&operands);
                let reward = hundredths(self.stage, last, &operands);
                earned[i] += u64::from(reward);
                matched[i] += u32::from(last == target);
                best = best.max(reward);
                met |= last == target;
            }
            best_of_each += u64::from(best);
            reachable += u32::from(met);
            count += 1;
        }
        let share = |n: u32| f64::from(n) / f64::from(count);
        let mean = |hundredths: u64| hundredths as f64 / (100.0 * f64::from(count));
        let best = (0..earned.len()).max_by_key(|&i| earned[i]).expect("a program of two tokens or more");
        Figures {
            best_fixed: mean(earned[best]),
            optimum: mean(best_of_each),
            best_fixed_match: share(matched[best]),
            reachable: share(reachable),
        }
    }
}

/// The mean reward of `program`, and the share of draws in which it gives the printed target.
pub fn assess(stage: usize, program: &[u32]) -> (f64, f64) {
    let (mut earned, mut matched, mut count) = (0u64, 0u32, 0);
    for operands in draws(stage) {
        count += 1;
        let Some(ans) = program.iter().position(|&token| token == token::ANS) else {
            continue;
        };
        let run = |state: State<i64>, &token: &u32| state.step(stage, token, &operands);
        if let Some(last) = program[..ans].iter().fold(State::default(), run).last {
            earned += u64::from(hundredths(stage, last, &operands));
            matched += u32::from(last == tasks::goal(stage, &operands));
        }
    }
    (earned as f64 / (100.0 * f64::from(count)), f64::from(matched) / f64::from(count))
}

/// All operands, each as often as every other; those that the stage does not use are 0.
///
/// # Panics
/// If there is no such stage.
#[track_caller]
pub fn draws(stage: usize) -> impl Iterator<Item = [i64; 5]> {
    let n = tasks::operands(stage) as u32;
    (0..10i64.pow(n)).map(|number| [0, 1, 2, 3, 4].map(|i| number / 10i64.pow(i) % 10))
}
