//! Matrix products through `matrixmultiply`.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::kernels::Form;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// The matrices a\[M,K\], b\[K,N\] and y\[M,N\] of a product in any form.
fn matrices<'a, T: Real>(
    form: Form,
    a: View<'a, T>,
    b: View<'a, T>,
    y: ViewMut<'a, T>,
) -> (ArrayView2<'a, T>, ArrayView2<'a, T>, ArrayViewMut2<'a, T>) {
    let a = a.host().into_dimensionality().expect("matmul takes matrices");
    let b = b.host().into_dimensionality().expect("matmul takes matrices");
    let y = y.host().into_dimensionality().expect("matmul makes a matrix");
    match form {
        Form::NN => (a, b, y),
        Form::NT => (a, b.reversed_axes(), y),
        Form::TN => (a.reversed_axes(), b, y),
    }
}

pub(in crate::cpu) fn matmul<T: Real>(form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>) {
    let (a, b, mut y) = matrices(form, a, b, y);
    let beta = if accumulate { T::one() } else { T::zero() };
    general_mat_mul(T::one(), &a, &b, beta, &mut y);
}
