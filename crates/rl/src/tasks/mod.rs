//! The task: [`Calculator`] asks for three results of operands a to e: `a·b+c`, `(a·b+c)−d`, `(a·b+c)−(d·e)`.
//!
//! A task is one interpreter, generic in what it computes with ([`Number`]): integers play an episode,
//! polynomials ([`poly::Poly`]) play all episodes at once, which is what the solver explores, and formulae
//! ([`formula::Formula`]) write down what was done.

pub mod calculator;
pub mod formula;
pub mod poly;
pub mod token;

use core::ops::{Add, Mul, Sub};

pub use calculator::Calculator;

/// The number of stages.
pub const STAGES: usize = 3;

/// The goals of the stages, as formulae.
pub const GOALS: [&str; STAGES] = ["a·b+c", "(a·b+c)−d", "(a·b+c)−(d·e)"];

/// What an interpreter computes with: integers, or polynomials in the operands. The default is zero.
pub trait Number: Clone + Default + Ord + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {}

impl<V: Clone + Default + Ord + Add<Output = V> + Sub<Output = V> + Mul<Output = V>> Number for V {}

/// The number of operands that `stage` shows.
///
/// # Panics
/// If there is no such stage.
#[track_caller]
pub fn operands(stage: usize) -> usize {
    assert!(stage < STAGES, "stage {stage}, but there are stages 0 to {}", STAGES - 1);
    3 + stage
}

/// What `stage` asks for, see [`GOALS`].
///
/// # Panics
/// If there is no such stage, or fewer operands than it shows.
#[track_caller]
pub fn goal<V: Number>(stage: usize, operands: &[V]) -> V {
    let x = |i: usize| operands[i].clone();
    let g1 = x(0) * x(1) + x(2);
    match self::operands(stage) {
        3 => g1,
        4 => g1 - x(3),
        _ => g1 - x(3) * x(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn goals_are_their_formulae() {
        let symbols = poly::Poly::variables(5);
        assert_eq!([0, 1, 2].map(|stage| goal(stage, &symbols).to_string()), ["c + ab", "-d + c + ab", "-de + c + ab"]);
        assert_eq!([0, 1, 2].map(|stage| goal(stage, &[2i64, 3, 4, 5, 6])), [10, 5, -20]);
    }

    #[test]
    #[should_panic(expected = "stage 3, but there are stages 0 to 2")]
    fn there_is_no_fourth_stage() {
        goal(3, &[0i64; 5]);
    }
}
