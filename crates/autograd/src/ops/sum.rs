//! The sum of all elements.
//!
//! - Forward: y = Σ x, for x of any shape; y is a scalar.
//! - Backward: dx += dy for every element. Keeps nothing.
//! - Why: ∂y/∂x_i = 1 for every i; the adjoint of a sum is a broadcast.
//! - Cost per element: 1 flop forward, 1 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 3.2.

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Sum;

impl<T: Real> Var<'_, T> {
    /// Computes the sum of all elements, as a scalar.
    ///
    /// Gradient: dx += dy for every element; derived in [`ops::sum`](crate::ops::sum).
    pub fn sum(self) -> Self {
        self.tape.record(Op::Sum(Sum), &[self])
    }

    /// Computes the mean of all elements, as a scalar, by [`sum`](Self::sum) and [`scale`](Self::scale).
    pub fn mean(self) -> Self {
        let n = self.shape().size();
        self.sum().scale(T::one() / T::from_f64(n as f64))
    }
}

impl<T: Real> Operation<T> for Sum {
    const NAME: &'static str = "sum";

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, x) = (f.kernels(), f.input(0));
        let mut y = f.output([]);
        y.reborrow().fill(T::zero());
        kernels.sum_to(T::one(), x, y);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.sum_to(T::one(), dy.broadcast_to(dx.shape()), dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;

    #[test]
    fn mean_every_element_gets_an_equal_share_of_the_gradient() {
        let tape = Tape::<f64>::new();
        let x = tape.input(Tensor::from([[1.0, 2.0], [3.0, 6.0]]));
        let y = x.mean();
        y.backward_from(&Tensor::scalar(2.0)).expect("no parameters");
        assert_eq!(y.value().item(), 3.0);
        assert_eq!(x.grad().expect("reached"), Tensor::full([2, 2], 0.5));
    }
}
