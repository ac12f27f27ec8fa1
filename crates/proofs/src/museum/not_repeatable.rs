//! A sum whose order changes from run to run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use autograd::gradcheck::{Input, Report, richardson};
use autograd::{Tape, Var};
use tensor::Tensor;

use super::custom_rule::record_with_backward;
use super::tools::{H, TapeFunction, named_input, plain_sum_passes, values};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "not repeatable",
    file: file!(),
    title: "A different gradient in every run",
    year: Some(2019),
    sources: &["https://github.com/CharlesShang/DCNv2/issues/8", "https://github.com/intel/torch-xpu-ops/issues/3343"],
    mistake: "PyTorch's checker reports that the backward of deformable convolutions gives different values when it \
              runs again, although they match the numerical gradient. The usual reason is a parallel sum in the order \
              in which threads arrive: floating-point addition is not associative. Here the sum of a bias gradient \
              starts at another row in every call.",
    lesson: "The differences are in the last digit, and no tolerance detects them. But a run cannot be repeated, and a \
             difference between two runs no longer shows a mistake. Compare the bits of two runs before you compare \
             anything else.",
    wrong_report: || check(false),
    wrong_inputs: &[],
    diagnosis: Some("not a function: a second run gave different bits"),
    right_report: || check(true),
    weak_test: WeakTest {
        description: "a comparison of the gradients with PyTorch's default tolerances",
        passes: || plain_sum_passes(add_bias(false), &values(&inputs())),
    },
};

const ROWS: usize = 7;

fn inputs() -> [Input; 2] {
    [named_input("x", 1, [ROWS, H]), named_input("b", 2, [H])]
}

/// Returns tanh(x + b), with a backward that counts its calls.
fn add_bias(right: bool) -> impl TapeFunction {
    let calls = Arc::new(AtomicUsize::new(0));
    move |_: &Tape<f64>, x: &[Var<'_, f64>]| {
        let calls = calls.clone();
        let backward = move |_: &[Tensor<f64>], dy: &Tensor<f64>| {
            let first = if right { 0 } else { calls.fetch_add(1, Ordering::Relaxed) };
            let rows = (0..ROWS).map(|row| dy.select(0, (first + row) % ROWS));
            vec![Some(dy.clone()), rows.reduce(|sum, row| &sum + &row)]
        };
        record_with_backward(x, |x| &x[0] + &x[1], backward).tanh()
    }
}

fn check(right: bool) -> Report {
    richardson(add_bias(right), &inputs())
}
