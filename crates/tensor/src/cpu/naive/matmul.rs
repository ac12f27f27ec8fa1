//! Matrix products: y_ij = Σ_k a_ik · b_kj.

use super::sum;
use crate::kernels::Form;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn matmul<T: Real>(form: Form, a: View<T>, b: View<T>, accumulate: bool, mut y: ViewMut<T>) {
    let a_ik = |i, k| if form == Form::TN { a.get(&[k, i]) } else { a.get(&[i, k]) };
    let b_kj = |k, j| if form == Form::NT { b.get(&[j, k]) } else { b.get(&[k, j]) };
    let inner = if form == Form::TN { a.shape()[0] } else { a.shape()[1] };
    for i in 0..y.shape()[0] {
        for j in 0..y.shape()[1] {
            let product = sum(inner, |k| a_ik(i, k) * b_kj(k, j));
            if accumulate {
                y.add_at(&[i, j], product);
            } else {
                y.set(&[i, j], product);
            }
        }
    }
}
