//! Matrix products: |error| ≤ γ_K · |a|·|b|, element by element, for any order and with fused products or without.

use gradus_tests::Draw;
use tensor::{Form, Kernels, Real, Tensor};

use crate::{normal, wide};

precise!(matmul);

/// y\[9,17\], which is no multiple of a register tile, over K = n; overwritten and added to.
fn matmul<T: Real>(d: &mut Draw, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let mut out = Vec::new();
    for form in [Form::NN, Form::NT, Form::TN] {
        for accumulate in [false, true] {
            let a = wide::<T>(d, if form == Form::TN { [n, 9] } else { [9, n] });
            let b = normal(d, if form == Form::NT { [17, n] } else { [n, 17] });
            let mut y = normal(d, [9, 17]);
            k.matmul(form, a.view(), b.view(), accumulate, y.view_mut());
            out.push(y);
        }
    }
    out
}
