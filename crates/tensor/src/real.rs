//! The scalars: what a tensor may hold, and what arithmetic may be done on it.
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

/// What a buffer can hold: the reals, and `u32` for tokens and indices.
pub trait Element: Copy + Default + Debug + PartialEq + Send + Sync + 'static {}

impl Element for u32 {}
impl Element for f32 {}
impl Element for f64 {}

/// A scalar that networks compute with: `f32`, `f64` or [`Dual`](crate::Dual).
///
/// Every kernel, operation and layer is written once over `T: Real`; on duals the same code carries a
/// derivative along, which is what makes an exact check of every backward rule possible.
pub trait Real:
    Element + LinalgScalar + PartialOrd + Display + Neg<Output = Self> + AddAssign + SubAssign + MulAssign + DivAssign
{
    /// The constant nearest to `x`.
    fn of(x: f64) -> Self;
    /// The value as `f64`; of a dual, its primal part.
    fn value(self) -> f64;
    /// eˣ.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;

    /// 1 / (1 + e⁻ˣ), without overflow on either side.
    fn sigmoid(self) -> Self {
        if self >= Self::zero() {
            Self::one() / (Self::one() + (-self).exp())
        } else {
            let e = self.exp();
            e / (Self::one() + e)
        }
    }

    /// The larger of the two; `self` where they compare equal.
    fn maximum(self, other: Self) -> Self {
        if other > self { other } else { self }
    }

    /// The kernels that run where nobody asks for others; see [`choose_kernels`](crate::choose_kernels).
    ///
    /// # Panics
    /// If the environment names kernels that are not there; [`default_kernels`](crate::default_kernels) is the same as a `Result`.
    #[track_caller]
    fn kernels() -> &'static dyn Kernels<Self> {
        cpu::for_any()
    }

    /// The same on the host, whatever device runs otherwise.
    #[doc(hidden)] // of use to `Device::kernels`
    #[track_caller]
    fn host_kernels() -> &'static dyn Kernels<Self> {
        cpu::for_any()
    }

    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool {
        self.value().is_finite()
    }
}

impl Real for f32 {
    fn of(x: f64) -> Self {
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
    fn sigmoid(self) -> Self {
        elementary::sigmoid(self)
    }
    fn kernels() -> &'static dyn Kernels<Self> {
        #[cfg(feature = "std")]
        if let Some(profiled) = crate::profile::running() {
            return profiled;
        }
        cpu::for_f32()
    }
    fn host_kernels() -> &'static dyn Kernels<Self> {
        cpu::host_for_f32()
    }
}

impl Real for f64 {
    fn of(x: f64) -> Self {
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
    fn kernels() -> &'static dyn Kernels<Self> {
        cpu::for_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_neither_overflows_nor_loses_its_tail() {
        assert_eq!(1000.0_f64.sigmoid(), 1.0);
        assert_eq!((-1000.0_f64).sigmoid(), 0.0);
        assert!(((-40.0_f64).sigmoid() - (-40.0_f64).exp()).abs() < 1e-32);
        assert!((0.3_f64.sigmoid() + (-0.3_f64).sigmoid() - 1.0).abs() < 1e-15);
    }
}
