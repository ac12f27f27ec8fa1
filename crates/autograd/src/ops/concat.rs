//! Concatenation along an axis.
//!
//! - Forward: y = \[x₀, x₁, …\] along `axis`; all other extents are equal.
//! - Backward: dx_k += the slice of dy that holds x_k. Keeps nothing.
//! - Why: each element of x_k is one element of y.
//! - Cost: one copy forward, 1 flop per element backward.
//! - Reference: NumPy manual, `numpy.concatenate`.

use alloc::vec::Vec;

use tensor::{MAX_RANK, Map, Real, Shape};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Concat(usize);

impl<'t, T: Real> Var<'t, T> {
    /// Concatenates `parts` along `axis`.
    ///
    /// Gradients: dx_k += the slice of dy that holds x_k; derived in [`ops::concat`](crate::ops::concat).
    ///
    /// # Panics
    /// If `parts` is empty, if a part has no such axis, or if the other extents differ.
    #[track_caller]
    pub fn concat(parts: &[Var<'t, T>], axis: usize) -> Self {
        let first = parts.first().expect("concat: no parts were given");
        let shape = first.shape();
        assert!(axis < shape.rank(), "concat: {shape} has no axis {axis}");
        for part in parts {
            let other = part.shape();
            let fits = other.rank() == shape.rank() && other.with_extent(axis, 0) == shape.with_extent(axis, 0);
            assert!(
                fits,
                "concat along axis {axis}: {shape} and {other} must have the same sizes along the other axes"
            );
        }
        first.tape.record(Op::Concat(Concat(axis)), parts)
    }

    /// Stacks `parts` of equal shape along a new first axis: a [`reshape`](Self::reshape) of each and a
    /// [`concat`](Self::concat). Scalars become a vector.
    ///
    /// # Panics
    /// If `parts` is empty, if the shapes differ, or if the parts already have [`tensor::MAX_RANK`] axes.
    #[track_caller]
    pub fn stack(parts: &[Var<'t, T>]) -> Self {
        let first = parts.first().expect("stack: no parts were given");
        let shape = first.shape();
        let mut extents = [1; MAX_RANK + 1];
        extents[1..=shape.rank()].copy_from_slice(&shape);
        let row = Shape::new(&extents[..=shape.rank()]);
        for part in parts {
            assert!(part.shape() == shape, "stack: {shape} and {} differ", part.shape()); // no closure: it would lose #[track_caller]
        }
        let rows: Vec<_> = parts.iter().map(|part| part.reshape(row)).collect();
        Self::concat(&rows, 0)
    }
}

impl<T: Real> Operation<T> for Concat {
    const NAME: &'static str = "concat";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("axis={}", self.0)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (axis, kernels) = (self.0, f.kernels());
        let total = (0..f.arity()).try_fold(0_usize, |total, k| total.checked_add(f.shape(k)[axis]));
        let shape = f.shape(0).with_extent(axis, total.expect("concat: the extents add up to more than usize::MAX"));
        let mut start = 0;
        f.output(shape);
        for k in 0..f.arity() {
            let x = f.input(k);
            let end = start + x.shape()[axis];
            kernels.map(Map::Identity, x, f.output(shape).slice(axis, start..end));
            start = end;
        }
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (axis, kernels, dy) = (self.0, b.kernels(), b.dy());
        let mut start = 0;
        for k in 0..b.arity() {
            let end = start + b.input(k).shape()[axis];
            if let Some(dx) = b.grad(k) {
                kernels.sum_to(T::one(), dy.slice(axis, start..end), dx);
            }
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;
    use crate::{Tape, Var};

    #[test]
    fn concat_parts_of_different_extents_matches_differences() {
        let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
        let b = Tensor::from([[5.0], [6.0]]);
        let tape = Tape::<f64>::new();
        let y = Var::concat(&[tape.input(a.clone()), tape.input(b.clone())], 1);
        assert_eq!(y.value(), Tensor::from([[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]));
        check_against_differences(&[a, b], |x| Var::concat(&[x[0], x[1], x[0]], 1).square());
    }

    #[test]
    fn stack_vectors_matches_differences() {
        let a = Tensor::from([1.0, 2.0]);
        check_against_differences(&[a.clone(), a], |x| Var::stack(&[x[0], x[1], x[0]]).square());
    }

    #[test]
    fn stack_scalars_gives_a_vector() {
        let [a, b] = [3.0, -2.0].map(Tensor::scalar);
        let tape = Tape::<f64>::new();
        assert_eq!(Var::stack(&[tape.input(a.clone()), tape.input(b.clone())]).value(), Tensor::from([3.0, -2.0]));
        check_against_differences(&[a, b], |x| Var::stack(&[x[0], x[1], x[0]]).square());
    }

    #[test]
    #[should_panic(expected = "stack: [2] and [3] differ")]
    fn stack_different_shapes_panics() {
        let tape = Tape::<f64>::new();
        let _ = Var::stack(&[2, 3, 1].map(|n| tape.input(Tensor::zeros([n]))));
    }

    #[test]
    #[should_panic(expected = "a tensor has at most 4 axes, not 5")]
    fn stack_parts_of_maximal_rank_panics() {
        let tape = Tape::<f64>::new();
        let _ = Var::stack(&[tape.input(Tensor::zeros([2, 3, 4, 5]))]);
    }

    #[test]
    #[should_panic(expected = "concat along axis 1: [2, 3] and [3, 3] must have the same sizes along the other axes")]
    fn concat_different_other_extents_panics() {
        let tape = Tape::<f64>::new();
        let _ = Var::concat(&[tape.input(Tensor::zeros([2, 3])), tape.input(Tensor::zeros([3, 3]))], 1);
    }
}
