//! dh_prev += z instead of dh_prev += z·dh.

use autograd::gradcheck::{Input, Report, richardson};
use autograd::{Tape, Var};

use super::custom_rule::record_with_backward;
use super::tools::{B, H, TapeFunction, named_input, plain_sum_passes, values};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "plain sum",
    file: file!(),
    title: "A factor that a plain sum cannot see",
    year: Some(2016),
    sources: &[
        "https://www.tensorflow.org/versions/r2.5/api_docs/java/org/tensorflow/op/core/GRUBlockCellGrad",
        "https://github.com/tensorflow/tensorflow/blob/36f5479ec178d85a0b789defc69589e71ea15c31/tensorflow/contrib/rnn/python/ops/gru_ops.py",
    ],
    mistake: "TensorFlow documents the backward pass of its GRU cell. There, the last term of the gradient of the old \
              state is the update gate u alone. It should be u times the incoming gradient, as the same page says some \
              lines above. (The gradients of the two weight matrices are exchanged as well. The documented code makes \
              neither mistake.)",
    lesson: "The incoming gradient of a plain sum is one everywhere, so a missing factor does not show. Send back \
             numbers that are all different, and run more than one step: at the second, the incoming gradient is no \
             longer one.",
    wrong_report: || check(false),
    wrong_inputs: &["h_prev"],
    diagnosis: Some("the gradient of h_prev is not linear in dy"),
    right_report: || check(true),
    weak_test: WeakTest {
        description: "a unit test of the cell: one step, the loss is the plain sum of the state, PyTorch's default tolerances",
        passes: || plain_sum_passes(cell(false), &values(&inputs())),
    },
};

/// gx\[B,2H\], the input part of z and n; h_prev\[B,H\].
fn inputs() -> [Input; 2] {
    [named_input("gx", 1, [B, 2 * H]), named_input("h_prev", 2, [B, H])]
}

/// One step, h = (1 − z)·n + z·h_prev. The gates depend on the input alone, because the mistake is in the last product.
/// (The source writes u for z and c for n.)
fn cell(right: bool) -> impl TapeFunction {
    move |_: &Tape<f64>, x: &[Var<'_, f64>]| step(right, x[0], x[1])
}

fn step<'t>(right: bool, gx: Var<'t, f64>, h_prev: Var<'t, f64>) -> Var<'t, f64> {
    let (z, n) = (gx.slice(1, 0..H).sigmoid(), gx.slice(1, H..2 * H).tanh());
    let z_h_prev = record_with_backward(
        &[z, h_prev],
        |x| &x[0] * &x[1],
        move |x, dy| vec![Some(dy * &x[1]), Some(if right { dy * &x[0] } else { x[0].clone() })],
    );
    (-z).shift(1.0) * n + z_h_prev
}

fn check(right: bool) -> Report {
    richardson(cell(right), &inputs())
}
