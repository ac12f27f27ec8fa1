//! Matrix products: |error| ≤ γ_k · |a|·|b|, element by element, with k the additions that are stated, with fused products or
//! without.

use gradus_tests::Draw;
use tensor::{Form, Kernels, Naive, Real, Tensor};

use crate::precision::bounded::{Bounded, Sums};
use crate::precision::{normal, wide};

precise!(Products: matmul);

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

/// [`Naive`] states the scheme of all other sums: outside of it there would be no bound.
#[test]
fn reference_product_follows_the_scheme_of_sums() {
    for n in [1, 31, 32, 33, 512, 1000] {
        let products = matmul::<Bounded<Sums>>(&mut Draw::new(0), n, &Naive);
        assert!(products.iter().all(|y| y.to_vec().iter().all(|y| y.error().is_finite())), "n = {n}");
    }
}
