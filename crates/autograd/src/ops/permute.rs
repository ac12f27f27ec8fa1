//! Permutation of the axes.
//!
//! - Forward: axis k of y is axis `axes[k]` of x; y is a view.
//! - Backward: dx += dy under the inverse permutation: axis `axes[k]` of dx is axis k of dy. Keeps nothing.
//! - Why: each element of x is one element of y.
//! - Cost: nothing forward, 1 flop per element backward.
//! - Reference: NumPy manual, `numpy.transpose`.

use tensor::{MAX_RANK, Real};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Permute {
    axes: [usize; MAX_RANK],
    rank: usize,
}

impl<T: Real> Var<'_, T> {
    /// Permutes the axes: axis k of the result is axis `axes[k]` of this value. The result is a view.
    ///
    /// Gradient: dx += dy under the inverse permutation; derived in [`ops::permute`](crate::ops::permute).
    ///
    /// # Panics
    /// If `axes` is not a permutation of this value's axes.
    #[track_caller]
    pub fn permute(self, axes: &[usize]) -> Self {
        let shape = self.shape();
        let fits = axes.len() == shape.rank() && (0..shape.rank()).all(|axis| axes.contains(&axis));
        assert!(fits, "permute: {axes:?} is not a permutation of the axes of {shape}");
        let mut op = Permute { axes: [0; MAX_RANK], rank: axes.len() };
        op.axes[..axes.len()].copy_from_slice(axes);
        self.tape.record(Op::Permute(op), &[self])
    }

    /// Transposes a matrix, by [`permute`](Self::permute).
    ///
    /// # Panics
    /// If this value is not a matrix.
    #[track_caller]
    pub fn transpose(self) -> Self {
        assert!(self.shape().rank() == 2, "transpose: {} is not a matrix", self.shape());
        self.permute(&[1, 0])
    }
}

impl<T: Real> Operation<T> for Permute {
    const NAME: &'static str = "permute";
    const IS_VIEW: bool = true;

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("axes={:?}", &self.axes[..self.rank])
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        f.set_view(f.tensor(0).permute(&self.axes[..self.rank]));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.sum_to(T::one(), dy, dx.permute(&self.axes[..self.rank]));
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn permute_and_transpose_match_differences() {
        let x = Tensor::from_fn([2, 3, 4], |i| i as f64);
        check_against_differences(core::slice::from_ref(&x), |x| x[0].permute(&[2, 0, 1]).square());
        check_against_differences(&[x.select(0, 1)], |x| x[0].transpose().square());
    }

    #[test]
    #[should_panic(expected = "permute: [0, 0] is not a permutation of the axes of [2, 3]")]
    fn permute_repeated_axis_panics() {
        let _ = crate::Tape::<f64>::new().input(Tensor::zeros([2, 3])).permute(&[0, 0]);
    }
}
