//! The power with an integer exponent.
//!
//! - Forward: y = xⁿ, for x of any shape and an integer n; y has its shape. x⁰ = 1, and x⁻ⁿ = 1 / xⁿ.
//! - Backward: dx += n·xⁿ⁻¹·dy, which is 0 for n = 0. Keeps the input.
//! - Why: (x + δ)ⁿ = xⁿ + n·xⁿ⁻¹·δ + O(δ²).
//! - Cost: up to 2·log₂|n| + 1 flops forward, as many and 3 flops backward, and one scratch buffer.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3, power.

use tensor::{Map, Real};

use super::unary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Powi {
    exponent: i32,
}

impl<T: Real> Var<'_, T> {
    /// Computes y = xⁿ elementwise, for an integer exponent n.
    ///
    /// Gradient: dx += n·xⁿ⁻¹·dy; derived in [`ops::powi`](crate::ops::powi).
    ///
    /// # Panics
    /// If `exponent` is `i32::MIN`, because n − 1 is no `i32`.
    #[track_caller]
    pub fn powi(self, exponent: i32) -> Self {
        assert!(exponent > i32::MIN, "powi: the exponent {exponent} must be above i32::MIN");
        self.tape.record(Op::Powi(Powi { exponent }), &[self])
    }
}

impl<T: Real> Operation<T> for Powi {
    const NAME: &'static str = "powi";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("n={}", self.exponent)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Powi(self.exponent));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let n = self.exponent;
        if n == 0 {
            b.grad(0); // zero, even where x⁻¹ is infinite
        } else {
            unary::backward_scaled(b, T::from_f64(n.into()), Map::Powi(n - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_unary;

    #[test]
    fn powi_of_any_sign_matches_its_formulas() {
        for n in [-3, -1, 1, 2, 5] {
            check_unary(&[1.0, -2.0, 0.5], |x| x.powi(n), |x| x.powi(n), |x| f64::from(n) * x.powi(n - 1));
        }
    }

    #[test]
    fn powi_smallest_exponent_keeps_the_sign_of_its_slope() {
        check_unary(&[-1.0, 1.0], |x| x.powi(1 - i32::MAX), |_| 1.0, |x| -x * f64::from(i32::MAX - 1));
        check_unary(&[-1.0, 1.0], |x| x.powi(-i32::MAX), |x| x, |_| -f64::from(i32::MAX));
    }

    #[test]
    #[should_panic(expected = "powi: the exponent -2147483648 must be above i32::MIN")]
    fn powi_exponent_without_a_predecessor_panics() {
        let _ = Tape::<f64>::new().input(Tensor::zeros([2])).powi(i32::MIN);
    }

    #[test]
    fn powi_of_zero_has_the_slopes_of_its_formula() {
        for (n, y, slope) in [(0, 1.0, 0.0), (1, 0.0, 1.0), (2, 0.0, 0.0)] {
            check_unary(&[0.0], |x| x.powi(n), |_| y, |_| slope);
        }
    }
}
