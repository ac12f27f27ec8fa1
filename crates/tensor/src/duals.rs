//! Tensors of dual numbers: construction from values and tangents, and access to both.

use crate::dual::Dual;
use crate::real::Real;
use crate::tensor::Tensor;

/// Methods that seed a computation with a direction, and that read the directional derivative of the result.
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
    /// Makes a tensor of dual numbers from `values` and the direction `tangents`, which have the same shape.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn dual(values: &Tensor<T>, tangents: &Tensor<T>) -> Self {
        let (value_shape, tangent_shape) = (values.shape(), tangents.shape());
        assert!(
            value_shape == tangent_shape,
            "dual: values {value_shape} and tangents {tangent_shape} must have the same shape"
        );
        let pairs = values.to_vec().into_iter().zip(tangents.to_vec());
        Self::new(values.shape(), pairs.map(|(value, tangent)| Dual { value, tangent }).collect())
    }

    /// The values, without their tangents. The values of duals of duals are duals; [`cast`](Tensor::cast) returns the innermost
    /// values instead.
    pub fn values(&self) -> Tensor<T> {
        self.map_duals(|x| x.value)
    }

    /// The tangents: the derivative along the seeded direction.
    pub fn tangents(&self) -> Tensor<T> {
        self.map_duals(|x| x.tangent)
    }

    fn map_duals(&self, part: impl Fn(Dual<T>) -> T) -> Tensor<T> {
        Tensor::new(self.shape(), self.to_vec().into_iter().map(part).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_tangents_of_a_dual_tensor_are_those_given() {
        let values = Tensor::from_fn([2, 3], |i| i as f64).transpose();
        let tangents = Tensor::from_fn([3, 2], |i| 10.0 - i as f64);
        let x = Tensor::dual(&values, &tangents);
        assert_eq!((x.values(), x.tangents()), (values, tangents));
        let (row, first) = (x.flip(0).select(1, 1), |x: &Tensor<f64>| x.flip(0).select(1, 1));
        assert_eq!((row.values(), row.tangents()), (first(&x.values()), first(&x.tangents())));
    }

    #[test]
    fn dual_of_duals_keeps_both_directions() {
        let scalar = |x: f64| Tensor::scalar(x);
        let outer = Tensor::dual(&Tensor::dual(&scalar(1.0), &scalar(2.0)), &Tensor::dual(&scalar(3.0), &scalar(4.0)));
        let parts = [outer.values().values(), outer.values().tangents(), outer.tangents().values()];
        assert_eq!(parts.map(|x| x.item()), [1.0, 2.0, 3.0]);
        assert_eq!(outer.tangents().tangents().item(), 4.0);
    }

    #[test]
    #[should_panic(expected = "dual: values [2, 3] and tangents [3, 2] must have the same shape")]
    fn dual_different_shapes_panics_with_both() {
        let _ = Tensor::<Dual<f64>>::dual(&Tensor::zeros([2, 3]), &Tensor::zeros([3, 2]));
    }
}
