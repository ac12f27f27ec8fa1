//! Polynomials with integer coefficients in the operands a to e. A polynomial is the result of a program for all operands.
//!
//! Two programs compute the same function if and only if their polynomials are equal. Equality of the numbers in one
//! episode is weaker: `a·b` equals `a·b+c` in every tenth episode, when c is 0. (Polynomials of degree 9 or less in each
//! operand are equal if they agree for all digits.)

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;
use core::ops::{Add, Mul, Sub};

/// The number of operands of a polynomial.
pub const VARIABLES: usize = 5;

/// The exponents of a to e.
type Monomial = [u8; VARIABLES];

/// Multiplies two monomials: adds their exponents.
fn multiply_monomials(x: &Monomial, y: &Monomial) -> Monomial {
    core::array::from_fn(|i| x[i] + y[i])
}

/// A polynomial; the default is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Poly {
    /// The coefficients. None is 0, so equal polynomials have equal maps.
    terms: BTreeMap<Monomial, i64>,
}

impl Poly {
    /// The first `n` operands as polynomials.
    ///
    /// # Panics
    /// If `n` is greater than [`VARIABLES`].
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

    /// The value of the polynomial at `operands`. Missing operands are 0.
    pub fn value(&self, operands: &[i64]) -> i64 {
        let power = |(i, &exponent): (usize, &u8)| match exponent {
            0 => 1,
            _ => operands.get(i).copied().unwrap_or(0).pow(exponent.into()),
        };
        let term = |(exponents, c): (&Monomial, &i64)| c * exponents.iter().enumerate().map(power).product::<i64>();
        self.terms.iter().map(term).sum()
    }

    /// The number of operands that occur.
    pub fn variable_count(&self) -> usize {
        (0..VARIABLES).filter(|&i| self.terms.keys().any(|exponents| exponents[i] > 0)).count()
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
                product.add_term(multiply_monomials(x, y), c * d);
            }
        }
        product
    }
}

/// Writes a sum of products, for example `-d + c + ab`. A square is `dd`.
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
    fn poly_of_the_same_function_is_equal() {
        let [a, b, c] = abc();
        let factored = (a.clone() + b.clone()) * c.clone();
        let expanded = b * c.clone() + c * a;
        assert_eq!(factored, expanded);
        assert_eq!(factored - expanded, Poly::default(), "terms that cancel leave nothing behind");
    }

    #[test]
    fn poly_square_of_difference_has_its_value_and_text() {
        let [a, b, c] = abc();
        let p = (a.clone() - b.clone()) * (a.clone() - b) - c;
        assert_eq!(p.value(&[5, 3, 7]), -3);
        assert_eq!(p.to_string(), "-c + bb - 2ab + aa");
        assert_eq!(Poly::default().to_string(), "0");
        assert_eq!(Poly::default().value(&[1, 2, 3]), 0);
    }
}
