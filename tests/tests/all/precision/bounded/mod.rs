//! Numbers that know how wrong an `f32` in their place can be: a kernel that is run on them derives its own error bound.
//!
//! A [`Bounded`] is what exact arithmetic gives, and a bound on how far any `f32` computation of the same formula may be
//! from it. Each operation adds what IEEE 754 lets it lose (the standard model, Higham 2002, equation 2.4; below the
//! normal numbers, half the smallest subnormal instead):
//!
//! ```text
//! fl(a ∘ b) = (a ∘ b)(1 + δ)    |δ| ≤ u = 2⁻²⁴    or    (a ∘ b) + η    |η| ≤ 2⁻¹⁵⁰
//! ```
//!
//! **Sums have no order here.** SIMD lanes, blocks of a matrix product and threads add up in orders of their own, so a
//! bound for the order in which a loop happens to run would not hold for them. A chain of additions and subtractions is
//! therefore kept as what it is, n terms t_i with errors e_i, until something else is done with it. All orders have one
//! thing in common: a [`Scheme`] states how many additions D(n) a term passes through at most. The last of them makes the
//! sum; each of the others multiplies a term by some 1 + δ. So the whole is wrong by at most (Higham 2002, lemma 3.1 for γ
//! and for the product of the 1 + δ; section 4.2 for sums in any order)
//!
//! ```text
//! Σ e_i + inner + u·(|Σ t_i| + Σ e_i + inner)    inner = γ_{D(n)−1} · Σ (|t_i| + e_i)    γ_k = k·u / (1 − k·u)
//! ```
//!
//! **A computation cannot excuse itself.** D(n) comes from the scheme's statement and not from the code. A `Bounded` counts
//! the additions that the code makes: a sum that makes more than its scheme states has no bound.
//!
//! A product that is fused with an addition rounds once instead of twice, which is within the bound. Terms that are zero
//! in every computation do not count: adding them is exact.
//!
//! **Functions** of one argument are monotone, so an error on the way in comes out as the larger of f(x + e) − f(x) and
//! f(x) − f(x − e), to which the function's own is added: so many units in the last place.
//!
//! **The domain** is part of the bound: where a number on the way may exceed the largest `f32`, the error is infinite.
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

/// Errors of the functions in ulps. Those of `exp`, `ln`, `tanh` and `sigmoid` are in `elementary.rs` of `tensor`, where
/// they were measured over all numbers; the root is rounded correctly by IEEE 754.
mod ulps {
    pub(super) const ROUNDED: f64 = 0.5;
    pub(super) const EXP: f64 = 1.03;
    pub(super) const LN: f64 = 0.96;
    pub(super) const TANH: f64 = 2.43;
    pub(super) const SIGMOID: f64 = 2.83;
}

/// A sum of terms in some order that the scheme allows; a sum of one term is a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounded<S: Scheme = Sums> {
    /// What exact arithmetic gives: Σ t_i.
    pub(crate) value: f64,
    /// n.
    terms: usize,
    /// The largest number of additions that a term passed through here.
    additions: usize,
    /// Σ e_i.
    errors: f64,
    /// Σ (|t_i| + e_i), which no partial sum exceeds but by its rounding.
    mass: f64,
    scheme: PhantomData<S>,
}

/// γ_k, what k roundings in a row can do at most.
pub(crate) fn gamma(k: f64) -> f64 {
    k * U / (1.0 - k * U)
}

/// At least one unit in the last place of an `f32` of this size.
fn ulp(size: f64) -> f64 {
    (2.0 * U * size).max(SMALLEST)
}

impl<S: Scheme> Bounded<S> {
    /// One number that is wrong by at most `error`.
    pub(crate) fn new(value: f64, error: f64) -> Self {
        Self { value, terms: 1, additions: 0, errors: error, mass: value.abs() + error, scheme: PhantomData }
    }

    /// The result of an operation whose exact value is `value`, whose operands' errors make it wrong by up to `error`,
    /// and which adds so many ulps of its own. A zero that must be zero is exact.
    fn rounded(value: f64, error: f64, ulps: f64) -> Self {
        let own = if value == 0.0 && error == 0.0 { 0.0 } else { ulps * ulp(value.abs() + error) };
        Self::new(value, error + own)
    }

    /// How far an `f32` computation of the same may be away, in whatever order of the scheme it adds.
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

    /// Whether every computation of it gives exactly this number.
    fn is(self, value: f64) -> bool {
        self.value == value && self.error() == 0.0
    }

    /// A function that is monotone, of `ulps` of its own.
    fn apply(self, f: impl Fn(f64) -> f64, ulps: f64) -> Self {
        let (y, e) = (f(self.value), self.error());
        let sides = [f(self.value + e) - y, y - f(self.value - e)];
        let bounded = e.is_finite() && !sides.iter().any(|side| side.is_nan());
        Self::rounded(y, if bounded { sides[0].max(sides[1]) } else { f64::INFINITY }, ulps)
    }
}

impl<S: Scheme> Element for Bounded<S> {}

impl<S: Scheme> Real for Bounded<S> {
    /// A constant is rounded to `f32`, by an amount that is known.
    fn of(x: f64) -> Self {
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
    /// Of zero where the radicand may be negative: that would be NaN, which no bound lets pass.
    fn sqrt(self) -> Self {
        self.apply(|x| x.max(0.0).sqrt(), ulps::ROUNDED)
    }
    fn tanh(self) -> Self {
        self.apply(f64::tanh, ulps::TANH)
    }
    fn sigmoid(self) -> Self {
        self.apply(<f64 as Real>::sigmoid, ulps::SIGMOID)
    }
}
