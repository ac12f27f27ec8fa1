//! A sum whose order is another one every time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use autograd::gradcheck::{Input, Report, richardson};
use autograd::{Tape, Var};
use tensor::Tensor;

use super::rule::rule;
use super::tools::{H, OnTape, drawn, plain_sum_passes, values};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "not repeatable",
    file: file!(),
    title: "Another answer each time",
    year: Some(2019),
    sources: &["https://github.com/CharlesShang/DCNv2/issues/8", "https://github.com/intel/torch-xpu-ops/issues/3343"],
    mistake: "PyTorch's checker says of the backward of deformable convolutions that it gives different values when it is \
              run again, though they match the numerical gradient. The usual reason for such a message is a parallel \
              sum in the order in which the threads happen to arrive: the addition of floats is not associative. Here a \
              bias's gradient is summed from another row on at every call.",
    lesson: "The differences are of the last digit, and no tolerance sees them; but a run cannot be repeated, and two runs \
             that differ can no longer be told from a mistake. Compare bits of two runs before comparing anything else.",
    wrong: || check(false),
    wrong_in: &[],
    says: Some("not a function: a second run gave other bits"),
    right: || check(true),
    weak: Weak {
        test: "the numbers, with PyTorch's default tolerances",
        passes: || plain_sum_passes(add_bias(false), &values(&inputs())),
    },
};

const ROWS: usize = 7;

fn inputs() -> [Input; 2] {
    [drawn("x", 1, [ROWS, H]), drawn("b", 2, [H])]
}

/// tanh(x + b), with a backward that remembers how often it was called.
fn add_bias(right: bool) -> impl OnTape {
    let calls = Arc::new(AtomicUsize::new(0));
    move |_: &Tape<f64>, x: &[Var<'_, f64>]| {
        let calls = calls.clone();
        let backward = move |_: &[Tensor<f64>], dy: &Tensor<f64>| {
            let first = if right { 0 } else { calls.fetch_add(1, Ordering::Relaxed) };
            let rows = (0..ROWS).map(|row| dy.select(0, (first + row) % ROWS));
            vec![Some(dy.clone()), rows.reduce(|sum, row| &sum + &row)]
        };
        rule(x, |x| &x[0] + &x[1], backward).tanh()
    }
}

fn check(right: bool) -> Report {
    richardson(add_bias(right), &inputs())
}
