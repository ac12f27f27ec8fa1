//! Chosen elements of each row.
//!
//! - Forward: y\[…,k\] = x\[…, index\[…,k\]\], for x\[…,N\] and index\[…,K\] with the same leading extents; y\[…,K\].
//! - Backward: dx\[…, index\[…,k\]\] += dy\[…,k\]; repeated indices add up. Keeps the indices.
//! - Why: the elements that were not chosen have no influence.
//! - Cost: one copy of y forward, 1 flop an element of y backward.
//! - Reference: PyTorch manual, `torch.gather` along the last dimension.

use tensor::{Real, Tensor};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Gather(Tensor<u32>);

impl<T: Real> Var<'_, T> {
    /// The elements `index` of each row.
    ///
    /// # Panics
    /// If the leading extents differ, or an index is outside its row.
    #[track_caller]
    pub fn gather(self, index: &Tensor<u32>) -> Self {
        let (x, at) = (self.shape(), index.shape());
        let rows = |shape: tensor::Shape| shape.without(shape.rank() - 1);
        assert!(x.rank() > 0 && at.rank() > 0 && rows(x) == rows(at), "gather: rows of {x} at indices {at}");
        let worst = index.to_host().view().host().iter().copied().max();
        let fits = worst.is_none_or(|i| (i as usize) < x.last_extent());
        assert!(fits, "gather: rows of {x} have no element {}", worst.unwrap_or(0));
        self.tape.record(Op::Gather(Gather(index.clone())), &[self])
    }
}

impl<T: Real> Operation<T> for Gather {
    const NAME: &'static str = "gather";

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
    fn an_element_chosen_twice_collects_twice() {
        let index = Tensor::from([[2, 2], [0, 1]]);
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let y = Tape::<f64>::new().input(x.clone()).gather(&index).value();
        assert_eq!(y, Tensor::from([[3.0, 3.0], [4.0, 5.0]]));
        check_against_differences(&[x], |x| x[0].gather(&index).square());
    }

    #[test]
    #[should_panic(expected = "gather: rows of [2, 3] have no element 3")]
    fn no_such_element() {
        let _ = Tape::<f32>::new().input(Tensor::zeros([2, 3])).gather(&Tensor::from([[0], [3]]));
    }
}
