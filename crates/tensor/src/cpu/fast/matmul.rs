//! Matrix products by `matrixmultiply`, in blocks along K.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};

use crate::kernels::Form;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// The extent of a block along K. Each block is one running sum, and the block sums are added to y in turn.
const DEPTH: usize = 512;

/// Transposes the operands of a product in any form to a\[M,K\], b\[K,N\] and y\[M,N\].
fn matrices<'a, T: Real>(
    form: Form,
    a: View<'a, T>,
    b: View<'a, T>,
    y: ViewMut<'a, T>,
) -> (ArrayView2<'a, T>, ArrayView2<'a, T>, ArrayViewMut2<'a, T>) {
    let a = a.as_ndarray().into_dimensionality().expect("matmul takes matrices");
    let b = b.as_ndarray().into_dimensionality().expect("matmul takes matrices");
    let y = y.into_ndarray().into_dimensionality().expect("matmul makes a matrix");
    match form {
        Form::NN => (a, b, y),
        Form::NT => (a, b.reversed_axes(), y),
        Form::TN => (a.reversed_axes(), b, y),
    }
}

pub(in crate::cpu) fn matmul<T: Real>(form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>) {
    let (a, b, mut y) = matrices(form, a, b, y);
    let inner = a.ncols();
    for first in (0..inner.max(1)).step_by(DEPTH) {
        let block = Slice::from(first..inner.min(first + DEPTH));
        let beta = if accumulate || first > 0 { T::one() } else { T::zero() };
        general_mat_mul(T::one(), &a.slice_axis(Axis(1), block), &b.slice_axis(Axis(0), block), beta, &mut y);
    }
}
