//! Dual numbers: a value with a tangent, for forward-mode derivatives.
//!
//! With ε² = 0, f(a + bε) = f(a) + f′(a)·b·ε. So arithmetic on dual numbers also computes an exact derivative. A tape over
//! dual numbers ([`Tensor::dual`](crate::Tensor::dual)) computes directional derivatives in its forward pass, and
//! Hessian-vector products in its backward pass. Dual numbers of dual numbers give second derivatives in the forward pass.
//!
//! ```
//! use tensor::{Dual, Real};
//!
//! let x = Dual::variable(0.5_f64);
//! let y = (x * x).tanh();
//! let derivative = (1.0 - 0.25_f64.tanh().powi(2)) * 2.0 * 0.5; // tanh′(x²)·2x
//! assert!((y.tangent - derivative).abs() < 1e-15);
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
/// Comparisons look only at the value. So a branch, as in relu, is the branch of the primal computation, and the tangent is the
/// tangent of that branch. [`maximum`](Real::maximum) of equal values has the tangent of the left operand.
///
/// An infinite slope, such as that of √x or ln x at 0, gives an infinite tangent. But a zero tangent stays zero even there,
/// as a constant has no gradient in reverse mode. A slope that decays to 0, such as that of tanh, has an absolute error of one
/// rounding of 1; its relative error can be large.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dual<T> {
    /// The primal value.
    pub value: T,
    /// The derivative along the seeded direction.
    pub tangent: T,
}

impl<T: Real> Dual<T> {
    /// Makes a constant, whose tangent is 0.
    pub fn constant(value: T) -> Self {
        Self { value, tangent: T::zero() }
    }

    /// Makes the variable of differentiation, whose tangent is 1.
    pub fn variable(value: T) -> Self {
        Self { value, tangent: T::one() }
    }

    /// The chain rule: f(self), given f and f′ at the value. A zero tangent stays zero, because √ at 0 would give 0·∞ = NaN.
    fn chain(self, f: T, slope: T) -> Self {
        let is_constant = self.tangent.is_zero();
        Self { value: f, tangent: if is_constant { T::zero() } else { slope * self.tangent } }
    }
}

impl<T: Real> Element for Dual<T> {}

