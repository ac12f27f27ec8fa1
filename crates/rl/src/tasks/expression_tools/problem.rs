//! Problems of `expression-tools`: expressions of two slots, and the slots whose bits select one.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use tensor::philox::Philox;

use super::{GO, IF};
use crate::tasks::expression::tree::{Digest, Operator, Tree, Value};
use crate::tasks::expression::{RULES, SLOT, choose_held_out, write_tokens};

/// A problem, or a branch of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// An expression of two slots.
    Expression(Tree),
    /// IF: the bit of the slot selects a branch; HI, which is true, the first.
    If(u32, Box<[Problem; 2]>),
}

impl Problem {
    /// A problem whose slot `condition` selects `right` by its bit, and `wrong` by the other one.
    pub(super) fn choice(condition: u32, bit: bool, right: Self, wrong: Self) -> Self {
        let branches = if bit { [right, wrong] } else { [wrong, right] };
        Self::If(condition, Box::new(branches))
    }

    /// Draws a problem of a stage.
    pub(super) fn draw(stage: usize, rng: &mut Philox) -> Self {
        let mut others = Vec::new();
        let condition = rng.below(RULES.slots as u32);
        let mut expression = |rng: &mut Philox| Self::Expression(draw_other(&mut others, rng));
        let (one, two) = (expression(rng), expression(rng));
        if stage == 0 {
            return Self::choice(condition, true, one, two);
        }
        let inner = Self::choice(draw_slot(condition, rng), true, one, two);
        let bit = rng.below(2) == 1;
        Self::choice(condition, bit, inner, expression(rng))
    }

    /// The text, then GO.
    pub fn to_tokens(&self) -> Vec<u32> {
        let mut tokens = Vec::new();
        self.write(&mut tokens);
        tokens.push(GO);
        tokens
    }

    fn write(&self, out: &mut Vec<u32>) {
        match self {
            Self::Expression(tree) => write_tokens(tree, out),
            Self::If(condition, branches) => {
                out.extend([IF, SLOT + condition]);
                branches.iter().for_each(|branch| branch.write(out));
            }
        }
    }

    /// The expression that these bits select.
    pub fn selected(&self, bits: u32) -> &Tree {
        match self {
            Self::Expression(tree) => tree,
            Self::If(condition, branches) => branches[usize::from(bits >> condition & 1 == 0)].selected(bits),
        }
    }

    /// The number of the pattern: the place of the second IF, then the operators in the order of the text.
    pub fn pattern(&self) -> u64 {
        fn push(problem: &Problem, pattern: u64) -> u64 {
            match problem {
                Problem::Expression(Tree::Node(operator, _)) => Operator::ALL.len() as u64 * pattern + *operator as u64,
                Problem::Expression(Tree::Slot(_)) => unreachable!("an expression has two slots"),
                Problem::If(_, branches) => branches.iter().fold(pattern, |pattern, branch| push(branch, pattern)),
            }
        }
        let Self::If(_, branches) = self else { return push(self, 0) };
        let second = branches.iter().position(|branch| matches!(branch, Self::If(..)));
        push(self, second.map_or(0, |place| place as u64 + 1))
    }
}

/// Draws an expression that is none of `others`, and adds it to them.
pub(super) fn draw_other(others: &mut Vec<u64>, rng: &mut Philox) -> Tree {
    loop {
        let a = rng.below(RULES.slots as u32);
        let operator = Operator::ALL[rng.below(Operator::ALL.len() as u32) as usize];
        let tree = Tree::apply(operator, Tree::Slot(a), Tree::Slot(draw_slot(a, rng)));
        let hash = tree.value::<Digest>().hash;
        if !others.contains(&hash) {
            others.push(hash);
            return tree;
        }
    }
}

/// Draws a slot other than this one.
pub(super) fn draw_slot(other: u32, rng: &mut Philox) -> u32 {
    (other + 1 + rng.below(RULES.slots as u32 - 1)) % RULES.slots as u32
}

/// The patterns of a stage.
#[derive(Debug)]
pub(super) struct Patterns {
    pub(super) held_out: BTreeSet<u64>,
}

impl Patterns {
    /// Holds out a fifth of the patterns of a stage.
    pub(super) fn new(stage: usize) -> Self {
        let expressions =
            Operator::ALL.map(|operator| Problem::Expression(Tree::apply(operator, Tree::Slot(0), Tree::Slot(1))));
        let pairs = |a: &[Problem], b: &[Problem]| -> Vec<Problem> {
            a.iter().flat_map(|a| b.iter().map(|b| Problem::choice(0, true, a.clone(), b.clone()))).collect()
        };
        let one = pairs(&expressions, &expressions);
        let all = match stage {
            0 => one,
            _ => [pairs(&one, &expressions), pairs(&expressions, &one)].concat(),
        };
        Self {
            held_out: choose_held_out(
                &all.iter().map(|problem| (problem.pattern(), problem.pattern())).collect::<Vec<_>>(),
            ),
        }
    }
}
