//! The same elements under another shape.
//!
//! - Forward: y has the elements of x in row-major order; a view where x has no gaps, else a copy.
//! - Backward: dx += dy under x's shape. Keeps nothing.
//! - Why: each element goes to one place.
//! - Cost: nothing forward (or one copy), 1 flop an element backward.
//! - Reference: NumPy manual, `numpy.reshape`, order 'C'.

use tensor::{Map, Real, Shape};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Reshape(Shape);

impl<T: Real> Var<'_, T> {
    /// The same elements, in row-major order, under another shape.
    ///
    /// # Panics
    /// If the sizes differ.
    #[track_caller]
    pub fn reshape(self, shape: impl Into<Shape>) -> Self {
        let (from, to) = (self.shape(), shape.into());
        assert_eq!(from.size(), to.size(), "reshape: {from} has {} elements, {to} has {}", from.size(), to.size());
        self.tape.record(Op::Reshape(Reshape(to)), &[self])
    }
}

impl<T: Real> Operation<T> for Reshape {
    const NAME: &'static str = "reshape";
    const SHARES: bool = true;

    fn forward(&self, f: &mut Forward<'_, T>) {
        f.share_reshaped(self.0);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some((dx, add)) = b.grad_as_it_is(0) {
            let dy = dy.reshape(dx.shape()).expect("gradients have no gaps");
            if add { kernels.sum_to(T::one(), dy, dx) } else { kernels.map(Map::Identity, dy, dx) }
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn of_a_view_with_gaps_too() {
        let x = Tensor::from_fn([2, 3, 4], |i| i as f64);
        check_against_differences(core::slice::from_ref(&x), |x| x[0].reshape([6, 4]).square());
        check_against_differences(&[x], |x| x[0].permute(&[2, 0, 1]).reshape([8, 3]).square());
    }

    #[test]
    fn of_what_is_used_twice() {
        let x = Tensor::from_fn([2, 6], |i| i as f64);
        check_against_differences(&[x], |x| x[0].reshape([4, 3]).square().sum() + x[0].reshape([12]).tanh().sum());
    }
}
