//! The task [`Expression`] shows the text of an expression, and its machine computes it: see [`expression`]. In
//! [`ExpressionTools`], hidden bits select the expression, and only tools know them; in [`ExpressionMemory`], the program begins
//! after a delay; in
//! [`ExpressionRead`], reading is a tool, too.
//!
//! The task [`Calculator`] shows digits and the text of a goal: `a·b+c`, `(a·b+c)−d` or `(a·b+c)−(d·e)`. [`CalculatorStages`] has the
//! same goals as stages, without their text, and a reward from a solver.
//!
//! The calculator has one interpreter, generic in its number type ([`Number`]). Integers play one episode. Polynomials
//! ([`poly::Poly`]) play all episodes at once; the solver explores these. Formulae ([`formula::Formula`]) show how a
//! program computed its result.

pub mod calculator;
pub mod calculator_stages;
pub mod expression;
pub mod expression_memory;
pub mod expression_read;
pub mod expression_tools;
pub mod formula;
pub mod poly;
pub mod token;

use core::ops::{Add, Mul, Sub};

pub use calculator::Calculator;
pub use calculator_stages::CalculatorStages;
pub use expression::Expression;
pub use expression_memory::ExpressionMemory;
pub use expression_read::ExpressionRead;
pub use expression_tools::ExpressionTools;

/// The number of stages.
pub const STAGES: usize = 3;

/// The goals of the stages, as formulae.
pub const GOALS: [&str; STAGES] = ["a·b+c", "(a·b+c)−d", "(a·b+c)−(d·e)"];

/// The numbers of an interpreter: integers, polynomials in the operands, or formulae. The default is zero.
pub trait Number: Clone + Default + Ord + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {}

impl<V: Clone + Default + Ord + Add<Output = V> + Sub<Output = V> + Mul<Output = V>> Number for V {}

/// The number of operands in the context of `stage`.
///
/// # Panics
/// If there is no such stage.
#[track_caller]
pub fn operand_count(stage: usize) -> usize {
    assert!(stage < STAGES, "stage {stage}, but there are stages 0 to {}", STAGES - 1);
    3 + stage
}

/// Computes the goal of `stage`, see [`GOALS`].
///
/// # Panics
/// If there is no such stage, or fewer operands than it has.
#[track_caller]
pub fn goal<V: Number>(stage: usize, operands: &[V]) -> V {
    let x = |i: usize| operands[i].clone();
    let g1 = x(0) * x(1) + x(2);
    match self::operand_count(stage) {
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
    fn goal_of_each_stage_is_its_formula() {
        let symbols = poly::Poly::variables(5);
        assert_eq!([0, 1, 2].map(|stage| goal(stage, &symbols).to_string()), ["c + ab", "-d + c + ab", "-de + c + ab"]);
        assert_eq!([0, 1, 2].map(|stage| goal(stage, &[2i64, 3, 4, 5, 6])), [10, 5, -20]);
    }

    #[test]
    #[should_panic(expected = "stage 3, but there are stages 0 to 2")]
    fn goal_fourth_stage_panics() {
        goal(3, &[0i64; 5]);
    }
}
