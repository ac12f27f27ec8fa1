//! dh₋ = da·V where it should be da·Vᵀ.

use autograd::Var;
use autograd::gradcheck::{Input, Report, richardson};

use super::rule::rule;
use super::tools::{B, H, drawn};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "missing transpose",
    file: file!(),
    title: "A square matrix does not mind",
    year: None,
    sources: &["https://datascience.stackexchange.com/questions/10545/gradient-check-is-failing-for-rnn"],
    mistake: "A recurrent network in Julia whose gradient check fails: the state is a row, multiplied by the recurrent \
              matrix from the right, and so is the gradient that is sent back to the step before. On the way back it \
              should be the transpose. (The question shows the code; that this is the cause is our reading.)",
    lesson: "The recurrent matrix is the one matrix that is square, so no shape complains. The last step is right, and \
             with it everything that a test of one step sees: check at least two, and look which are wrong.",
    wrong: || check(false, 2),
    wrong_in: &["x", "h0", "w", "v"],
    says: Some("it is wrong at [0] of axis 0 alone"),
    right: || check(true, 2),
    weak: Weak { test: "the parameters after one step, to machine precision", passes: || check_parameters(1).is_ok() },
};

const I: usize = 5;

/// x\[T,B,I\], h0\[B,H\], w\[I,H\], v\[H,H\].
fn inputs(steps: usize) -> [Input; 4] {
    [drawn("x", 1, [steps, B, I]), drawn("h0", 2, [B, H]), drawn("w", 3, [I, H]), drawn("v", 4, [H, H])]
}

/// h = tanh(x·W + h₋·V) at each step.
fn states<'t>(right: bool, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    let mut h = x[1];
    let step = |t| {
        h = (x[0].select(0, t).matmul(x[2]) + recurrent(right, h, x[3])).tanh();
        h
    };
    Var::stack(&(0..x[0].shape()[0]).map(step).collect::<Vec<_>>())
}

fn recurrent<'t>(right: bool, h: Var<'t, f64>, v: Var<'t, f64>) -> Var<'t, f64> {
    rule(
        &[h, v],
        |x| x[0].matmul(&x[1]),
        move |x, dy| {
            let v = if right { x[1].transpose() } else { x[1].clone() };
            vec![Some(dy.matmul(&v)), Some(x[0].transpose().matmul(dy))]
        },
    )
}

fn check(right: bool, steps: usize) -> Report {
    richardson(|_, x| states(right, x), &inputs(steps))
}

fn check_parameters(steps: usize) -> Report {
    let [x, h0, w, v] = inputs(steps);
    richardson(
        |tape, p| {
            let [x, h0] = [&x, &h0].map(|x| tape.constant(x.value.clone()));
            states(false, &[x, h0, p[0], p[1]])
        },
        &[w, v],
    )
}
