//! A broadcast operand whose gradient has the shape of the result.

use autograd::gradcheck::{Report, by_hand};
use tensor::Tensor;

use super::tools::{B, H, named_input};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "unsummed",
    file: file!(),
    title: "A gradient with the shape of the batch",
    year: Some(2017),
    sources: &[
        "https://github.com/pytorch/pytorch/issues/1787",
        "https://github.com/tracel-ai/burn/issues/181",
        "https://github.com/tracel-ai/burn/issues/686",
    ],
    mistake: "When broadcasting was new in PyTorch, a broadcast operand got a gradient in the shape of the result: the \
              sum over the broadcast axis was missing. In burn the same case panicked. Here the operand is a bias, one \
              row that is added to all rows of the batch.",
    lesson: "If a value is used many times, its gradient is a sum, and a bias is used once for each row and step. \
             Compare shapes before numbers: an entry-by-entry loop over the shorter of two lists finds nothing wrong.",
    wrong_report: || check(B, false),
    wrong_inputs: &["b"],
    diagnosis: Some("b has shape [1, 3], its gradient [2, 3]"),
    right_report: || check(B, true),
    weak_test: WeakTest { description: "a batch of one", passes: || check(1, false).is_ok() },
};

/// Checks x\[B,H\] + b\[1,H\].
fn check(batch: usize, right: bool) -> Report {
    let gradients = |_: &[Tensor<f64>], dy: &Tensor<f64>| {
        let db = if right { dy.sum_axis(0).reshape([1, H]) } else { dy.clone() };
        vec![dy.clone(), db]
    };
    by_hand(|x| &x[0] + &x[1], gradients, &[named_input("x", 1, [batch, H]), named_input("b", 2, [1, H])])
}
