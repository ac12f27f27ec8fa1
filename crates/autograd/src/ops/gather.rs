//! Elements of each row, by index.
//!
//! - Forward: y\[…,k\] = x\[…, index\[…,k\]\], for x\[…,N\] and index\[…,K\] with the same leading extents; y\[…,K\].
//! - Backward: dx\[…, index\[…,k\]\] += dy\[…,k\]; gradients of a repeated index are summed. Keeps the indices.
//! - Why: y is a copy of the elements at the indices; other elements do not affect it.
//! - Cost: one copy of y forward, 1 flop per element of y backward.
//! - Reference: PyTorch manual, `torch.gather` along the last dimension.

use tensor::{Real, Tensor};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Gather(Tensor<u32>);

impl<T: Real> Var<'_, T> {
    /// Returns the elements `index`\[…,K\] of each row of this value\[…,N\], as \[…,K\].
    ///
    /// Gradient: dx\[…, index\[…,k\]\] += dy\[…,k\]; derived in [`ops::gather`](crate::ops::gather).
    ///
    /// # Panics
    /// If the leading extents differ, or if an index is outside its row.
    #[track_caller]
    pub fn gather(self, index: &Tensor<u32>) -> Self {
        let (x, indices) = (self.shape(), index.shape());
        let rows = |shape: tensor::Shape| shape.without_axis(shape.rank() - 1);
        assert!(
            x.rank() > 0 && indices.rank() > 0 && rows(x) == rows(indices),
            "gather: x {x} and indices {indices} must have the same shape, apart from the last axis"
        );
        let n = x.last_extent();
        if let Some((at, i)) = index.find(|i| i as usize >= n) {
            panic!("gather: index {i} at {at:?} is not below {n}, the length of a row of {x}");
        }
        self.tape.record(Op::Gather(Gather(index.clone())), &[self])
    }
}

impl<T: Real> Operation<T> for Gather {
    const NAME: &'static str = "gather";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("index=u32{}", self.0.shape())
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, x) = (f.kernels(), f.input(0));
        kernels.gather(x, self.0.view(), f.output(self.0.shape()));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.scatter_add(self.0.view(), dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_against_differences;

    #[test]
    fn gather_element_read_twice_sums_two_gradients() {
        let index = Tensor::from([[2, 2], [0, 1]]);
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let y = Tape::<f64>::new().input(x.clone()).gather(&index).value();
        assert_eq!(y, Tensor::from([[3.0, 3.0], [4.0, 5.0]]));
        check_against_differences(&[x], |x| x[0].gather(&index).square());
    }

    #[test]
    #[should_panic(expected = "gather: x [2, 3] and indices [3, 1] must have the same shape, apart from the last axis")]
    fn gather_other_leading_extents_panic_in_words() {
        let _ = Tape::<f32>::new().input(Tensor::zeros([2, 3])).gather(&Tensor::from([[0], [1], [2]]));
    }

    #[test]
    #[should_panic(expected = "gather: index 3 at [1, 0] is not below 3, the length of a row of [2, 3]")]
    fn gather_index_out_of_range_panics() {
        let _ = Tape::<f32>::new().input(Tensor::zeros([2, 3])).gather(&Tensor::from([[0], [3]]));
    }
}
