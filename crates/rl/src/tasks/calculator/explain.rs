//! Explanations of `calculator` episodes: the registers of the machine.

use alloc::{boxed::Box, vec, vec::Vec};

use super::Calculator;
use crate::env::Env;
use crate::explain::{Explain, Register, to_digits};
use crate::tasks::calculator_stages::explain::{explain_goal, explain_program};
use crate::tasks::{operand_count, token};

impl Explain for Calculator {
    fn operand_count(&self, stage: usize) -> usize {
        operand_count(stage)
    }

    fn env_with_operands(&self, stage: usize, operands: &[u32]) -> Box<dyn Env> {
        to_digits(operands, operand_count(stage));
        Box::new(self.new_env(stage, 1).with_operands(operands))
    }

    fn goals(&self, stage: usize, operands: &[u32]) -> Vec<Register> {
        vec![explain_goal(stage, operands)]
    }

    fn states(&self, stage: usize, operands: &[u32], actions: &[u32]) -> Vec<Vec<Register>> {
        explain_program(stage, operands, actions.iter().map(|&action| token::TOOLS[action as usize]))
    }
}
