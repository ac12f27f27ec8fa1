//! Gradient clipping by the global norm.
//!
//! With ‖g‖ the Euclidean norm over all parameters together, g becomes g·min(1, c / (‖g‖ + 1e-6)). Its direction stays,
//! and its length is at most c.
//!
//! Source: R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks" (2013),
//! algorithm 1. The 1e-6 is that of PyTorch's `clip_grad_norm_`.

use alloc::string::String;
use core::fmt;

use tensor::Real;

use crate::params::{Grads, Params};
use crate::settings::{SettingRange, check_setting};

/// The norm of the gradients is infinite or NaN. A step along them would destroy the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct NonFiniteNorm {
    /// The norm.
    pub norm: f64,
    /// The first parameter with a gradient that is not finite. `None` if only the sum of squares overflows.
    pub parameter: Option<String>,
}

impl fmt::Display for NonFiniteNorm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the norm of the gradients is {}, but clipping needs a finite number: ", self.norm)?;
        match &self.parameter {
            Some(name) => write!(f, "the gradient of {name} is not finite; check the loss for an overflow")?,
            None => write!(f, "each is finite, but the sum of their squares overflows")?,
        }
        write!(f, ", or lower the learning rate")
    }
}

impl core::error::Error for NonFiniteNorm {}

/// Scales the gradients down to a global norm of at most `max`, and returns their norm before clipping.
///
/// # Errors
/// If that norm is not finite. The gradients are then unchanged.
///
/// # Panics
/// If `max` is negative or NaN, or rounds to 0 or ∞ as a `T`. A `max` of ∞ is allowed and clips nothing.
#[track_caller]
pub fn clip_global_norm<T: Real>(params: &Params<T>, grads: &mut Grads<T>, max: f64) -> Result<T, NonFiniteNorm> {
    assert!(max >= 0.0, "clip_global_norm: the largest norm is {max}, expected a number from 0");
    if max < f64::INFINITY {
        check_setting::<T>("clip_global_norm", "the largest norm", max, SettingRange::NOT_NEGATIVE);
    }
    let norm = grads.norm();
    if !norm.is_finite() {
        return Err(NonFiniteNorm { norm: norm.value(), parameter: grads.first_not_finite(params) });
    }
    let factor = T::from_f64(max) / (norm + T::from_f64(1e-6));
    if factor < T::one() {
        grads.scale(factor);
    }
    Ok(norm)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use tensor::Tensor;

    use super::*;

    fn grads_with<T: Real>(values: [f64; 3]) -> (Params<T>, Grads<T>) {
        let mut params = Params::new();
        params.add("a", &Tensor::zeros([1]));
        params.add("b", &Tensor::zeros([2]));
        let mut grads = Grads::zeros(&params);
        *grads.flat_mut() = Tensor::from(values.map(T::from_f64));
        (params, grads)
    }

    #[test]
    fn clip_global_norm_returns_the_norm_before_clipping() {
        let (params, mut grads) = grads_with::<f64>([2.0, -3.0, 6.0]);
        assert_eq!(clip_global_norm(&params, &mut grads, 0.5), Ok(7.0));
        let factor = 0.5 / (7.0 + 1e-6);
        assert_eq!(grads.flat().to_vec(), [2.0 * factor, -3.0 * factor, 6.0 * factor]);
    }

    #[test]
    fn clip_global_norm_short_gradients_keep_their_bits() {
        let (params, mut grads) = grads_with::<f64>([0.1, 0.2, 0.3]);
        clip_global_norm(&params, &mut grads, 1.0).expect("finite");
        assert_eq!(grads.flat().to_vec(), [0.1, 0.2, 0.3]);
    }

    #[test]
    fn clip_global_norm_not_finite_gradient_is_named_and_unchanged() {
        for bad in [f64::NAN, f64::INFINITY] {
            let (params, mut grads) = grads_with::<f64>([9.0, 1.0, bad]);
            let error = clip_global_norm(&params, &mut grads, 1.0).expect_err("not finite");
            assert_eq!(error.parameter.as_deref(), Some("b"));
            assert_eq!(grads.flat().to_vec()[..2], [9.0, 1.0]);
        }
    }

    #[test]
    fn clip_global_norm_overflow_of_the_norm_alone_is_reported() {
        let (params, mut grads) = grads_with::<f32>([1e30, 0.0, 0.0]);
        let error = clip_global_norm(&params, &mut grads, 1.0).expect_err("1e60 is no f32");
        assert_eq!(
            error.to_string().split(": ").nth(1),
            Some("each is finite, but the sum of their squares overflows, or lower the learning rate")
        );
        assert_eq!((error.norm, error.parameter), (f64::INFINITY, None));
    }

    #[test]
    #[should_panic(expected = "clip_global_norm: the largest norm = 1e-50 becomes 0.0 in f32")]
    fn clip_global_norm_bound_that_rounds_to_zero_panics() {
        let (params, mut grads) = grads_with::<f32>([1.0, 0.0, 0.0]);
        let _ = clip_global_norm(&params, &mut grads, 1e-50);
    }

    #[test]
    fn clip_global_norm_infinite_bound_clips_nothing() {
        let (params, mut grads) = grads_with::<f32>([3.0, 0.0, 4.0]);
        assert_eq!(clip_global_norm(&params, &mut grads, f64::INFINITY), Ok(5.0));
        assert_eq!(grads.flat().to_vec(), [3.0, 0.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "the largest norm is NaN, expected a number from 0")]
    fn clip_global_norm_nan_bound_panics() {
        let (params, mut grads) = grads_with::<f64>([1.0, 0.0, 0.0]);
        let _ = clip_global_norm(&params, &mut grads, f64::NAN);
    }
}
