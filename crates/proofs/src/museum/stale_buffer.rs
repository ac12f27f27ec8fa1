//! A buffer that each step adds to and that is not cleared between steps.

use autograd::gradcheck::{Report, by_hand};
use autograd::{Tape, Var};
use tensor::Tensor;

use super::tools::{H, TapeFunction, compute_gradients, evaluate, gru, gru_inputs, project_hidden, unroll_composed};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "stale buffer",
    file: file!(),
    title: "A buffer that is not cleared",
    year: Some(2020),
    sources: &["https://github.com/microsoft/onnxruntime/pull/3893"],
    mistake: "ONNX Runtime's GRU adds the product with the state to a buffer that holds a copy of the bias. Without a \
              bias nothing was copied, and the buffer was not cleared: its old content stayed. (In ONNX Runtime the \
              mistake showed with a batch of three or more, or with an initial state; here it shows at the second \
              step.)",
    lesson: "Here the value is wrong, and the gradient belongs to the intended network. A check shows that the two do \
             not match, but not which of them is wrong; ask if the gradient belongs to another function. In a test, use \
             every reused buffer at least twice, and leave out every optional input once.",
    wrong_report: || check(2, stale),
    wrong_inputs: &["gx", "h0", "w_hh"],
    diagnosis: Some("it is the gradient of the GRU that clears its buffer"),
    right_report: || check(2, clean),
    weak_test: WeakTest { description: "one step", passes: || check(1, stale).is_ok() },
};

fn clean<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    gru(tape, &without_bias(tape, x))
}

/// Computes r·(h0·W_hnᵀ + … + h_prev·W_hnᵀ) instead of r·(h_prev·W_hnᵀ).
fn stale<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    let x = without_bias(tape, x);
    let mut buffer: Option<Var<'t, f64>> = None;
    unroll_composed(&x, |r, h_prev| {
        let product = project_hidden(&x, h_prev, 2);
        let sum = buffer.map_or(product, |old| old + product);
        buffer = Some(sum);
        r * sum
    })
}

fn without_bias<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> [Var<'t, f64>; 4] {
    [x[0], x[1], x[2], tape.constant(Tensor::zeros([3 * H]))]
}

/// Checks the values of `f` with the gradients of the intended GRU.
fn check(steps: usize, f: impl TapeFunction) -> Report {
    let inputs = &gru_inputs(steps)[..3];
    let report = by_hand(|x| evaluate(&f, x), |x, dy| compute_gradients(&clean, x, dy), inputs);
    report.suspect("the GRU that clears its buffer", clean, inputs)
}
