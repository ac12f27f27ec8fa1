//! The derivation in the vignette of CRAN's package `rnn`, step by step.

use tensor::{Map, Tensor};

use super::super::{Exhibit, Weak};
use super::cell::{self, Cell, inputs, one_minus};

pub(in super::super) const EXHIBIT: Exhibit = Exhibit {
    name: "vignette",
    file: file!(),
    title: "A derivation that nobody ran",
    year: Some(2022),
    sources: &["https://cran.r-project.org/web/packages/rnn/vignettes/GRU_units.html"],
    mistake: "The vignette on GRU units of the R package `rnn` derives the backward of a step in 24 numbered quantities. \
              The update gate's gradient contains the candidate's, where it should contain what comes back through \
              1 − z; the reset gate is sent back what belongs to the state, and what belongs to the gate is computed and \
              not used; the matrices of input and state are exchanged; and so are the gradients of the weights of reset \
              gate and candidate.",
    lesson: "Every line looks like a chain rule, and where input and state are equally wide every shape fits. A derivation \
             is a program: run it against differences before it is published, with sizes that all differ.",
    wrong: || cell::exchanged(cell::check(backward), "U_g", [5, 7]),
    wrong_in: &["x", "h0", "W_r", "W_z", "W_g", "U_r", "U_z", "U_g"],
    says: Some("it is the gradient of U_g"),
    right: || cell::check(Cell::derived),
    weak: Weak { test: "every gradient has the shape of its input", passes: shapes_fit },
};

/// Nothing comes from later steps (the vignette's second quantity); the numbers are the vignette's.
fn backward(cell: &Cell, d3: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let Cell { x, h, w, u, r, z, g } = cell;
    let d4 = &one_minus(z) * d3;
    let d7 = d3 * g;
    let d8 = d3 * z;
    let d9 = &d7 + &d8;
    let d10 = &d8 * &g.map(Map::OneMinusSquare);
    let d11 = &d9 * &z.map(Map::Logistic);
    let [d12, d13] = [&w[2], &u[2]].map(|m| d10.matmul(&m.transpose()));
    let [d14, d15] = [&w[1], &u[1]].map(|m| d11.matmul(&m.transpose()));
    let d17 = &d13 * r;
    let d18 = &d17 * &r.map(Map::Logistic);
    let [d20, d21] = [&w[0], &u[0]].map(|m| d18.matmul(&m.transpose()));
    let d23 = &(&d17 + &d4) + &(&d21 + &d15);
    let d24 = &(&d12 + &d14) + &d20;
    let [ht, xt, hrt] = [h, x, &(h * r)].map(Tensor::transpose);
    let dw = [ht.matmul(&d10), ht.matmul(&d11), hrt.matmul(&d18)];
    let du = [&d10, &d11, &d18].map(|d| xt.matmul(d));
    [d24, d23].into_iter().chain(dw).chain(du).collect()
}

fn shapes_fit() -> bool {
    let x: Vec<_> = inputs().into_iter().map(|input| input.value).collect();
    let gradients = backward(&Cell::new(&x), &Tensor::full(x[1].shape(), 1.0));
    gradients.len() == x.len() && gradients.iter().zip(&x).all(|(dx, x)| dx.shape() == x.shape())
}