impl<T: Real> Real for Dual<T> {
    fn from_f64(x: f64) -> Self {
        Self::constant(T::from_f64(x))
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
    fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }
    fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }
    fn powi(self, n: i32) -> Self {
        let (x, y) = (self.value, self.value.powi(n));
        let power = match n {
            0 => T::zero(), // even where x⁻¹ is infinite
            1.. => x.powi(n - 1),
            _ => y / x, // does not need n − 1, which i32::MIN lacks
        };
        self.chain(y, T::from_f64(n.into()) * power)
    }
    fn with_mean_tangent(self, other: Self) -> Self {
        let tangent = T::from_f64(0.5) * (self.tangent + other.tangent);
        Self { value: self.value.with_mean_tangent(other.value), tangent }
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
        fmt::Display::fmt(&self.value, f)?;
        f.write_str(" + ")?;
        fmt::Display::fmt(&self.tangent, f)?;
        f.write_str("ε")
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

    #[test]
    fn sqrt_of_a_dual_multiplies_the_tangent_by_the_slope() {
        assert_eq!(Dual { value: 9.0_f64, tangent: 3.0 }.sqrt().tangent, 0.5);
    }

    #[test]
    fn eq_of_duals_ignores_the_tangents() {
        let x = |value: f64, tangent: f64| Dual { value, tangent };
        assert!(x(1.0, 2.0) == x(1.0, 3.0) && x(1.0, 2.0) != x(2.0, 2.0));
    }

    #[test]
    fn display_of_a_dual_shows_value_and_tangent() {
        assert_eq!(std::format!("{}", Dual { value: 0.5, tangent: -2.0 }), "0.5 + -2ε");
    }

    /// Compares each function at 0.7 with its derivative by hand.
    #[test]
    fn dual_every_function_gives_its_derivative() {
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
            ("sin", x.sin(), Real::cos(a)),
            ("cos", x.cos(), -Real::sin(a)),
            ("powi, 3", x.powi(3), 3.0 * a * a),
            ("powi, 1", x.powi(1), 1.0),
            ("powi, 0", x.powi(0), 0.0),
            ("powi, -1", x.powi(-1), -1.0 / (a * a)),
            ("neg", -x, -1.0),
            ("add, left", x + two, 1.0),
            ("add, right", two + x, 1.0),
            ("sub, left", x - two, 1.0),
            ("sub, right", two - x, -1.0),
            ("mul, left", x * two, 2.0),
            ("mul, right", two * x, 2.0),
            ("mul", x * x * x, 3.0 * a * a),
            ("div, left", x / two, 0.5),
            ("div, right", two / x, -2.0 / (a * a)),
            ("div", (x * x) / x, 1.0),
            ("maximum, left", x.maximum(-x), 1.0),
            ("maximum, right", (-x).maximum(x), 1.0),
            ("mean tangent", x.with_mean_tangent(x + x), 1.5),
        ] {
            assert!((y.tangent - want).abs() < 1e-15, "{name}: {} is not {want}", y.tangent);
        }
    }

    #[test]
    fn assignment_operators_equal_the_binary_operators() {
        let (a, b) = (Dual { value: 0.7_f64, tangent: 2.0 }, Dual { value: -1.3, tangent: 0.5 });
        let parts = |x: Dual<f64>| (x.value, x.tangent);
        let after = |assign: fn(&mut Dual<f64>, Dual<f64>)| {
            let mut x = a;
            assign(&mut x, b);
            parts(x)
        };
        assert_eq!(after(|x, b| *x += b), parts(a + b));
        assert_eq!(after(|x, b| *x -= b), parts(a - b));
        assert_eq!(after(|x, b| *x *= b), parts(a * b));
        assert_eq!(after(|x, b| *x /= b), parts(a / b));
    }

    #[test]
    fn infinite_slope_of_a_constant_gives_tangent_zero() {
        let parts = |x: Dual<f64>| (x.value, x.tangent);
        let (variable, constant) = (Dual::variable(0.0), Dual::constant(0.0));
        assert_eq!((parts(variable.sqrt()), parts(constant.sqrt())), ((0.0, f64::INFINITY), (0.0, 0.0)));
        assert_eq!(
            (parts(variable.ln()), parts(constant.ln())),
            ((-f64::INFINITY, f64::INFINITY), (-f64::INFINITY, 0.0))
        );
        assert!(!variable.sqrt().is_finite() && constant.sqrt().is_finite() && !constant.ln().is_finite());
        assert!((-Dual::variable(1.0_f64)).sqrt().tangent.is_nan(), "the root is NaN, and so is the slope");
    }

    #[test]
    fn powi_at_zero_and_beyond_the_range_has_the_slope_of_its_formula() {
        let slope = |x: f64, n| Dual::variable(x).powi(n).tangent;
        assert_eq!([0, 1, 2].map(|n| slope(0.0, n)), [0.0, 1.0, 0.0]);
        assert_eq!([-1, -2].map(|n| slope(0.0, n)), [-f64::INFINITY; 2]);
        assert_eq!([slope(1e160, -3), slope(1e-160, -3), slope(-1.0, i32::MIN)], [0.0, -f64::INFINITY, 2_f64.powi(31)]);
        let constant = Dual::constant(0.0_f64).powi(-1);
        assert_eq!((constant.value, constant.tangent), (f64::INFINITY, 0.0));
    }

    #[test]
    fn tanh_sigmoid_and_exp_in_their_tails_have_slope_zero() {
        let parts = |x: Dual<f64>| (x.value, x.tangent);
        for (x, sign) in [(Dual::variable(1e4), 1.0), (-Dual::variable(1e4), -1.0)] {
            assert_eq!(parts(x.tanh()), (sign, 0.0));
            let (y, slope) = parts(x.sigmoid());
            assert_eq!((y, slope.abs()), (f64::max(sign, 0.0), 0.0));
        }
        assert_eq!(parts((-Dual::variable(1e4)).exp()), (0.0, -0.0));
        let x = 40.0_f64; // σ′ is accurate although 1 − σ rounds to 0
        let slope = Dual::variable(x).sigmoid().tangent;
        assert!((slope / Real::exp(-x) - 1.0).abs() < 1e-15, "{slope}");
    }

    #[test]
    fn comparisons_and_branches_ignore_the_tangents() {
        let [a, b] = [2.0, 3.0].map(|tangent| Dual { value: 0.5_f64, tangent });
        assert_eq!(a, b);
        assert_eq!(a.partial_cmp(&b), Some(Ordering::Equal));
        assert!(b.maximum(a).tangent == 3.0 && a.maximum(b).tangent == 2.0);
        assert!(!a.is_zero() && !(a - a - Dual { value: 0.0, tangent: 1.0 }).is_zero() && (a - a).is_zero());
        let nan = Dual::variable(f64::NAN);
        assert!(a.partial_cmp(&nan).is_none() && nan.maximum(a).value.is_nan() && a.maximum(nan).value == 0.5);
        assert!(!Dual { value: 1.0, tangent: f64::NAN }.is_finite() && a.is_finite());
    }

    #[test]
    fn from_f64_gives_a_constant() {
        for x in [
            Dual::from_f64(0.25),
            Dual::constant(0.25_f64),
            Dual::zero() + Dual::from_f64(0.25),
            Dual::one() * Dual::from_f64(0.25),
        ] {
            assert_eq!((Real::value(x), x.tangent), (0.25, 0.0));
        }
    }

    #[test]
    fn dual_of_duals_gives_second_derivatives() {
        let x = Dual { value: Dual::variable(0.7_f64), tangent: Dual::one() };
        let y = x * x * x;
        assert!((y.tangent.tangent - 6.0 * 0.7).abs() < 1e-15);
    }
}
