//! The gates of a GRU step, one hidden unit of one example at a time.

use crate::cpu::gx_row;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn gru_gates<T: Real>(
    gx: View<T>,
    rows: Option<View<u32>>,
    hw: View<T>,
    b_hh: View<T>,
    h_prev: View<T>,
    mut kept: ViewMut<T>,
    mut h: ViewMut<T>,
) {
    let (batch, hidden_size) = (h_prev.shape()[0], h_prev.shape()[1]);
    for i in 0..batch {
        let row = gx_row(rows, i);
        for j in 0..hidden_size {
            let [gx_r, gx_z, gx_n] = [0, 1, 2].map(|gate| gx.get(&[row, gate * hidden_size + j]));
            let [gh_r, gh_z, gh_n] =
                [0, 1, 2].map(|gate| hw.get(&[i, gate * hidden_size + j]) + b_hh.get(&[gate * hidden_size + j]));
            let r = (gx_r + gh_r).sigmoid();
            let z = (gx_z + gh_z).sigmoid();
            let n = (gx_n + r * gh_n).tanh();
            h.set(&[i, j], (T::one() - z) * n + z * h_prev.get(&[i, j]));
            for (block, value) in [r, z, n, gh_n].into_iter().enumerate() {
                kept.set(&[i, block * hidden_size + j], value);
            }
        }
    }
}

/// Computes the gradients from dh back to the pre-activations a_r, a_z, a_n, with σ′ = σ·(1 − σ) and tanh′ = 1 − tanh²:
///
/// ```text
/// h = (1 − z)·n + z·h_prev    dn = dh·(1 − z)     dz = dh·(h_prev − n)    dh_prev = dh·z
/// n = tanh(a_n)               da_n = dn·(1 − n²)
/// a_n = gx_n + r·gh_n         dgx_n = da_n        dgh_n = da_n·r          dr = da_n·gh_n
/// z = σ(a_z)                  da_z = dz·z·(1 − z)
/// r = σ(a_r)                  da_r = dr·r·(1 − r)
/// a_z = gx_z + gh_z           dgx_z = dgh_z = da_z
/// a_r = gx_r + gh_r           dgx_r = dgh_r = da_r
/// ```
pub(super) fn gru_gates_backward<T: Real>(
    kept: View<T>,
    h_prev: View<T>,
    dh: View<T>,
    rows: Option<View<u32>>,
    mut dgx: ViewMut<T>,
    mut dgh: ViewMut<T>,
    mut dh_prev: ViewMut<T>,
) {
    let one = T::one();
    let (batch, hidden_size) = (h_prev.shape()[0], h_prev.shape()[1]);
    for i in 0..batch {
        let row = gx_row(rows, i);
        for j in 0..hidden_size {
            let [r, z, n, gh_n] = [0, 1, 2, 3].map(|block| kept.get(&[i, block * hidden_size + j]));
            let (h_prev, dh) = (h_prev.get(&[i, j]), dh.get(&[i, j]));
            let (dn, dz) = (dh * (one - z), dh * (h_prev - n));
            let da_n = dn * (one - n * n);
            let dr = da_n * gh_n;
            let da_z = dz * z * (one - z);
            let da_r = dr * r * (one - r);
            for (gate, da) in [da_r, da_z, da_n].into_iter().enumerate() {
                dgx.add_at(&[row, gate * hidden_size + j], da);
            }
            for (gate, dgh_gate) in [da_r, da_z, da_n * r].into_iter().enumerate() {
                dgh.set(&[i, gate * hidden_size + j], dgh_gate);
            }
            dh_prev.set(&[i, j], dh * z);
        }
    }
}
