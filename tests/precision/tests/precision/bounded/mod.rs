//! Numbers with an error bound for `f32`. A kernel that runs on them derives its own error bound.
//!
//! A [`Bounded`] is the result of exact arithmetic, and a bound on the error of any `f32` computation of the same formula.
//! Each operation adds the rounding error that IEEE 754 allows (the standard model, Higham 2002, equation 2.4). For
//! subnormal results, that is half the smallest subnormal:
//!
//! ```text
//! fl(a ∘ b) = (a ∘ b)(1 + δ)    |δ| ≤ u = 2⁻²⁴    or    (a ∘ b) + η    |η| ≤ 2⁻¹⁵⁰
//! ```
//!
//! **Sums have no order here.** SIMD lanes, blocks of a matrix product and threads add in their own orders, so a bound for the
//! order of one loop would not hold for them. A chain of additions and subtractions is therefore stored as n terms t_i with
//! errors e_i, until another operation uses it. A [`Scheme`] states D(n), the largest number of additions that a term passes
//! through in any allowed order. The last addition makes the sum. Each of the others multiplies a term by some 1 + δ. So the
//! error is at most (Higham 2002, lemma 3.1 for γ and the product of the 1 + δ; section 4.2 for sums in any order)
//!
//! ```text
//! Σ e_i + inner + u·(|Σ t_i| + Σ e_i + inner)    inner = γ_{D(n)−1} · Σ (|t_i| + e_i)    γ_k = k·u / (1 − k·u)
//! ```
//!
//! **The code cannot loosen its own bound.** D(n) comes from the scheme and not from the code. A `Bounded` also counts the
//! additions that the code makes. A sum with more additions than its scheme states has no bound.
//!
//! A fused multiply-add rounds once instead of twice, which is within the bound. Terms that are zero in every computation do
//! not count, since adding them is exact.
//!
//! **Functions** of one argument are monotone, except sin and cos. An input error e becomes the larger of f(x + e) − f(x) and
//! f(x) − f(x − e). For sin and cos, whose slopes are at most 1, it stays e.
//! The function's own error, a number of ulps, is added.
//!
//! **The domain** is part of the bound: if an intermediate result may exceed the largest `f32`, the error is infinite.
//!
//! Reference: N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., SIAM 2002, chapters 2 to 4.

mod arithmetic;
mod scheme;
mod tests;

use core::marker::PhantomData;

use tensor::{Element, Real};

pub(crate) use scheme::{AnyOrder, Axes, Products, Scheme, Sums};

/// u, half the gap between 1 and the next `f32`.
pub(crate) const U: f64 = f32::EPSILON as f64 / 2.0;
/// The smallest `f32` above zero, 2⁻¹⁴⁹.
const SMALLEST: f64 = 1.401298464324817e-45;

/// Errors of the functions in ulps. Those of `exp`, `ln`, `tanh`, `sigmoid`, `sin` and `cos` are documented in `tensor`'s `elementary.rs`,
/// measured over all numbers. IEEE 754 requires a correctly rounded square root.
mod ulps {
    pub(super) const ROUNDED: f64 = 0.5;
    pub(super) const EXP: f64 = 1.03;
    pub(super) const LN: f64 = 0.96;
    pub(super) const TANH: f64 = 2.43;
    pub(super) const SIGMOID: f64 = 2.83;
    pub(super) const SIN_COS: f64 = 0.51;
}

/// A sum of terms in any order that the scheme allows. A single number is a sum of one term.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounded<S: Scheme = Sums> {
    /// The result of exact arithmetic, Σ t_i.
    pub(crate) value: f64,
    /// The number of terms n.
    terms: usize,
    /// The largest number of additions that a term has passed through in this computation.
    additions: usize,
    /// Σ e_i.
    errors: f64,
    /// Σ (|t_i| + e_i). Apart from rounding, no partial sum is larger.
    mass: f64,
    scheme: PhantomData<S>,
}

/// Computes γ_k, the largest relative error of k roundings in a row.
pub(crate) fn gamma(k: f64) -> f64 {
    k * U / (1.0 - k * U)
}

/// Returns an upper bound of one ulp of an `f32` of this size.
fn ulp(size: f64) -> f64 {
    (2.0 * U * size).max(SMALLEST)
}

impl<S: Scheme> Bounded<S> {
    /// Creates a number with an error of at most `error`.
    pub(crate) fn new(value: f64, error: f64) -> Self {
        Self { value, terms: 1, additions: 0, errors: error, mass: value.abs() + error, scheme: PhantomData }
    }

    /// Creates the result of an operation with the exact value `value`.
    ///
    /// `error` is the error from its operands. The operation adds its own error of `ulps` ulps. A zero without an error from
    /// the operands is exact.
    fn rounded(value: f64, error: f64, ulps: f64) -> Self {
        let own = if value == 0.0 && error == 0.0 { 0.0 } else { ulps * ulp(value.abs() + error) };
        Self::new(value, error + own)
    }

    /// Returns the error bound of any `f32` computation whose sums follow the scheme.
    pub(crate) fn error(self) -> f64 {
        let most = S::additions(self.terms).min(self.terms - 1);
        let roundings = if most == 0 {
            0.0
        } else {
            let inner = gamma((most - 1) as f64) * self.mass;
            inner + U * (self.value.abs() + self.errors + inner)
        };
        let in_range = self.mass + roundings <= f32::MAX.into();
        if in_range && self.additions <= most { self.errors + roundings } else { f64::INFINITY }
    }

    /// Returns true if every computation gives exactly this number.
    fn is_exactly(self, value: f64) -> bool {
        self.value == value && self.error() == 0.0
    }

    /// Applies a monotone function whose own error is `ulps` ulps.
    fn apply(self, f: impl Fn(f64) -> f64, ulps: f64) -> Self {
        let (y, e) = (f(self.value), self.error());
        let sides = [f(self.value + e) - y, y - f(self.value - e)];
        let bounded = e.is_finite() && !sides.iter().any(|side| side.is_nan());
        Self::rounded(y, if bounded { sides[0].max(sides[1]) } else { f64::INFINITY }, ulps)
    }
}

impl<S: Scheme> Element for Bounded<S> {}

impl<S: Scheme> Real for Bounded<S> {
    /// Rounds a constant to `f32`. The bound contains the exact rounding error.
    fn from_f64(x: f64) -> Self {
        let error = (x - f64::from(x as f32)).abs();
        Self::new(x, if x.is_infinite() { 0.0 } else { error })
    }
    fn value(self) -> f64 {
        self.value
    }
    fn exp(self) -> Self {
        self.apply(f64::exp, ulps::EXP)
    }
    fn ln(self) -> Self {
        self.apply(f64::ln, ulps::LN)
    }
    /// A negative radicand within the error counts as zero. Its root would be NaN, which violates every bound.
    fn sqrt(self) -> Self {
        self.apply(|x| x.max(0.0).sqrt(), ulps::ROUNDED)
    }
    fn tanh(self) -> Self {
        self.apply(f64::tanh, ulps::TANH)
    }
    fn sin(self) -> Self {
        Self::rounded(self.value.sin(), self.error(), ulps::SIN_COS)
    }
    fn cos(self) -> Self {
        Self::rounded(self.value.cos(), self.error(), ulps::SIN_COS)
    }
    fn sigmoid(self) -> Self {
        self.apply(<f64 as Real>::sigmoid, ulps::SIGMOID)
    }
}
