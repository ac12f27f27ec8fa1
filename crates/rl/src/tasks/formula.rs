//! Formulae in the operands a to e. A formula shows how a program computed its result; a [`Poly`](super::poly::Poly) decides
//! whether two results are equal. The polynomial `-de + c + ab` has the formula `(a·b+c)−(d·e)`.

use alloc::{borrow::ToOwned, format, string::String};
use core::fmt;
use core::ops::{Add, Mul, Sub};

use super::poly::VARIABLES;

/// A formula; the default is 0. Products and sums have only the brackets that they need. A difference has brackets around
/// each side that is not a single operand, as in the goals of the stages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Formula {
    text: String,
    kind: Kind,
}

/// The outermost operation of a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Atom,
    Product,
    Sum,
    Difference,
}

impl Formula {
    /// All operands as formulae.
    pub fn variables() -> [Self; VARIABLES] {
        ["a", "b", "c", "d", "e"].map(Self::atom)
    }

    fn atom(text: &str) -> Self {
        Self { text: text.to_owned(), kind: Kind::Atom }
    }

    /// Creates `self ∘ other` of this `kind`. A side gets brackets if its kind is above `bare`.
    fn join(&self, sign: char, other: &Self, kind: Kind, bare: Kind) -> Self {
        let side = |side: &Self| if side.kind <= bare { side.text.clone() } else { format!("({})", side.text) };
        Self { text: format!("{}{sign}{}", side(self), side(other)), kind }
    }
}

impl Default for Formula {
    fn default() -> Self {
        Self::atom("0")
    }
}

impl Add for Formula {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.join('+', &other, Kind::Sum, Kind::Sum)
    }
}

impl Sub for Formula {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.join('−', &other, Kind::Difference, Kind::Atom)
    }
}

impl Mul for Formula {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.join('·', &other, Kind::Product, Kind::Product)
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::{GOALS, goal};
    use alloc::string::ToString;

    #[test]
    fn formula_of_each_goal_is_its_text() {
        assert_eq!([0, 1, 2].map(|stage| goal(stage, &Formula::variables()).to_string()), GOALS);
    }

    #[test]
    fn formula_has_brackets_only_where_needed() {
        let [a, b, c, d, e] = Formula::variables();
        let text = |formula: Formula| formula.to_string();
        assert_eq!(text((a.clone() * b.clone()) * c.clone()), "a·b·c");
        assert_eq!(text((a.clone() + b.clone()) * (c.clone() - d.clone())), "(a+b)·(c−d)");
        assert_eq!(text((a.clone() - b.clone()) - (c.clone() - d.clone())), "(a−b)−(c−d)");
        assert_eq!(text((a - b) + (c + d) * e), "(a−b)+(c+d)·e");
        assert_eq!(text(Formula::default()), "0");
    }
}
