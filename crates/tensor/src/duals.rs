//! Tensors of dual numbers, put together from values and tangents and taken apart again.

use crate::dual::Dual;
use crate::real::Real;
use crate::tensor::Tensor;

/// A tensor that moves along another: how a direction enters a computation, and how the derivative leaves it.
///
/// ```
/// use tensor::{Dual, Map, Tensor};
///
/// let x = Tensor::dual(&Tensor::from([1.0_f64, 3.0]), &Tensor::from([1.0, 10.0]));
/// let y = x.map(Map::Square);
/// assert_eq!(y.values().to_vec(), [1.0, 9.0]);
/// assert_eq!(y.tangents().to_vec(), [2.0, 60.0]); // 2·x·ẋ
/// ```
impl<T: Real> Tensor<Dual<T>> {
    /// `values` with the direction `tangents`, both of one shape.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn dual(values: &Tensor<T>, tangents: &Tensor<T>) -> Self {
        assert_eq!(
            values.shape(),
            tangents.shape(),
            "dual: values {} and tangents {}",
            values.shape(),
            tangents.shape()
        );
        let pairs = values.to_vec().into_iter().zip(tangents.to_vec());
        Self::new(values.shape(), pairs.map(|(value, tangent)| Dual { value, tangent }).collect())
    }

    /// The values, without their tangents. Of duals of duals these are duals, where [`cast`](Tensor::cast) leaves the
    /// innermost value.
    pub fn values(&self) -> Tensor<T> {
        self.part(|x| x.value)
    }

    /// The tangents: the derivative along the direction that was seeded.
    pub fn tangents(&self) -> Tensor<T> {
        self.part(|x| x.tangent)
    }

    fn part(&self, part: impl Fn(Dual<T>) -> T) -> Tensor<T> {
        Tensor::new(self.shape(), self.to_vec().into_iter().map(part).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_out_as_they_went_in() {
        let values = Tensor::from_fn([2, 3], |i| i as f64).transpose();
        let tangents = Tensor::from_fn([3, 2], |i| 10.0 - i as f64);
        let x = Tensor::dual(&values, &tangents);
        assert_eq!((x.values(), x.tangents()), (values, tangents));
        let (row, first) = (x.flip(0).select(1, 1), |x: &Tensor<f64>| x.flip(0).select(1, 1));
        assert_eq!((row.values(), row.tangents()), (first(&x.values()), first(&x.tangents())));
    }

    #[test]
    fn duals_of_duals_keep_both_directions() {
        let scalar = |x: f64| Tensor::scalar(x);
        let outer = Tensor::dual(&Tensor::dual(&scalar(1.0), &scalar(2.0)), &Tensor::dual(&scalar(3.0), &scalar(4.0)));
        let parts = [outer.values().values(), outer.values().tangents(), outer.tangents().values()];
        assert_eq!(parts.map(|x| x.item()), [1.0, 2.0, 3.0]);
        assert_eq!(outer.tangents().tangents().item(), 4.0);
    }

    #[test]
    #[should_panic(expected = "dual: values [2, 3] and tangents [3, 2]")]
    fn wrong_shapes_are_named() {
        let _ = Tensor::<Dual<f64>>::dual(&Tensor::zeros([2, 3]), &Tensor::zeros([3, 2]));
    }
}
