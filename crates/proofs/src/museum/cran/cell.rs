//! The GRU cell of both: K. Cho et al. (2014) without biases, rows as vectors.

use autograd::Var;
use autograd::gradcheck::{Input, Report, by_hand};
use tensor::{Map, Tensor};

use super::super::tools::{B, H, drawn};

/// x and h₋, \[B,H\] both, and the matrices \[H,H\] of the state, W, and of the input, U, for r, z and g. Input and state
/// are equally wide, as the vignette's formulas need it.
pub(super) struct Cell {
    pub(super) x: Tensor<f64>,
    pub(super) h: Tensor<f64>,
    pub(super) w: [Tensor<f64>; 3],
    pub(super) u: [Tensor<f64>; 3],
    pub(super) r: Tensor<f64>,
    pub(super) z: Tensor<f64>,
    pub(super) g: Tensor<f64>,
}

impl Cell {
    /// r = σ(h₋·W_r + x·U_r), z = σ(h₋·W_z + x·U_z), g = tanh((h₋·r)·W_g + x·U_g).
    pub(super) fn new(inputs: &[Tensor<f64>]) -> Self {
        let [x, h, wr, wz, wg, ur, uz, ug] = std::array::from_fn(|k| inputs[k].clone());
        let gate = |w: &Tensor<f64>, u: &Tensor<f64>| (&h.matmul(w) + &x.matmul(u)).map(Map::Sigmoid);
        let (r, z) = (gate(&wr, &ur), gate(&wz, &uz));
        let g = (&(&h * &r).matmul(&wg) + &x.matmul(&ug)).map(Map::Tanh);
        Self { x, h, w: [wr, wz, wg], u: [ur, uz, ug], r, z, g }
    }

    /// h = h₋·(1 − z) + z·g.
    pub(super) fn value(&self) -> Tensor<f64> {
        &(&self.h * &one_minus(&self.z)) + &(&self.z * &self.g)
    }

    /// The gradients of the inputs in their order.
    pub(super) fn derived(&self, dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
        let Self { x, h, w, u, r, z, g } = self;
        let (dg, dz) = (dy * z, dy * &(g - h));
        let (dag, daz) = (&dg * &g.map(Map::OneMinusSquare), &dz * &z.map(Map::Logistic));
        let dhr = dag.matmul(&w[2].transpose());
        let dar = &(&dhr * h) * &r.map(Map::Logistic);
        let back = |m: &[Tensor<f64>; 3]| &dar.matmul(&m[0].transpose()) + &daz.matmul(&m[1].transpose());
        let dx = &back(u) + &dag.matmul(&u[2].transpose());
        let dh = &(&back(w) + &(&dhr * r)) + &(dy * &one_minus(z));
        let [ht, xt, hrt] = [h, x, &(h * r)].map(Tensor::transpose);
        let dw = [ht.matmul(&dar), ht.matmul(&daz), hrt.matmul(&dag)];
        let du = [&dar, &daz, &dag].map(|da| xt.matmul(da));
        [dx, dh].into_iter().chain(dw).chain(du).collect()
    }
}

pub(super) fn one_minus(x: &Tensor<f64>) -> Tensor<f64> {
    (-x).map(Map::Shift(1.0))
}

/// Checks one step of the cell with these gradients.
pub(super) fn check(gradients: fn(&Cell, &Tensor<f64>) -> Vec<Tensor<f64>>) -> Report {
    by_hand(|x| Cell::new(x).value(), |x, dy| gradients(&Cell::new(x), dy), &inputs())
}

/// Looks whether the first of two inputs has the gradient of the second, called `name`.
pub(super) fn exchanged(report: Report, name: &str, [a, b]: [usize; 2]) -> Report {
    let mut others = inputs();
    others.swap(a, b);
    let swapped = |k: usize| {
        if k == a {
            b
        } else if k == b {
            a
        } else {
            k
        }
    };
    report.suspect(name, |_, x| composed(std::array::from_fn(|k| x[swapped(k)])), &others)
}

/// The cell on a tape.
fn composed<'t>(x: [Var<'t, f64>; 8]) -> Var<'t, f64> {
    let part = |h: Var<'t, f64>, k: usize| h.matmul(x[2 + k]) + x[0].matmul(x[5 + k]);
    let (h, r, z) = (x[1], part(x[1], 0).sigmoid(), part(x[1], 1).sigmoid());
    h * (-z).shift(1.0) + z * part(h * r, 2).tanh()
}

pub(super) fn inputs() -> Vec<Input> {
    let names = ["x", "h0", "W_r", "W_z", "W_g", "U_r", "U_z", "U_g"];
    let shape = |k| if k < 2 { [B, H] } else { [H, H] };
    (0..).zip(names).map(|(k, name)| drawn(name, k, shape(k))).collect()
}
