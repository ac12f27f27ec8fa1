//! The GRU cell of both exhibits: K. Cho et al. (2014) without biases, with rows as vectors.
//!
//! | here | in the source | meaning |
//! |---|---|---|
//! | W_hr, W_hz, W_hn | W | recurrent weights |
//! | W_ir, W_iz, W_in | U | input weights |
//! | n | g | candidate |
//!
//! Here z is the weight of the candidate, h = (1 − z)·h_prev + z·n. In PyTorch it is the weight of the old state.

use autograd::Var;
use autograd::gradcheck::{Input, Report, by_hand};
use tensor::{Map, Tensor};

use super::super::tools::{B, H, named_input};

/// x\[B,H\], h_prev\[B,H\], the weights for r, z and n, each \[H,H\], and the gates. The vignette's formulas need inputs
/// and states of one width.
pub(super) struct Cell {
    pub(super) x: Tensor<f64>,
    pub(super) h_prev: Tensor<f64>,
    /// W_hr, W_hz, W_hn.
    pub(super) w_hh: [Tensor<f64>; 3],
    /// W_ir, W_iz, W_in.
    pub(super) w_ih: [Tensor<f64>; 3],
    pub(super) r: Tensor<f64>,
    pub(super) z: Tensor<f64>,
    pub(super) n: Tensor<f64>,
}

impl Cell {
    /// Computes r = σ(h_prev·W_hr + x·W_ir), z = σ(h_prev·W_hz + x·W_iz), n = tanh((r·h_prev)·W_hn + x·W_in).
    pub(super) fn new(inputs: &[Tensor<f64>]) -> Self {
        let [x, h_prev, w_hr, w_hz, w_hn, w_ir, w_iz, w_in] = std::array::from_fn(|k| inputs[k].clone());
        let gate = |w_h: &Tensor<f64>, w_i: &Tensor<f64>| (&h_prev.matmul(w_h) + &x.matmul(w_i)).map(Map::Sigmoid);
        let (r, z) = (gate(&w_hr, &w_ir), gate(&w_hz, &w_iz));
        let n = (&(&h_prev * &r).matmul(&w_hn) + &x.matmul(&w_in)).map(Map::Tanh);
        Self { x, h_prev, w_hh: [w_hr, w_hz, w_hn], w_ih: [w_ir, w_iz, w_in], r, z, n }
    }

    /// Computes h = (1 − z)·h_prev + z·n.
    pub(super) fn state(&self) -> Tensor<f64> {
        &(&self.h_prev * &one_minus(&self.z)) + &(&self.z * &self.n)
    }

    /// The right gradients of the inputs, in order, for the gradient dh of the state.
    pub(super) fn backward(&self, dh: &Tensor<f64>) -> Vec<Tensor<f64>> {
        let Self { x, h_prev, w_hh, w_ih, r, z, n } = self;
        let (dn, dz) = (dh * z, dh * &(n - h_prev));
        let (da_n, da_z) = (&dn * &n.map(Map::OneMinusSquare), &dz * &z.map(Map::SigmoidSlope));
        let d_reset_state = da_n.matmul(&w_hh[2].transpose()); // of r·h_prev
        let da_r = &(&d_reset_state * h_prev) * &r.map(Map::SigmoidSlope);
        let back = |w: &[Tensor<f64>; 3]| &da_r.matmul(&w[0].transpose()) + &da_z.matmul(&w[1].transpose());
        let dx = &back(w_ih) + &da_n.matmul(&w_ih[2].transpose());
        let dh_prev = &(&back(w_hh) + &(&d_reset_state * r)) + &(dh * &one_minus(z));
        let [h_t, x_t, rh_t] = [h_prev, x, &(h_prev * r)].map(Tensor::transpose);
        let dw_hh = [h_t.matmul(&da_r), h_t.matmul(&da_z), rh_t.matmul(&da_n)];
        let dw_ih = [&da_r, &da_z, &da_n].map(|da| x_t.matmul(da));
        [dx, dh_prev].into_iter().chain(dw_hh).chain(dw_ih).collect()
    }
}

pub(super) fn one_minus(x: &Tensor<f64>) -> Tensor<f64> {
    (-x).map(Map::Shift(1.0))
}

/// Checks one step of the cell with these gradients.
pub(super) fn check(gradients: fn(&Cell, &Tensor<f64>) -> Vec<Tensor<f64>>) -> Report {
    by_hand(|x| Cell::new(x).state(), |x, dy| gradients(&Cell::new(x), dy), &inputs())
}

/// Adds a suspicion to the report: input a may have the gradient of input b, called `name`.
pub(super) fn suspect_exchange(report: Report, name: &str, [a, b]: [usize; 2]) -> Report {
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
    report.suspect(name, |_, x| step_on_tape(std::array::from_fn(|k| x[swapped(k)])), &others)
}

/// Records one step of the cell on a tape.
fn step_on_tape<'t>(x: [Var<'t, f64>; 8]) -> Var<'t, f64> {
    let pre_activation = |h: Var<'t, f64>, k: usize| h.matmul(x[2 + k]) + x[0].matmul(x[5 + k]);
    let (h_prev, r, z) = (x[1], pre_activation(x[1], 0).sigmoid(), pre_activation(x[1], 1).sigmoid());
    h_prev * (-z).shift(1.0) + z * pre_activation(h_prev * r, 2).tanh()
}

pub(super) fn inputs() -> Vec<Input> {
    let names = ["x", "h_prev", "W_hr", "W_hz", "W_hn", "W_ir", "W_iz", "W_in"];
    let shape = |k| if k < 2 { [B, H] } else { [H, H] };
    (0..).zip(names).map(|(k, name)| named_input(name, k, shape(k))).collect()
}
