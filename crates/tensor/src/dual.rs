//! Dual numbers: a value with a tangent, for forward-mode derivatives.
//!
//! With ε² = 0, f(a + bε) = f(a) + f′(a)·b·ε: arithmetic on duals carries an exact derivative along.
//! Run on duals, the tape gives directional derivatives in its forward pass and Hessian-vector products in
//! its backward pass; duals of duals give second derivatives in the forward pass.
//!
//! ```
//! use tensor::{Dual, Real};
//!
//! let x = Dual::variable(0.5_f64);
//! let y = (x * x).tanh();
//! let by_hand = (1.0 - 0.25_f64.tanh().powi(2)) * 2.0 * 0.5;
//! assert!((y.tangent - by_hand).abs() < 1e-15);
//! ```
//!
//! Reference: A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section 3.1.

use core::cmp::Ordering;
use core::fmt;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use num_traits::{One, Zero};

use crate::real::{Element, Real};

/// `value + tangent·ε` with ε² = 0.
///
/// Comparisons look at the value alone, so that a branch (as in relu) is taken as the primal computation takes it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dual<T> {
    /// The primal value.
    pub value: T,
    /// The derivative along the direction that was seeded.
    pub tangent: T,
}

impl<T: Real> Dual<T> {
    /// A constant: its tangent is zero.
    pub fn constant(value: T) -> Self {
        Self { value, tangent: T::zero() }
    }

    /// The variable that derivatives are taken along: its tangent is one.
    pub fn variable(value: T) -> Self {
        Self { value, tangent: T::one() }
    }

    /// f(self), given f and f′ at the value.
    fn chain(self, f: T, slope: T) -> Self {
        Self { value: f, tangent: slope * self.tangent }
    }
}

impl<T: Real> Element for Dual<T> {}

impl<T: Real> Real for Dual<T> {
    fn of(x: f64) -> Self {
        Self::constant(T::of(x))
    }
    fn value(self) -> f64 {
        self.value.value()
    }
    fn exp(self) -> Self {
        let y = self.value.exp();
        self.chain(y, y)
    }
    fn ln(self) -> Self {
        self.chain(self.value.ln(), T::one() / self.value)
    }
    fn sqrt(self) -> Self {
        let y = self.value.sqrt();
        self.chain(y, T::one() / (y + y))
    }
    fn tanh(self) -> Self {
        let y = self.value.tanh();
        self.chain(y, T::one() - y * y)
    }
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.tangent.is_finite()
    }
}

impl<T: PartialEq> PartialEq for Dual<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: PartialOrd> PartialOrd for Dual<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: fmt::Display> fmt::Display for Dual<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}ε", self.value, self.tangent)
    }
}

impl<T: Real> Zero for Dual<T> {
    fn zero() -> Self {
        Self::constant(T::zero())
    }
    fn is_zero(&self) -> bool {
        self.value.is_zero() && self.tangent.is_zero()
    }
}

impl<T: Real> One for Dual<T> {
    fn one() -> Self {
        Self::constant(T::one())
    }
}

impl<T: Real> Neg for Dual<T> {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, tangent: -self.tangent }
    }
}

impl<T: Real> Add for Dual<T> {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        Self { value: self.value + b.value, tangent: self.tangent + b.tangent }
    }
}

impl<T: Real> Sub for Dual<T> {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        Self { value: self.value - b.value, tangent: self.tangent - b.tangent }
    }
}

impl<T: Real> Mul for Dual<T> {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        Self { value: self.value * b.value, tangent: self.tangent * b.value + self.value * b.tangent }
    }
}

impl<T: Real> Div for Dual<T> {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        let y = self.value / b.value;
        Self { value: y, tangent: (self.tangent - y * b.tangent) / b.value }
    }
}

macro_rules! assign {
    ($($trait:ident $method:ident $op:tt),*) => {$(
        impl<T: Real> $trait for Dual<T> {
            fn $method(&mut self, b: Self) { *self = *self $op b; }
        }
    )*};
}
assign!(AddAssign add_assign +, SubAssign sub_assign -, MulAssign mul_assign *, DivAssign div_assign /);

#[cfg(test)]
mod tests {
    use super::*;

    /// Each function at 0.7 against the derivative written out by hand.
    #[test]
    fn every_function_carries_its_derivative() {
        let a = 0.7_f64;
        let x = Dual::variable(a);
        let two = Dual::constant(2.0);
        let s = a.sigmoid();
        for (name, y, want) in [
            ("exp", x.exp(), a.exp()),
            ("ln", x.ln(), 1.0 / a),
            ("sqrt", x.sqrt(), 0.5 / Real::sqrt(a)),
            ("tanh", x.tanh(), 1.0 - Real::tanh(a).powi(2)),
            ("sigmoid", x.sigmoid(), s * (1.0 - s)),
            ("sigmoid, left branch", (-x).sigmoid(), -s * (1.0 - s)),
            ("neg", -x, -1.0),
            ("add", x + x, 2.0),
            ("sub", two - x, -1.0),
            ("mul", x * x * x, 3.0 * a * a),
            ("div", two / x, -2.0 / (a * a)),
        ] {
            assert!((y.tangent - want).abs() < 1e-15, "{name}: {} is not {want}", y.tangent);
        }
    }

    #[test]
    fn duals_of_duals_give_second_derivatives() {
        let x = Dual { value: Dual::variable(0.7_f64), tangent: Dual::one() };
        let y = x * x * x;
        assert!((y.tangent.tangent - 6.0 * 0.7).abs() < 1e-15);
    }
}
