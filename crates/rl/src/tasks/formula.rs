//! Formulae in the operands a to e: what a program computes, as it was put together. Where [`Poly`](super::poly::Poly)
//! says what is equal, this says what is read: `(a·b+c)−(d·e)` for the polynomial `-de + c + ab`.

use alloc::{borrow::ToOwned, format, string::String};
use core::fmt;
use core::ops::{Add, Mul, Sub};

use super::poly::VARIABLES;

/// A formula; the default is 0. Products and sums are written without the brackets that they do not need, and a
/// difference has both its sides in brackets, as the goals of the stages have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Formula {
    text: String,
    kind: Kind,
}

/// What was done last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Atom,
    Product,
    Sum,
    Difference,
}

impl Formula {
    /// All operands, each as the formula that it is.
    pub fn variables() -> [Self; VARIABLES] {
        ["a", "b", "c", "d", "e"].map(Self::atom)
    }

    fn atom(text: &str) -> Self {
        Self { text: text.to_owned(), kind: Kind::Atom }
    }

    /// `self ∘ other`, a `kind`; sides that were made by more than `bare` are bracketed.
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
    fn goals_are_written_as_they_are_announced() {
        assert_eq!([0, 1, 2].map(|stage| goal(stage, &Formula::variables()).to_string()), GOALS);
    }

    #[test]
    fn brackets_are_where_they_are_needed() {
        let [a, b, c, d, e] = Formula::variables();
        let text = |formula: Formula| formula.to_string();
        assert_eq!(text((a.clone() * b.clone()) * c.clone()), "a·b·c");
        assert_eq!(text((a.clone() + b.clone()) * (c.clone() - d.clone())), "(a+b)·(c−d)");
        assert_eq!(text((a.clone() - b.clone()) - (c.clone() - d.clone())), "(a−b)−(c−d)");
        assert_eq!(text((a - b) + (c + d) * e), "(a−b)+(c+d)·e");
        assert_eq!(text(Formula::default()), "0");
    }
}
