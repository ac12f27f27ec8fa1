//! The product x·xᵀ, whose backward loses one of the two uses of x.

use autograd::Var;
use autograd::gradcheck::{Report, richardson};

use super::tools::{named_input, random_tensor};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "lost use",
    file: file!(),
    title: "Used twice, counted once",
    year: Some(2015),
    sources: &["https://github.com/NervanaSystems/neon/issues/169"],
    mistake: "In Nervana's neon the gradient of dot(x, xᵀ) was half of the right value: the gradient of the transposed \
              x was not added to the gradient of x.",
    lesson: "A recurrent weight is used at every step, a tied weight in two places: adding gradients up is the core of \
             backpropagation through time. Give every operation the same tensor twice, and a view of it.",
    wrong_report: || check(false),
    wrong_inputs: &["x"],
    diagnosis: Some("it is exactly half of what it should be"),
    right_report: || check(true),
    weak_test: WeakTest {
        description: "the same product of two different tensors",
        passes: || {
            richardson(|_, x| dot(false, x[0], x[1]), &[random_tensor(1, [2, 3]), random_tensor(2, [5, 3])]).is_ok()
        },
    },
};

/// Computes a·bᵀ.
fn dot<'t>(right: bool, a: Var<'t, f64>, b: Var<'t, f64>) -> Var<'t, f64> {
    let lost = a.index() == b.index() && !right;
    a.matmul_nt(if lost { b.detach() } else { b })
}

fn check(right: bool) -> Report {
    richardson(|_, x| dot(right, x[0], x[0]).sum(), &[named_input("x", 1, [2, 3])])
}
