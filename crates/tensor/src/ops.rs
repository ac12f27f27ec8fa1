//! Tensor arithmetic without a tape, by the default kernels of [`Real::kernels`].

use core::ops::{Add, Div, Mul, Neg, Sub};

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

    /// Computes the matrix product self\[M,K\] · b\[K,N\].
    ///
    /// # Panics
    /// If an operand is not a matrix, or the inner extents differ.
    #[track_caller]
    pub fn matmul(&self, b: &Self) -> Self {
        let (m, n) = match (&self.shape()[..], &b.shape()[..]) {
            (&[m, k], &[l, n]) if k == l => (m, n),
            _ => panic!("matmul: shapes {} and {} do not fit [M, K] · [K, N]", self.shape(), b.shape()),
        };
        let mut y = Self::zeros([m, n]);
        T::kernels().matmul(Form::NN, self.view(), b.view(), false, y.view_mut());
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
