//! What the package ships: an update gate that has a gradient where there is no error.

use tensor::{Map, Tensor};

use super::super::{Exhibit, Weak};
use super::cell::{self, Cell, inputs, one_minus};

pub(in super::super) const EXHIBIT: Exhibit = Exhibit {
    name: "package",
    file: file!(),
    title: "A gradient without an error",
    year: None,
    sources: &["https://github.com/cran/rnn/blob/5e9fee466903a1de88f8d1a18dc87b5ead7b3ba4/R/backprop_r.R"],
    mistake: "In the package's own code the update gate's gradient is one minus what comes back through 1 − z, where it \
              should be its negative (and the candidate's part is computed and not used). All weights are given the \
              gradients behind the activations, not those before them, so that every slope of a sigmoid or a tanh is \
              missing.",
    lesson: "A backward is linear in what comes in: no error, no gradient; twice the error, twice the gradient. Both are \
             tested without knowing the right answer.",
    wrong: || cell::check(backward),
    wrong_in: &["x", "h0", "W_r", "W_z", "W_g", "U_r", "U_z", "U_g"],
    says: None,
    right: || cell::check(Cell::derived),
    weak: Weak { test: "a small step against the gradient makes the loss smaller", passes: a_step_helps },
};

/// One step, without what comes from later ones.
fn backward(cell: &Cell, dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let Cell { x, h, w, u, r, z, g } = cell;
    let dg = dy * z;
    let dz = one_minus(&(dy * h));
    let (dag, daz) = (&dg * &g.map(Map::OneMinusSquare), &dz * &z.map(Map::Logistic));
    let dhr = dag.matmul(&w[2].transpose());
    let dr = h * &dhr;
    let dar = &dr * &r.map(Map::Logistic);
    let back = |m: &[Tensor<f64>; 3], d: &Tensor<f64>| &d.matmul(&m[0].transpose()) + &daz.matmul(&m[1].transpose());
    let dx = &back(u, &dr) + &dag.matmul(&u[2].transpose());
    let dh = &(&back(w, &dar) + &(r * &dhr)) + &(dy * &one_minus(z));
    let [ht, xt, hrt] = [h, x, &(h * r)].map(Tensor::transpose);
    let dw = [ht.matmul(&dr), ht.matmul(&dz), hrt.matmul(&dg)];
    let du = [&dr, &dz, &dg].map(|d| xt.matmul(d));
    [dx, dh].into_iter().chain(dw).chain(du).collect()
}

fn a_step_helps() -> bool {
    let x: Vec<_> = inputs().into_iter().map(|input| input.value).collect();
    let loss = |x: &[Tensor<f64>]| Cell::new(x).value().map(Map::Square).sum() / 2.0;
    let gradients = backward(&Cell::new(&x), &Cell::new(&x).value());
    let rate = Tensor::scalar(1e-3);
    let after: Vec<_> = x.iter().zip(&gradients).map(|(x, dx)| x - &(dx * &rate)).collect();
    loss(&after) < loss(&x)
}
