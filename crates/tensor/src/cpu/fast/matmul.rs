//! Matrix products through `matrixmultiply`.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::kernels::Form;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn matmul<T: Real>(form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>) {
    let a: ArrayView2<T> = a.host().into_dimensionality().expect("matmul takes matrices");
    let b: ArrayView2<T> = b.host().into_dimensionality().expect("matmul takes matrices");
    let mut y: ArrayViewMut2<T> = y.host().into_dimensionality().expect("matmul makes a matrix");
    let (a, b) = match form {
        Form::NN => (a, b),
        Form::NT => (a, b.reversed_axes()),
        Form::TN => (a.reversed_axes(), b),
    };
    let beta = if accumulate { T::one() } else { T::zero() };
    general_mat_mul(T::one(), &a, &b, beta, &mut y);
}
