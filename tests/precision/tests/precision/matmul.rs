//! Precision of matrix products: |error| ≤ γ_k · |a|·|b| for each element, where k is the scheme's number of additions. The
//! bound holds with and without fused multiply-add.

use gradus_tests::RandomTensors;
use tensor::{Form, Kernels, Naive, Real, Tensor};

use crate::bounded::{Bounded, Sums};
use crate::{normal, wide};

precise!(Products: matmul);

/// Computes y\[9,17\] over K = n, overwriting and accumulating. The shape is not a multiple of a register tile.
fn matmul<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
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

/// [`Naive`] follows the scheme of all other sums. Outside this scheme the bounds would be infinite.
#[test]
fn matmul_naive_follows_the_scheme_of_sums() {
    for n in [1, 31, 32, 33, 512, 1000] {
        let products = matmul::<Bounded<Sums>>(&mut RandomTensors::new(0), n, &Naive);
        assert!(products.iter().all(|y| y.to_vec().iter().all(|y| y.error().is_finite())), "n = {n}");
    }
}
