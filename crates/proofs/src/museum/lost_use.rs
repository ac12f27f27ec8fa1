//! x·xᵀ, of whose two uses of x one is lost.

use autograd::Var;
use autograd::gradcheck::{Report, richardson};

use super::tools::{draw, drawn};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "lost use",
    file: file!(),
    title: "Used twice, counted once",
    year: Some(2015),
    sources: &["https://github.com/NervanaSystems/neon/issues/169"],
    mistake: "In Nervana's neon the gradient of dot(x, xᵀ) was half of what it should be: what came back for the \
              transposed x was not added to what had come back for x.",
    lesson: "A recurrent weight is used at every step, a tied one in two places: adding up is the heart of backpropagation \
             through time. Give every operation the same tensor twice, and as a view of itself.",
    wrong: || check(false),
    wrong_in: &["x"],
    says: Some("it is 0.5 times what it should be"),
    right: || check(true),
    weak: Weak {
        test: "the same product of two tensors that are not the same",
        passes: || richardson(|_, x| dot(false, x[0], x[1]), &[draw(1, [2, 3]), draw(2, [5, 3])]).is_ok(),
    },
};

/// a·bᵀ.
fn dot<'t>(right: bool, a: Var<'t, f64>, b: Var<'t, f64>) -> Var<'t, f64> {
    let lost = a.index() == b.index() && !right;
    a.matmul_nt(if lost { b.detach() } else { b })
}

fn check(right: bool) -> Report {
    richardson(|_, x| dot(right, x[0], x[0]).sum(), &[drawn("x", 1, [2, 3])])
}
