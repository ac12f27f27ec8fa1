//! Tensor arithmetic without a tape, by the default kernels of [`Real::kernels`]. A number broadcasts like a scalar tensor.

use core::ops::{Add, Div, Mul, Neg, Sub};

use crate::dual::Dual;
use crate::kernels::{Binary, Form, Reduce};
use crate::map::Map;
use crate::real::Real;
use crate::tensor::Tensor;

impl<T: Real> Tensor<T> {
    /// Applies f to each element.
    pub fn map(&self, f: Map<T>) -> Self {
        let mut y = Self::zeros(self.shape());
        T::kernels().map(f, self.view(), y.view_mut());
        y
    }

    /// Computes the matrix product self\[M,K\] · b\[K,N\]; of two batches \[B,M,K\] and \[B,K,N\] the B products \[B,M,N\].
    ///
    /// # Panics
    /// If the operands are neither two matrices nor two batches of equal length, or if the inner extents differ.
    #[track_caller]
    pub fn matmul(&self, b: &Self) -> Self {
        let mut y = Self::zeros(Form::NN.product_shape(self.shape(), b.shape()));
        Form::NN.multiply(T::kernels(), [self.view(), b.view()], false, y.view_mut());
        y
    }

    /// Sums along `axis` and removes the axis.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn sum_axis(&self, axis: usize) -> Self {
        self.reduce(Reduce::Sum, axis)
    }

    /// Takes the maximum along `axis` and removes the axis.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn max_axis(&self, axis: usize) -> Self {
        self.reduce(Reduce::Max, axis)
    }

    /// Sums all elements.
    pub fn sum(&self) -> T {
        self.reshape([self.size()]).sum_axis(0).item()
    }

    #[track_caller]
    fn reduce(&self, how: Reduce, axis: usize) -> Self {
        assert!(axis < self.shape().rank(), "reduce: {} has no axis {axis}", self.shape());
        let mut y = Self::zeros(self.shape().without_axis(axis));
        T::kernels().reduce(how, self.view(), axis, y.view_mut());
        y
    }

    #[track_caller]
    fn binary(&self, name: &str, op: Binary, b: &Self) -> Self {
        let Some(shape) = self.shape().broadcast(&b.shape()) else {
            panic!("{name}: {} and {} do not broadcast", self.shape(), b.shape());
        };
        let mut y = Self::zeros(shape);
        T::kernels().binary(op, self.view(), b.view(), y.view_mut());
        y
    }
}

/// Implements an operator with a number on the left. A generic implementation is not allowed for a foreign type.
macro_rules! number_on_the_left {
    ($trait:ident $method:ident: $($number:ty $(where $t:ident)?),*) => {$(
        impl<$($t: Real)?> $trait<&Tensor<$number>> for $number {
            type Output = Tensor<$number>;
            fn $method(self, x: &Tensor<$number>) -> Self::Output {
                (&Tensor::scalar(self)).$method(x)
            }
        }
        impl<$($t: Real)?> $trait<Tensor<$number>> for $number {
            type Output = Tensor<$number>;
            fn $method(self, x: Tensor<$number>) -> Self::Output {
                self.$method(&x)
            }
        }
    )*};
}

macro_rules! binary {
    ($($trait:ident $method:ident),*) => {$(
        impl<T: Real> $trait<&Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, b: &Tensor<T>) -> Tensor<T> {
                self.binary(stringify!($method), Binary::$trait, b)
            }
        }
        impl<T: Real> $trait for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, b: Tensor<T>) -> Tensor<T> {
                (&self).$method(&b)
            }
        }
        impl<T: Real> $trait<T> for &Tensor<T> {
            type Output = Tensor<T>;
            fn $method(self, c: T) -> Tensor<T> {
                self.$method(&Tensor::scalar(c))
            }
        }
        impl<T: Real> $trait<T> for Tensor<T> {
            type Output = Tensor<T>;
            fn $method(self, c: T) -> Tensor<T> {
                (&self).$method(c)
            }
        }
        number_on_the_left!($trait $method: f32, f64, Dual<U> where U);
    )*};
}
binary!(Add add, Sub sub, Mul mul, Div div);

impl<T: Real> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    fn neg(self) -> Tensor<T> {
        self.map(Map::Neg)
    }
}

impl<T: Real> Neg for Tensor<T> {
    type Output = Tensor<T>;
    fn neg(self) -> Tensor<T> {
        -&self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a dual number has its tangent, which `==` ignores.
    #[test]
    fn arithmetic_with_a_number_on_either_side_matches_the_scalars() {
        fn check<T: Real>(c: T, on_the_left: fn(T, &Tensor<T>) -> [Tensor<T>; 8]) {
            let (a, b) = (T::from_f64(3.0), T::from_f64(-0.7));
            let x = Tensor::from([a, b]);
            let y = [&x + c, &x - c, &x * c, &x / c, x.clone() + c, x.clone() - c, x.clone() * c, x.clone() / c];
            let want = [[a + c, b + c], [a - c, b - c], [a * c, b * c], [a / c, b / c]].map(Tensor::from);
            assert_eq!(std::format!("{:?}", [&y[..4], &y[4..]]), std::format!("{:?}", [&want; 2]));
            let y = on_the_left(c, &x);
            let want = [[c + a, c + b], [c - a, c - b], [c * a, c * b], [c / a, c / b]].map(Tensor::from);
            assert_eq!(std::format!("{:?}", [&y[..4], &y[4..]]), std::format!("{:?}", [&want; 2]));
        }
        macro_rules! number_on_the_left_of {
            ($x:ident) => {
                |c, $x| [c + $x, c - $x, c * $x, c / $x, c + $x.clone(), c - $x.clone(), c * $x.clone(), c / $x.clone()]
            };
        }
        check(0.1_f32, number_on_the_left_of!(x));
        check(0.1_f64, number_on_the_left_of!(x));
        check(Dual::variable(0.1_f64), number_on_the_left_of!(x));
    }
}
