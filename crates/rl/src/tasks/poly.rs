//! Polynomials with integer coefficients in the operands a to e: what a program computes, for all operands at once.
//!
//! Two programs compute the same thing if and only if their polynomials are equal. Equality of the numbers that one
//! episode happens to show is weaker: `a·b` equals `a·b+c` in every tenth episode. (Over digits, polynomials of
//! degree 9 or less in each operand that agree everywhere are the same polynomial.)

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;
use core::ops::{Add, Mul, Sub};

/// The most operands a polynomial can speak of.
pub const VARIABLES: usize = 5;

/// The exponents of a to e.
type Monomial = [u8; VARIABLES];

/// The product of two monomials: exponents add up.
fn times(x: &Monomial, y: &Monomial) -> Monomial {
    core::array::from_fn(|i| x[i] + y[i])
}

/// A polynomial; the default is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Poly {
    /// Coefficients, none of them 0: so equal polynomials are equal maps.
    terms: BTreeMap<Monomial, i64>,
}

impl Poly {
    /// The first `n` operands, each as the polynomial that it is.
    ///
    /// # Panics
    /// If there are not so many.
    #[track_caller]
    pub fn variables(n: usize) -> Vec<Self> {
        assert!(n <= VARIABLES, "{n} variables, but polynomials have at most {VARIABLES}");
        let variable = |i| {
            let mut exponents = [0; VARIABLES];
            exponents[i] = 1;
            Self { terms: BTreeMap::from([(exponents, 1)]) }
        };
        (0..n).map(variable).collect()
    }

    /// The value at `operands`; operands that are left out count as 0.
    pub fn value(&self, operands: &[i64]) -> i64 {
        let power = |(i, &exponent): (usize, &u8)| match exponent {
            0 => 1,
            _ => operands.get(i).copied().unwrap_or(0).pow(exponent.into()),
        };
        let term = |(exponents, c): (&Monomial, &i64)| c * exponents.iter().enumerate().map(power).product::<i64>();
        self.terms.iter().map(term).sum()
    }

    fn add_term(&mut self, exponents: Monomial, coefficient: i64) {
        let sum = self.terms.remove(&exponents).unwrap_or(0) + coefficient;
        if sum != 0 {
            self.terms.insert(exponents, sum);
        }
    }
}

impl Add for Poly {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        other.terms.into_iter().for_each(|(exponents, c)| self.add_term(exponents, c));
        self
    }
}

impl Sub for Poly {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        other.terms.into_iter().for_each(|(exponents, c)| self.add_term(exponents, -c));
        self
    }
}

impl Mul for Poly {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut product = Self::default();
        for (x, c) in &self.terms {
            for (y, d) in &other.terms {
                product.add_term(times(x, y), c * d);
            }
        }
        product
    }
}

/// Sums of products, as in `-d + c + ab`; squares as `dd`.
impl fmt::Display for Poly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.terms.is_empty() {
            return f.write_str("0");
        }
        for (i, (exponents, c)) in self.terms.iter().enumerate() {
            let sign = match (i, *c < 0) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            };
            f.write_str(sign)?;
            let constant = exponents.iter().all(|&exponent| exponent == 0);
            if c.abs() != 1 || constant {
                write!(f, "{}", c.abs())?;
            }
            for (name, &exponent) in "abcde".chars().zip(exponents) {
                (0..exponent).try_for_each(|_| write!(f, "{name}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn abc() -> [Poly; 3] {
        Poly::variables(3).try_into().expect("three")
    }

    #[test]
    fn equal_when_they_are_the_same_function() {
        let [a, b, c] = abc();
        let factored = (a.clone() + b.clone()) * c.clone();
        let expanded = b * c.clone() + c * a;
        assert_eq!(factored, expanded);
        assert_eq!(factored - expanded, Poly::default(), "terms that cancel leave nothing behind");
    }

    #[test]
    fn values_and_names() {
        let [a, b, c] = abc();
        let p = (a.clone() - b.clone()) * (a.clone() - b) - c;
        assert_eq!(p.value(&[5, 3, 7]), -3);
        assert_eq!(p.to_string(), "-c + bb - 2ab + aa");
        assert_eq!(Poly::default().to_string(), "0");
        assert_eq!(Poly::default().value(&[1, 2, 3]), 0);
    }
}
