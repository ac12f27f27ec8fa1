//! A loop that stopped early is run back from the end of its inputs.

use autograd::gradcheck::{Report, richardson};
use tensor::Tensor;

use super::rule::rule;
use super::tools::drawn;
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "last entries",
    file: file!(),
    title: "Back from the wrong end",
    year: Some(2017),
    sources: &["https://github.com/Theano/Theano/issues/5439", "https://github.com/Theano/Theano/pull/5775"],
    mistake: "Theano's loop, `scan`, may stop before its inputs end. Its gradient reversed the inputs whole, not only \
              the steps that had run: a loop over 20 numbers that stopped after six steps sent its gradients to the \
              last six.",
    lesson: "Lengths that always agree in the tests (the loop's, the sequence's, the buffer's) hide which of them the \
             code uses. Every size in a test should be another number.",
    wrong: || check(false, 3),
    wrong_in: &["x"],
    says: Some("it is wrong at [0, 1, 2, 10, 11, 12] of axis 0 alone"),
    right: || check(true, 3),
    weak: Weak { test: "a loop that runs to the end of its inputs", passes: || check(false, LENGTH).is_ok() },
};

const LENGTH: usize = 13;

/// The running products of the first `steps` numbers: y_t = y₋·x_t.
fn check(right: bool, steps: usize) -> Report {
    let forward = move |x: &[Tensor<f64>]| Tensor::new([steps], running(&x[0].to_vec()[..steps]));
    let backward = move |x: &[Tensor<f64>], dy: &Tensor<f64>| {
        let first = if right { 0 } else { LENGTH - steps };
        let (x, mut dx) = (&x[0].to_vec()[first..first + steps], vec![0.0; LENGTH]);
        let (y, mut from_later) = (running(x), 0.0);
        for t in (0..steps).rev() {
            let dy = dy.to_vec()[t] + from_later;
            dx[first + t] = dy * if t == 0 { 1.0 } else { y[t - 1] };
            from_later = dy * x[t];
        }
        vec![Some(Tensor::new([LENGTH], dx))]
    };
    richardson(|_, x| rule(x, forward, backward), &[drawn("x", 1, [LENGTH])])
}

fn running(x: &[f64]) -> Vec<f64> {
    x.iter()
        .scan(1.0, |y, x| {
            *y *= x;
            Some(*y)
        })
        .collect()
}
