//! dh_prev = da·W_hh instead of da·W_hhᵀ.

use autograd::Var;
use autograd::gradcheck::{Input, Report, richardson};

use super::custom_rule::record_with_backward;
use super::tools::{B, H, named_input};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "missing transpose",
    file: file!(),
    title: "A missing transpose of a square matrix",
    year: None,
    sources: &["https://datascience.stackexchange.com/questions/10545/gradient-check-is-failing-for-rnn"],
    mistake: "A recurrent network in Julia fails its gradient check. The state is a row, multiplied by the recurrent \
              matrix from the right. The gradient that goes to the previous step is multiplied by the same matrix; it \
              should be multiplied by the transpose. (The question shows the code; this cause is our reading.)",
    lesson: "The recurrent matrix is the only square one, so no shape fails. The gradients of the last step are right, \
             and so is everything in a test of one step. Check at least two steps, and see which of them are wrong.",
    wrong_report: || check(false, 2),
    wrong_inputs: &["x", "h0", "w_ih", "w_hh"],
    diagnosis: Some("it is wrong at [0] of axis 0 alone"),
    right_report: || check(true, 2),
    weak_test: WeakTest {
        description: "the parameters after one step, to machine precision",
        passes: || check_parameters(1).is_ok(),
    },
};

const E: usize = 5;

/// x\[T,B,E\], h0\[B,H\], W_ih\[E,H\], W_hh\[H,H\]. The weights multiply from the right.
fn inputs(steps: usize) -> [Input; 4] {
    [
        named_input("x", 1, [steps, B, E]),
        named_input("h0", 2, [B, H]),
        named_input("w_ih", 3, [E, H]),
        named_input("w_hh", 4, [H, H]),
    ]
}

/// Computes h = tanh(x·W_ih + h_prev·W_hh) at each step.
fn states<'t>(right: bool, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    let mut h_prev = x[1];
    let step = |t| {
        h_prev = (x[0].select(0, t).matmul(x[2]) + project_hidden(right, h_prev, x[3])).tanh();
        h_prev
    };
    Var::stack(&(0..x[0].shape()[0]).map(step).collect::<Vec<_>>())
}

fn project_hidden<'t>(right: bool, h_prev: Var<'t, f64>, w_hh: Var<'t, f64>) -> Var<'t, f64> {
    record_with_backward(
        &[h_prev, w_hh],
        |x| x[0].matmul(&x[1]),
        move |x, dy| {
            let w_hh = if right { x[1].transpose() } else { x[1].clone() };
            vec![Some(dy.matmul(&w_hh)), Some(x[0].transpose().matmul(dy))]
        },
    )
}

fn check(right: bool, steps: usize) -> Report {
    richardson(|_, x| states(right, x), &inputs(steps))
}

fn check_parameters(steps: usize) -> Report {
    let [x, h0, w_ih, w_hh] = inputs(steps);
    richardson(
        |tape, p| {
            let [x, h0] = [&x, &h0].map(|x| tape.constant(x.value.clone()));
            states(false, &[x, h0, p[0], p[1]])
        },
        &[w_ih, w_hh],
    )
}
