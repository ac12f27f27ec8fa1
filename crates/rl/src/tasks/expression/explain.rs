//! Explanations of `expression` episodes: the machine on trees.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::env::ExpressionEnv;
use super::machine::Machine;
use super::parse::parse;
use super::tree::{Digest, Operator, Tree, Value, slot_name};
use super::{CLOSE, Context, Expression, LEAVES, OPEN, OPERATOR, RULES, SLOT, to_tokens};
use crate::env::Env;
use crate::explain::{Content, Explain, Register};

impl Explain for Expression {
    /// 4n − 3 tokens: the text of the expression.
    fn operand_count(&self, stage: usize) -> usize {
        4 * LEAVES[stage] - 3
    }

    fn parse_context(&self, text: &str) -> Option<Result<(usize, Vec<u32>), String>> {
        let context = parse(text).map(|tree| {
            let (stage, mut tokens) = (Self::stage_of(tree.leaves()), to_tokens(&tree));
            tokens.pop(); // GO
            (stage.expect("the parser counts slots"), tokens)
        });
        Some(context.map_err(|error| error.to_string()))
    }

    fn env_with_operands(&self, stage: usize, operands: &[u32]) -> Box<dyn Env> {
        let tree = from_tokens(stage, operands);
        Box::new(ExpressionEnv::with_context(self, stage, Context::new(&tree)))
    }

    fn goals(&self, stage: usize, operands: &[u32]) -> Vec<Register> {
        let tree = from_tokens(stage, operands);
        vec![Register { name: "goal", content: Content::Words(without_parentheses(&tree)) }]
    }

    fn drawing(&self, stage: usize, operands: &[u32]) -> Vec<String> {
        let mut lines = Vec::new();
        draw(&from_tokens(stage, operands), "", "", &mut lines);
        lines
    }

    fn states(&self, stage: usize, operands: &[u32], actions: &[u32]) -> Vec<Vec<Register>> {
        from_tokens(stage, operands);
        let mut machine = Machine::<Tree>::default();
        let mut states = vec![registers(&machine)];
        for &action in actions {
            self.execute(&mut machine, self.instructions[action as usize]);
            states.push(registers(&machine));
        }
        states
    }
}

/// Draws a tree with its root above and its operands below, indented. `first` stands before the first line, `rest` before the
/// others.
fn draw(tree: &Tree, first: &str, rest: &str, lines: &mut Vec<String>) {
    match tree {
        &Tree::Slot(slot) => lines.push(format!("{first}{}", slot_name(slot))),
        Tree::Node(operator, sides) => {
            lines.push(format!("{first}{}", operator.sign()));
            draw(&sides[0], &format!("{rest}├─ "), &format!("{rest}│  "), lines);
            draw(&sides[1], &format!("{rest}└─ "), &format!("{rest}   "), lines);
        }
    }
}

/// The contents of the accumulator, the argument and the registers.
fn registers(machine: &Machine<Tree>) -> Vec<Register> {
    const NAMES: [&str; 3] = ["r0", "r1", "r2"];
    let register = |name, value: &Option<Tree>| {
        let content = value.as_ref().map_or(Content::Empty, |tree| Content::Words(without_parentheses(tree)));
        Register { name, content }
    };
    let stored = NAMES.into_iter().zip(&machine.registers).take(RULES.registers);
    [("acc", &machine.acc), ("arg", &machine.arg)]
        .into_iter()
        .chain(stored)
        .map(|(name, value)| register(name, value))
        .collect()
}

/// The text of an expression without the outermost parentheses.
fn without_parentheses(tree: &Tree) -> String {
    match tree {
        Tree::Slot(_) => tree.to_string(),
        Tree::Node(operator, sides) => format!("{}{}{}", sides[0], operator.sign(), sides[1]),
    }
}

