//! Embedding: rows of a table, by index.
//!
//! - Forward: y\[…,:\] = table\[index\[…\],:\], for table\[V,E\] and indices of any shape; y\[…,E\].
//! - Backward: dtable\[index\[…\],:\] += dy\[…,:\]; a row read n times sums n gradients. Keeps the indices.
//! - Why: y = onehot(index)·table, and the adjoint of that product is onehot(index)ᵀ·dy.
//! - Cost: one copy forward, 1 flop per element of y backward.
//! - Reference: Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, "A Neural Probabilistic Language Model" (2003),
//!   section 2, matrix C.

use tensor::{Real, Shape, Tensor};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

/// The indices and the shape of the value.
pub(crate) struct Embedding(Tensor<u32>, Shape);

impl<T: Real> Var<'_, T> {
    /// Returns the rows `index` of this table\[V,E\], as \[…,E\].
    ///
    /// Gradient: dtable\[index\[…\],:\] += dy\[…,:\]; derived in [`ops::embedding`](crate::ops::embedding).
    ///
    /// # Panics
    /// If this value is not a matrix, if `index` has more than three axes, or if an index is not a row of the table.
    #[track_caller]
    pub fn embedding(self, index: &Tensor<u32>) -> Self {
        let shape = checked_embedding_shape(self.shape(), index);
        self.tape.record(Op::Embedding(Embedding(index.clone(), shape)), &[self])
    }
}

/// Returns the shape \[…,E\] of these rows of a table\[V,E\]. Reads every index to check it.
///
/// # Panics
/// As [`Var::embedding`].
#[track_caller]
pub(super) fn checked_embedding_shape(table: Shape, index: &Tensor<u32>) -> Shape {
    let indices = index.shape();
    assert!(
        table.rank() == 2 && indices.rank() < tensor::MAX_RANK,
        "embedding: the table {table} must be a matrix, and the indices {indices} may have up to three axes"
    );
    if let Some((at, token)) = index.find(|token| token as usize >= table[0]) {
        panic!("embedding: token {token} at {at:?} is outside the vocabulary of {}", table[0])
    }
    let mut extents = [table[1]; tensor::MAX_RANK];
    extents[..indices.rank()].copy_from_slice(&indices);
    Shape::new(&extents[..=indices.rank()])
}

impl<T: Real> Operation<T> for Embedding {
    const NAME: &'static str = "embedding";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("index=u32{}", self.0.shape())
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, table, index) = (f.kernels(), f.input(0), self.0.view());
        kernels.gather_rows(table, index, f.output(self.1));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dtable) = b.grad(0) {
            kernels.scatter_add_rows(self.0.view(), dy, dtable);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_against_differences;

    #[test]
    fn embedding_row_read_twice_sums_two_gradients() {
        let index = Tensor::from([[2, 0, 2]]);
        let table = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        let y = Tape::<f64>::new().input(table.clone()).embedding(&index).value();
        assert_eq!(y, Tensor::new([1, 3, 2], [5.0, 6.0, 1.0, 2.0, 5.0, 6.0].to_vec()));
        check_against_differences(&[table], |t| t[0].embedding(&index).square());
    }

    #[test]
    #[should_panic(expected = "embedding: token 9 at [2, 0] is outside the vocabulary of 3")]
    fn embedding_index_out_of_range_is_named_with_its_place() {
        let _ = Tape::<f32>::new().input(Tensor::zeros([3, 2])).embedding(&Tensor::from([[1, 0], [1, 2], [9, 3]]));
    }
}
