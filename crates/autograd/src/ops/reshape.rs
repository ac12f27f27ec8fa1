//! Reshaping: the same elements in another shape.
//!
//! - Forward: y has the elements of x in row-major order. y is a view if x is contiguous, and a copy otherwise.
//! - Backward: dx += dy in the shape of x. Keeps nothing.
//! - Why: each element of x is one element of y.
//! - Cost: nothing forward (or one copy), 1 flop per element backward.
//! - Reference: NumPy manual, `numpy.reshape`, order 'C'.

use tensor::{Map, Real, Shape};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Reshape(Shape);

impl<T: Real> Var<'_, T> {
    /// Returns the same elements, in row-major order, in another shape.
    ///
    /// Gradient: dx += dy in the shape of x; derived in [`ops::reshape`](crate::ops::reshape).
    ///
    /// # Panics
    /// If the sizes differ.
    #[track_caller]
    pub fn reshape(self, shape: impl Into<Shape>) -> Self {
        let (from, to) = (self.shape(), shape.into());
        assert!(from.size() == to.size(), "reshape: {from} has {} elements, {to} has {}", from.size(), to.size());
        self.tape.record(Op::Reshape(Reshape(to)), &[self])
    }
}

impl<T: Real> Operation<T> for Reshape {
    const NAME: &'static str = "reshape";
    const IS_VIEW: bool = true;

    fn forward(&self, f: &mut Forward<'_, T>) {
        f.set_reshaped_view(self.0);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some((dx, add)) = b.grad_uninit(0) {
            let dy = dy.reshape(dx.shape()).expect("gradients are contiguous");
            if add { kernels.sum_to(T::one(), dy, dx) } else { kernels.map(Map::Identity, dy, dx) }
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn reshape_contiguous_and_permuted_match_differences() {
        let x = Tensor::from_fn([2, 3, 4], |i| i as f64);
        check_against_differences(core::slice::from_ref(&x), |x| x[0].reshape([6, 4]).square());
        check_against_differences(&[x], |x| x[0].permute(&[2, 0, 1]).reshape([8, 3]).square());
    }

    #[test]
    fn reshape_input_used_twice_matches_differences() {
        let x = Tensor::from_fn([2, 6], |i| i as f64);
        check_against_differences(&[x], |x| x[0].reshape([4, 3]).square().sum() + x[0].reshape([12]).tanh().sum());
    }
}
