//! Expressions as people type them: `((a+b)*c)-d`. Each pair of operands has parentheses, which may be missing around the
//! whole. Spaces do not count; `*`, `·` and `×` multiply, `-` and `−` subtract.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{borrow::ToOwned, format};
use core::fmt;

use super::tree::{Operator, Tree, Value, slot_name};
use super::{LEAVES, RULES};

/// The error of a text that is not a problem of the task, with the place of the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The text.
    pub text: String,
    /// The index of the character at which the fault is, from 0; the length of the text at its end.
    pub place: usize,
    /// The fault.
    pub fault: String,
}

/// The maximum number of characters of the text that an error shows.
const SHOWN: usize = 60;

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, place, fault } = self;
        let first = place.saturating_sub(SHOWN / 2);
        // A character that cannot be printed, such as a line break, is shown as a space.
        let shown = text.chars().skip(first).take(SHOWN).map(|c| if c.is_control() { ' ' } else { c });
        let (dots, rest) =
            (if first > 0 { "…" } else { "" }, if text.chars().count() > first + SHOWN { "…" } else { "" });
        let (shown, width) = (shown.collect::<String>(), place - first + dots.chars().count() + 1);
        write!(f, "{fault}\n  {dots}{shown}{rest}\n  {:>width$}", "^")
    }
}

impl core::error::Error for ParseError {}

/// Parses an expression of the task.
///
/// # Errors
/// If the text is not an expression, has an unknown or repeated slot, has too few or too many slots, or needs more registers
/// than there are.
pub fn parse(text: &str) -> Result<Tree, ParseError> {
    let mut parser = Parser { text: text.chars().collect(), place: 0, slots: Vec::new() };
    parser.whole().map_err(|(place, fault)| ParseError { text: text.to_owned(), place, fault })
}

struct Parser {
    text: Vec<char>,
    place: usize,
    /// The slots so far.
    slots: Vec<u32>,
}

/// The place of a fault, and the fault.
type Fault = (usize, String);

impl Parser {
    fn peek(&mut self) -> Option<char> {
        while self.text.get(self.place).is_some_and(|c| c.is_whitespace()) {
            self.place += 1;
        }
        self.text.get(self.place).copied()
    }

    /// The fault that something else was expected at this place.
    fn expected<V>(&mut self, what: &str) -> Result<V, Fault> {
        let found = self.peek().map_or("the end".to_owned(), |c| format!("{c:?}"));
        Err((self.place, format!("expected {what}, found {found}")))
    }

    fn whole(&mut self) -> Result<Tree, Fault> {
        let left = self.operand(0)?;
        let tree = match self.peek() {
            None => left,
            Some(_) => {
                let operator = self.operator()?;
                Tree::apply(operator, left, self.operand(1)?)
            }
        };
        if self.peek().is_some() {
            return self.expected("the end; each pair of operands needs parentheses");
        }
        let (least, registers) = (LEAVES[0], tree.registers(RULES.has_reverse));
        if tree.leaves() < least {
            return Err((self.place, format!("an expression has at least {least} slots, found {}", tree.leaves())));
        }
        if registers > RULES.registers {
            return Err((0, format!("the expression needs {registers} registers, but there are {}", RULES.registers)));
        }
        Ok(tree)
    }

    /// A slot, or two operands in parentheses. `depth` is the number of open pairs.
    fn operand(&mut self, depth: usize) -> Result<Tree, Fault> {
        match self.peek() {
            Some('(') if depth >= LEAVES[LEAVES.len() - 1] => {
                let most = LEAVES[LEAVES.len() - 1];
                Err((self.place, format!("the expression is too long: it has at most {most} slots")))
            }
            Some('(') => {
                self.place += 1;
                let left = self.operand(depth + 1)?;
                let operator = self.operator()?;
                let right = self.operand(depth + 1)?;
                if self.peek() != Some(')') {
                    return self.expected("a closing parenthesis");
                }
                self.place += 1;
                Ok(Tree::apply(operator, left, right))
            }
            Some(c) if c.is_alphanumeric() => {
                let slot = (0..RULES.slots as u32).find(|&slot| slot_name(slot) == c);
                let last = slot_name(RULES.slots as u32 - 1);
                let Some(slot) = slot else {
                    return Err((self.place, format!("there is no slot {c}; the slots are a to {last}")));
                };
                if self.slots.contains(&slot) {
                    return Err((self.place, format!("slot {c} occurs twice; each slot may occur once")));
                }
                self.slots.push(slot);
                self.place += 1;
                Ok(Tree::Slot(slot))
            }
            _ => self.expected("a slot or an opening parenthesis"),
        }
    }

    fn operator(&mut self) -> Result<Operator, Fault> {
        let operator = match self.peek() {
            Some('+') => Operator::Add,
            Some('-' | '−') => Operator::Sub,
            Some('*' | '·' | '×') => Operator::Mul,
            _ => return self.expected("an operator: +, - or *"),
        };
        self.place += 1;
        Ok(operator)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn parse_reads_what_display_writes() {
        for leaves in LEAVES {
            for tree in Tree::patterns(leaves) {
                assert_eq!(parse(&tree.to_string()), Ok(tree));
            }
        }
        for (text, expected) in [("a+b", "(a+b)"), (" ( a * (c - b) ) ", "(a·(c−b))"), ("(d×c)-(b+a)", "((d·c)−(b+a))")]
        {
            assert_eq!(parse(text).expect(text).to_string(), expected);
        }
    }

    #[test]
    fn parse_bad_text_is_a_sentence_with_a_caret_under_the_place() {
        for (text, error) in [
            ("", "expected a slot or an opening parenthesis, found the end\n  \n  ^"),
            ("(a+b", "expected a closing parenthesis, found the end\n  (a+b\n      ^"),
            ("a+b+c", "expected the end; each pair of operands needs parentheses, found '+'\n  a+b+c\n     ^"),
            ("(a+e)", "there is no slot e; the slots are a to d\n  (a+e)\n     ^"),
            ("(a+(b*a))", "slot a occurs twice; each slot may occur once\n  (a+(b*a))\n        ^"),
            ("a", "an expression has at least 2 slots, found 1\n  a\n   ^"),
            ("a/b", "expected an operator: +, - or *, found '/'\n  a/b\n   ^"),
            ("4,2,7", "there is no slot 4; the slots are a to d\n  4,2,7\n  ^"),
            ("(a+)", "expected a slot or an opening parenthesis, found ')'\n  (a+)\n     ^"),
            ("a\nb", "expected an operator: +, - or *, found 'b'\n  a b\n    ^"),
        ] {
            assert_eq!(parse(text).expect_err(text).to_string(), error);
        }
        let deep = "(".repeat(100_000);
        let error = parse(&deep).expect_err("too deep").to_string();
        assert!(error.starts_with("the expression is too long: it has at most 4 slots\n  (((") && error.len() < 300);
        let late = [" ".repeat(500), "a+?".to_owned(), " ".repeat(500)].concat();
        let error = parse(&late).expect_err("no slot").to_string();
        let lines: Vec<&str> = error.lines().collect();
        let place = |line: &str, c| line.chars().position(|found| found == c);
        assert_eq!(place(lines[1], '?'), place(lines[2], '^'), "{error}");
    }
}
