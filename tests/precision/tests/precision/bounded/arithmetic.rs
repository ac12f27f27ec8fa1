//! The arithmetic operators of [`Bounded`].

use core::cmp::Ordering;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use num_traits::{One, Zero};

use super::{Bounded, Scheme, ulps};

impl<S: Scheme> Neg for Bounded<S> {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

impl<S: Scheme> Add for Bounded<S> {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        if b.is_exactly(0.0) {
            return self;
        }
        if self.is_exactly(0.0) {
            return b;
        }
        Self {
            value: self.value + b.value,
            terms: self.terms + b.terms,
            additions: self.additions.max(b.additions) + 1,
            errors: self.errors + b.errors,
            mass: self.mass + b.mass,
            scheme: PhantomData,
        }
    }
}

impl<S: Scheme> Sub for Bounded<S> {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        self + -b
    }
}

/// The error is (a + α)(b + β) − ab = aβ + bα + αβ. A factor of ±1 is exact.
impl<S: Scheme> Mul for Bounded<S> {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        for (one, other) in [(self, b), (b, self)] {
            if one.is_exactly(1.0) {
                return other;
            }
            if one.is_exactly(-1.0) {
                return -other;
            }
        }
        let (alpha, beta) = (self.error(), b.error());
        let error = self.value.abs() * beta + b.value.abs() * alpha + alpha * beta;
        Self::rounded(self.value * b.value, error, ulps::ROUNDED)
    }
}

/// With y = a/b, the error is (a + α)/(b + β) − y = (α − yβ)/(b + β).
impl<S: Scheme> Div for Bounded<S> {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        let (alpha, beta) = (self.error(), b.error());
        let y = self.value / b.value;
        let nearest_to_zero = b.value.abs() - beta;
        let error = if nearest_to_zero > 0.0 { (alpha + y.abs() * beta) / nearest_to_zero } else { f64::INFINITY };
        Self::rounded(y, error, ulps::ROUNDED)
    }
}

macro_rules! assign {
    ($($trait:ident $method:ident $op:tt),*) => {$(
        impl<S: Scheme> $trait for Bounded<S> {
            fn $method(&mut self, b: Self) { *self = *self $op b; }
        }
    )*};
}
assign!(AddAssign add_assign +, SubAssign sub_assign -, MulAssign mul_assign *, DivAssign div_assign /);

impl<S: Scheme> Zero for Bounded<S> {
    fn zero() -> Self {
        Self::new(0.0, 0.0)
    }
    fn is_zero(&self) -> bool {
        self.is_exactly(0.0)
    }
}

impl<S: Scheme> One for Bounded<S> {
    fn one() -> Self {
        Self::new(1.0, 0.0)
    }
}

impl<S: Scheme> Default for Bounded<S> {
    fn default() -> Self {
        Self::zero()
    }
}

/// Comparisons use the value, so a branch follows the exact computation. The kernels compare only their inputs, which are
/// exact.
impl<S: Scheme> PartialEq for Bounded<S> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<S: Scheme> PartialOrd for Bounded<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<S: Scheme> fmt::Display for Bounded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ± {}", self.value, self.error())
    }
}