/// The expression of a text in tokens.
///
/// # Panics
/// If it is not one of the stage.
#[track_caller]
fn from_tokens(stage: usize, tokens: &[u32]) -> Tree {
    fn read(tokens: &mut impl Iterator<Item = u32>) -> Option<Tree> {
        match tokens.next()? {
            OPEN => {
                let left = read(tokens)?;
                let operator = *Operator::ALL.get(tokens.next()?.checked_sub(OPERATOR)? as usize)?;
                let right = read(tokens)?;
                (tokens.next()? == CLOSE).then(|| Tree::apply(operator, left, right))
            }
            slot @ SLOT..OPERATOR => Some(Tree::Slot(slot - SLOT)),
            _ => None,
        }
    }
    let mut rest = tokens.iter().copied();
    let tree = read(&mut rest)
        .filter(|tree| rest.next().is_none() && tree.leaves() == LEAVES[stage] && tree.value::<Digest>().is_distinct());
    tree.unwrap_or_else(|| panic!("operands {tokens:?}, expected the tokens of an expression of stage {stage}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Actions, Episodes, Task};

    /// The machine on trees and the environment on hashes agree about every program of a random walk.
    #[test]
    fn states_agree_with_the_environment() {
        let task = Expression::default();
        let mut rng = tensor::philox::Philox::new(5);
        for k in 0..300 {
            let text = ["a-(b*c)", "b+d", "((a+b)*(c-d))"][k % 3];
            let (stage, operands) = task.parse_context(text).expect("it has text").expect("an expression");
            let mut episodes = Episodes::with_env(task.spec(), stage, task.env_with_operands(stage, &operands), 1);
            let mut rngs = [tensor::philox::Philox::new(0)];
            episodes.reset(&[0], &mut rngs).expect("no fault");
            assert_eq!(episodes.observations().tokens(0)[..operands.len()], operands);
            let mut actions = Vec::new();
            loop {
                let legal: Vec<u32> =
                    (0..11).filter(|&action| episodes.observations().legal(0)[action as usize]).collect();
                actions.push(legal[rng.below(legal.len() as u32) as usize]);
                episodes.step(&[0], &Actions::Discrete(vec![actions[actions.len() - 1]]), &mut rngs).expect("no fault");
                if episodes.transitions().is_done(0) {
                    break;
                }
            }
            let states = task.states(stage, &operands, &actions);
            assert_eq!(states.len(), actions.len() + 1);
            let goal = from_tokens(stage, &operands).value::<Digest>();
            let answer = match &states[actions.len()][0].content {
                Content::Words(words) if words.chars().count() > 1 => parse(words).ok(),
                _ => None,
            };
            let is_right = answer.is_some_and(|tree| tree.value::<Digest>() == goal) && actions.last() == Some(&10);
            assert_eq!(episodes.transitions().solved[0], is_right, "{text}: {actions:?}");
        }
    }

    #[test]
    fn states_of_a_program_with_a_register_are_explained() {
        let task = Expression::default();
        let (stage, operands) = task.parse_context("(a+b)*(c-d)").expect("it has text").expect("an expression");
        let spec = task.spec();
        let program = ["LD a", "LD b", "ADD", "ST 0", "LD c", "LD d", "SUB", "RC 0", "MUL", "ANS"];
        let place = |name| (0..11).find(|&action| spec.action_name(action) == name).expect("an action");
        let states = task.states(stage, &operands, &program.map(place));
        let lines: Vec<String> =
            states.iter().map(|state| state.iter().map(Register::to_string).collect::<Vec<_>>().join(", ")).collect();
        assert_eq!(lines[0], "acc empty, arg empty, r0 empty");
        assert_eq!(lines[3], "acc a+b, arg empty, r0 empty");
        assert_eq!(lines[4], "acc empty, arg empty, r0 a+b");
        assert_eq!(lines[8], "acc c−d, arg a+b, r0 empty");
        assert_eq!(lines[9], "acc (c−d)·(a+b), arg empty, r0 empty");
        assert_eq!(task.goals(stage, &operands)[0].to_string(), "goal (a+b)·(c−d)");
        assert_eq!(task.drawing(stage, &operands), ["·", "├─ +", "│  ├─ a", "│  └─ b", "└─ −", "   ├─ c", "   └─ d"]);
    }

    #[test]
    #[should_panic(expected = "operands [0, 2, 6, 3], expected the tokens of an expression of stage 0")]
    fn env_with_operands_other_tokens_panics() {
        Expression::default().env_with_operands(0, &[0, 2, 6, 3]);
    }
}
