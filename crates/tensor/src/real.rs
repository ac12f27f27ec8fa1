//! The scalar types that a tensor can hold, and their arithmetic.
//!
//! ```
//! use tensor::Real;
//!
//! fn swish<T: Real>(x: T) -> T {
//!     x * x.sigmoid()
//! }
//! assert_eq!(swish(0.0_f32), 0.0);
//! ```

use core::fmt::{Debug, Display};
use core::ops::{AddAssign, DivAssign, MulAssign, Neg, SubAssign};

use ndarray::LinalgScalar;
use num_traits::Float;

use crate::kernels::Kernels;
use crate::{cpu, elementary};

/// An element type of a buffer: a [`Real`], or `u32` for tokens and indices.
pub trait Element: Copy + Default + Debug + PartialEq + Send + Sync + 'static {}

impl Element for u32 {}
impl Element for f32 {}
impl Element for f64 {}

/// A scalar that networks compute with: `f32`, `f64` or [`Dual`](crate::Dual).
///
/// Every kernel, operation and layer is written once, generic over `T: Real`. On dual numbers the same code also computes a
/// derivative. So every backward rule can be checked exactly.
pub trait Real:
    Element + LinalgScalar + PartialOrd + Display + Neg<Output = Self> + AddAssign + SubAssign + MulAssign + DivAssign
{
    /// Converts `x` to the nearest constant.
    fn from_f64(x: f64) -> Self;
    /// The value as `f64`; of a dual number, its primal value.
    fn value(self) -> f64;
    /// eˣ.
    fn exp(self) -> Self;
    /// ln x, the natural logarithm.
    fn ln(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// tanh x, the hyperbolic tangent.
    fn tanh(self) -> Self;
    /// sin x, with x in radians.
    fn sin(self) -> Self;
    /// cos x, with x in radians.
    fn cos(self) -> Self;

    /// xⁿ, by multiplication; 1 / x⁻ⁿ for n < 0, and 1 for n = 0.
    fn powi(self, n: i32) -> Self {
        let power = num_traits::pow(self, n.unsigned_abs() as usize);
        if n < 0 { Self::one() / power } else { power }
    }

    /// 1 / (1 + e⁻ˣ), without overflow for large or small x.
    fn sigmoid(self) -> Self {
        if self >= Self::zero() {
            Self::one() / (Self::one() + (-self).exp())
        } else {
            let e = self.exp();
            e / (Self::one() + e)
        }
    }

    /// The larger of `self` and `other`; `self` if they are equal or one is NaN.
    fn maximum(self, other: Self) -> Self {
        if other > self { other } else { self }
    }

    /// `self`, whose tangent is the mean of the tangents of `self` and `other`. Numbers without a tangent do not change.
    fn with_mean_tangent(self, _other: Self) -> Self {
        self
    }

    /// The default kernels for this scalar type; see [`choose_kernels`](crate::choose_kernels).
    ///
    /// # Panics
    /// If the environment variable names unknown kernels. [`default_kernels`](crate::default_kernels) returns a
    /// `Result` instead.
    #[track_caller]
    fn kernels() -> &'static dyn Kernels<Self> {
        cpu::default_for_any()
    }

    /// The default kernels of the host, even if a GPU is chosen.
    #[doc(hidden)] // for `Device::kernels`
    #[track_caller]
    fn host_kernels() -> &'static dyn Kernels<Self> {
        cpu::default_for_any()
    }

    /// True if the value is neither infinite nor NaN.
    fn is_finite(self) -> bool {
        self.value().is_finite()
    }
}

impl Real for f32 {
    fn from_f64(x: f64) -> Self {
        x as Self
    }
    fn value(self) -> f64 {
        f64::from(self)
    }
    fn exp(self) -> Self {
        elementary::exp(self)
    }
    fn ln(self) -> Self {
        elementary::ln(self)
    }
    fn sqrt(self) -> Self {
        Float::sqrt(self)
    }
    fn tanh(self) -> Self {
        elementary::tanh(self)
    }
    fn sin(self) -> Self {
        elementary::sin(self)
    }
    fn cos(self) -> Self {
        elementary::cos(self)
    }
    fn sigmoid(self) -> Self {
        elementary::sigmoid(self)
    }
    fn kernels() -> &'static dyn Kernels<Self> {
        #[cfg(feature = "std")]
        if let Some(profiled) = crate::profile::running() {
            return profiled;
        }
        cpu::default_for_f32()
    }
    fn host_kernels() -> &'static dyn Kernels<Self> {
        cpu::host_default_for_f32()
    }
}

impl Real for f64 {
    fn from_f64(x: f64) -> Self {
        x
    }
    fn value(self) -> f64 {
        self
    }
    fn exp(self) -> Self {
        Float::exp(self)
    }
    fn ln(self) -> Self {
        Float::ln(self)
    }
    fn sqrt(self) -> Self {
        Float::sqrt(self)
    }
    fn tanh(self) -> Self {
        Float::tanh(self)
    }
    fn sin(self) -> Self {
        Float::sin(self)
    }
    fn cos(self) -> Self {
        Float::cos(self)
    }
    fn kernels() -> &'static dyn Kernels<Self> {
        cpu::default_for_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_of_large_arguments_does_not_overflow_and_keeps_its_tail() {
        assert_eq!(1000.0_f64.sigmoid(), 1.0);
        assert_eq!((-1000.0_f64).sigmoid(), 0.0);
        assert!(((-40.0_f64).sigmoid() - (-40.0_f64).exp()).abs() < 1e-32);
        assert!((0.3_f64.sigmoid() + (-0.3_f64).sigmoid() - 1.0).abs() < 1e-15);
    }
}
