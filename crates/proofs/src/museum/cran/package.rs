//! The code of CRAN's package `rnn`: its update gate has a gradient even if the error is zero.

use tensor::{Map, Tensor};

use super::super::{Exhibit, WeakTest};
use super::cell::{self, Cell, inputs, one_minus};

pub(in super::super) const EXHIBIT: Exhibit = Exhibit {
    name: "package",
    file: file!(),
    title: "A gradient for a zero error",
    year: None,
    sources: &["https://github.com/cran/rnn/blob/5e9fee466903a1de88f8d1a18dc87b5ead7b3ba4/R/backprop_r.R"],
    mistake: "In the package's own code the update gate's gradient is one minus what comes back through 1 − z; it \
              should be its negative. (The candidate's part is computed but not used.) All weights receive the \
              gradients of the gates' values, not those of the pre-activations, so every slope of a sigmoid or a tanh \
              is missing.",
    lesson: "A backward pass is linear in the incoming gradient: a zero error gives a zero gradient, and twice the \
             error gives twice the gradient. Both can be tested without knowing the right answer.",
    wrong_report: || cell::check(backward),
    wrong_inputs: &["x", "h_prev", "W_hr", "W_hz", "W_hn", "W_ir", "W_iz", "W_in"],
    diagnosis: Some("the gradient of x is not linear in dy"),
    right_report: || cell::check(Cell::backward),
    weak_test: WeakTest {
        description: "a small step against the gradient lowers the loss",
        passes: step_lowers_the_loss,
    },
};

/// The package's backward of one step, without the gradient from later steps.
fn backward(cell: &Cell, dh: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let Cell { x, h_prev, w_hh, w_ih, r, z, n } = cell;
    let dn = dh * z;
    let dz = one_minus(&(dh * h_prev));
    let (da_n, da_z) = (&dn * &n.map(Map::OneMinusSquare), &dz * &z.map(Map::SigmoidSlope));
    let d_reset_state = da_n.matmul(&w_hh[2].transpose()); // of r·h_prev
    let dr = h_prev * &d_reset_state;
    let da_r = &dr * &r.map(Map::SigmoidSlope);
    let back = |w: &[Tensor<f64>; 3], d: &Tensor<f64>| &d.matmul(&w[0].transpose()) + &da_z.matmul(&w[1].transpose());
    let dx = &back(w_ih, &dr) + &da_n.matmul(&w_ih[2].transpose());
    let dh_prev = &(&back(w_hh, &da_r) + &(r * &d_reset_state)) + &(dh * &one_minus(z));
    let [h_t, x_t, rh_t] = [h_prev, x, &(h_prev * r)].map(Tensor::transpose);
    let dw_hh = [h_t.matmul(&dr), h_t.matmul(&dz), rh_t.matmul(&dn)];
    let dw_ih = [&dr, &dz, &dn].map(|d| x_t.matmul(d));
    [dx, dh_prev].into_iter().chain(dw_hh).chain(dw_ih).collect()
}

fn step_lowers_the_loss() -> bool {
    let x: Vec<_> = inputs().into_iter().map(|input| input.value).collect();
    let loss = |x: &[Tensor<f64>]| Cell::new(x).state().map(Map::Square).sum() / 2.0;
    let gradients = backward(&Cell::new(&x), &Cell::new(&x).state());
    let rate = Tensor::scalar(1e-3);
    let after: Vec<_> = x.iter().zip(&gradients).map(|(x, dx)| x - &(dx * &rate)).collect();
    loss(&after) < loss(&x)
}
