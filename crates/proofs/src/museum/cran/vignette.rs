//! The derivation in the vignette of CRAN's package `rnn`, formula by formula.

use tensor::{Map, Tensor};

use super::super::{Exhibit, WeakTest};
use super::cell::{self, Cell, inputs, one_minus};

pub(in super::super) const EXHIBIT: Exhibit = Exhibit {
    name: "vignette",
    file: file!(),
    title: "A derivation that was never tested",
    year: Some(2022),
    sources: &["https://cran.r-project.org/web/packages/rnn/vignettes/GRU_units.html"],
    mistake: "The vignette on GRU units of the R package `rnn` derives the backward of a step in 24 numbered \
              quantities. The update gate's gradient contains the candidate's gradient; it should contain what comes \
              back through 1 − z. The reset gate receives the state's gradient; its own gradient is computed but not \
              used. The matrices of input and state are exchanged, and so are the weight gradients of reset gate and \
              candidate.",
    lesson: "Every line looks like a chain rule, and if input and state have the same width, every shape fits. A \
             derivation is a program: run it against differences before you publish it, with sizes that all differ.",
    wrong_report: || cell::suspect_exchange(cell::check(backward), "W_in", [5, 7]),
    wrong_inputs: &["x", "h_prev", "W_hr", "W_hz", "W_hn", "W_ir", "W_iz", "W_in"],
    diagnosis: Some("it is the gradient of W_in"),
    right_report: || cell::check(Cell::backward),
    weak_test: WeakTest { description: "every gradient has the shape of its input", passes: shapes_match },
};

/// The vignette's backward of one step; d3, d4, … are its numbered quantities. The gradient from later steps, its second
/// quantity, is zero.
fn backward(cell: &Cell, d3: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let Cell { x, h_prev, w_hh, w_ih, r, z, n } = cell;
    let d4 = &one_minus(z) * d3;
    let d7 = d3 * n;
    let d8 = d3 * z;
    let d9 = &d7 + &d8;
    let d10 = &d8 * &n.map(Map::OneMinusSquare);
    let d11 = &d9 * &z.map(Map::SigmoidSlope);
    let [d12, d13] = [&w_hh[2], &w_ih[2]].map(|w| d10.matmul(&w.transpose()));
    let [d14, d15] = [&w_hh[1], &w_ih[1]].map(|w| d11.matmul(&w.transpose()));
    let d17 = &d13 * r;
    let d18 = &d17 * &r.map(Map::SigmoidSlope);
    let [d20, d21] = [&w_hh[0], &w_ih[0]].map(|w| d18.matmul(&w.transpose()));
    let d23 = &(&d17 + &d4) + &(&d21 + &d15);
    let d24 = &(&d12 + &d14) + &d20;
    let [h_t, x_t, rh_t] = [h_prev, x, &(h_prev * r)].map(Tensor::transpose);
    let dw_hh = [h_t.matmul(&d10), h_t.matmul(&d11), rh_t.matmul(&d18)];
    let dw_ih = [&d10, &d11, &d18].map(|d| x_t.matmul(d));
    [d24, d23].into_iter().chain(dw_hh).chain(dw_ih).collect()
}

fn shapes_match() -> bool {
    let x: Vec<_> = inputs().into_iter().map(|input| input.value).collect();
    let gradients = backward(&Cell::new(&x), &Tensor::full(x[1].shape(), 1.0));
    gradients.len() == x.len() && gradients.iter().zip(&x).all(|(dx, x)| dx.shape() == x.shape())
}
