//! dh₋ += u where it should be dh₋ += u·dh.

use autograd::gradcheck::{Input, Report, richardson};
use autograd::{Tape, Var};

use super::rule::rule;
use super::tools::{B, H, OnTape, drawn, plain_sum_passes, values};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "plain sum",
    file: file!(),
    title: "A factor that a plain sum cannot see",
    year: Some(2016),
    sources: &[
        "https://www.tensorflow.org/versions/r2.5/api_docs/java/org/tensorflow/op/core/GRUBlockCellGrad",
        "https://github.com/tensorflow/tensorflow/blob/36f5479ec178d85a0b789defc69589e71ea15c31/tensorflow/contrib/rnn/python/ops/gru_ops.py",
    ],
    mistake: "TensorFlow's documentation of the backward of its GRU cell ends the gradient of the old state with the \
              update gate u alone; it should be u times the gradient that comes in, as the same page has it some lines \
              above. (The gradients of the two weight matrices are exchanged as well. The code that the page documents \
              makes neither mistake.)",
    lesson: "The gradient of a plain sum is one everywhere, and a factor of one can be forgotten. Send back numbers of \
             which no two are alike, and run more than one step: at the second, what comes in is no longer one.",
    wrong: || check(false),
    wrong_in: &["h0"],
    says: None,
    right: || check(true),
    weak: Weak {
        test: "a unit test of the cell: one step, the loss is the plain sum of the state, PyTorch's default tolerances",
        passes: || plain_sum_passes(cell(false), &values(&inputs())),
    },
};

/// x\[B,2H\], the input's part of u and c; h0\[B,H\].
fn inputs() -> [Input; 2] {
    [drawn("x", 1, [B, 2 * H]), drawn("h0", 2, [B, H])]
}

/// One step, h = (1 − u)·c + u·h₋. The gates look at the input alone: the mistake is in the last product.
fn cell(right: bool) -> impl OnTape {
    move |_: &Tape<f64>, x: &[Var<'_, f64>]| step(right, x[0], x[1])
}

fn step<'t>(right: bool, x: Var<'t, f64>, h: Var<'t, f64>) -> Var<'t, f64> {
    let (u, c) = (x.slice(1, 0..H).sigmoid(), x.slice(1, H..2 * H).tanh());
    let kept = rule(
        &[u, h],
        |x| &x[0] * &x[1],
        move |x, dy| vec![Some(dy * &x[1]), Some(if right { dy * &x[0] } else { x[0].clone() })],
    );
    (-u).shift(1.0) * c + kept
}

fn check(right: bool) -> Report {
    richardson(cell(right), &inputs())
}
