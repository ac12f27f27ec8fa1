//! A buffer that is not cleared between steps, and to which each step adds.

use autograd::gradcheck::{Report, by_hand};
use autograd::{Tape, Var};
use tensor::Tensor;

use super::tools::{H, OnTape, composed, gradients, gru, gru_inputs, state_part, value};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "stale buffer",
    file: file!(),
    title: "What the last step left behind",
    year: Some(2020),
    sources: &["https://github.com/microsoft/onnxruntime/pull/3893"],
    mistake: "ONNX Runtime's GRU adds the product of the state to a buffer into which the bias was copied. Without a bias \
              nothing was copied, and the buffer was not cleared: what was in it stayed. (It took a batch of three or \
              more, or an initial state, to show there; here it takes a second step.)",
    lesson: "Here it is the value that is wrong, and the gradient is that of the network that was meant. A check says that \
             the two do not belong together, and not which one lies; ask whether the gradient is that of something else. \
             Buffers that are used again want a second use in the test, and optional inputs a test without them.",
    wrong: || check(2, stale),
    wrong_in: &["gx", "h0", "w"],
    says: Some("it is the gradient of the GRU that clears its buffer"),
    right: || check(2, clean),
    weak: Weak { test: "one step", passes: || check(1, stale).is_ok() },
};

fn clean<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    gru(tape, &without_bias(tape, x))
}

/// r·(U·h₁ + … + U·h₋) where it should be r·(U·h₋).
fn stale<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    let x = without_bias(tape, x);
    let mut buffer: Option<Var<'t, f64>> = None;
    composed(&x, |r, h| {
        let product = state_part(&x, h, 2);
        let sum = buffer.map_or(product, |left| left + product);
        buffer = Some(sum);
        r * sum
    })
}

fn without_bias<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> [Var<'t, f64>; 4] {
    [x[0], x[1], x[2], tape.constant(Tensor::zeros([3 * H]))]
}

/// The values of `f`, with the gradients of the GRU that was meant.
fn check(steps: usize, f: impl OnTape) -> Report {
    let inputs = &gru_inputs(steps)[..3];
    let report = by_hand(|x| value(&f, x), |x, dy| gradients(&clean, x, dy), inputs);
    report.suspect("the GRU that clears its buffer", clean, inputs)
}
