//! A loop that stopped early; its backward starts from the end of the inputs.

use autograd::gradcheck::{Report, richardson};
use tensor::Tensor;

use super::custom_rule::record_with_backward;
use super::tools::named_input;
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "last entries",
    file: file!(),
    title: "Gradients sent to the wrong steps",
    year: Some(2017),
    sources: &["https://github.com/Theano/Theano/issues/5439", "https://github.com/Theano/Theano/pull/5775"],
    mistake: "Theano's loop, `scan`, may stop before its inputs end. Its gradient reversed all inputs instead of the \
              steps that had run. A loop over 20 numbers that stopped after six steps sent its gradients to the last \
              six numbers.",
    lesson: "If lengths always agree in the tests (of the loop, the sequence, the buffer), no test shows which of them \
             the code uses. Make every size in a test a different number.",
    wrong_report: || check(false, 3),
    wrong_inputs: &["x"],
    diagnosis: Some("it is wrong at [0, 1, 2, 10, 11, 12] of axis 0 alone"),
    right_report: || check(true, 3),
    weak_test: WeakTest {
        description: "a loop that runs to the end of its inputs",
        passes: || check(false, LENGTH).is_ok(),
    },
};

const LENGTH: usize = 13;

/// Checks the gradient of the running products of the first `steps` numbers: y_t = y_{t−1}·x_t.
fn check(right: bool, steps: usize) -> Report {
    let forward = move |x: &[Tensor<f64>]| Tensor::new([steps], running_products(&x[0].to_vec()[..steps]));
    let backward = move |x: &[Tensor<f64>], dy: &Tensor<f64>| {
        let first = if right { 0 } else { LENGTH - steps };
        let (x, mut dx) = (&x[0].to_vec()[first..first + steps], vec![0.0; LENGTH]);
        let (y, mut from_later) = (running_products(x), 0.0);
        for t in (0..steps).rev() {
            let dy = dy.to_vec()[t] + from_later;
            dx[first + t] = dy * if t == 0 { 1.0 } else { y[t - 1] };
            from_later = dy * x[t];
        }
        vec![Some(Tensor::new([LENGTH], dx))]
    };
    richardson(|_, x| record_with_backward(x, forward, backward), &[named_input("x", 1, [LENGTH])])
}

fn running_products(x: &[f64]) -> Vec<f64> {
    x.iter()
        .scan(1.0, |y, x| {
            *y *= x;
            Some(*y)
        })
        .collect()
}
