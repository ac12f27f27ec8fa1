//! What was broadcast gets its gradient in the shape of the result.

use autograd::gradcheck::{Report, by_hand};
use tensor::Tensor;

use super::tools::{B, H, drawn};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "unsummed",
    file: file!(),
    title: "As tall as the batch",
    year: Some(2017),
    sources: &[
        "https://github.com/pytorch/pytorch/issues/1787",
        "https://github.com/tracel-ai/burn/issues/181",
        "https://github.com/tracel-ai/burn/issues/686",
    ],
    mistake: "When broadcasting was new in PyTorch, an operand that had been repeated got a gradient in the shape of the \
              result: the sum over what it had been repeated along was missing. In burn the same case panicked. Here it \
              is a bias, one row for all rows of the batch.",
    lesson: "Where a value is used many times its gradient is a sum, and a bias is used once for each row and step. Compare \
             shapes before numbers: an entry-by-entry loop over the shorter of two lists finds nothing wrong.",
    wrong: || check(B, false),
    wrong_in: &["b"],
    says: Some("b is [1, 3] and its gradient [2, 3]"),
    right: || check(B, true),
    weak: Weak { test: "a batch of one", passes: || check(1, false).is_ok() },
};

/// x\[B,H\] + b\[1,H\].
fn check(batch: usize, right: bool) -> Report {
    let gradients = |_: &[Tensor<f64>], dy: &Tensor<f64>| {
        let db = if right { dy.sum_axis(0).reshape([1, H]) } else { dy.clone() };
        vec![dy.clone(), db]
    };
    by_hand(|x| &x[0] + &x[1], gradients, &[drawn("x", 1, [batch, H]), drawn("b", 2, [1, H])])
}
