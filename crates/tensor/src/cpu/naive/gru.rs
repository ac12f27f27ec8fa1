//! The gates of a GRU step, one unit of one example at a time.

use crate::cpu::row_of;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn gru_gates<T: Real>(
    gx: View<T>,
    rows: Option<View<u32>>,
    hw: View<T>,
    b: View<T>,
    h: View<T>,
    mut kept: ViewMut<T>,
    mut y: ViewMut<T>,
) {
    let (batch, hidden) = (h.shape()[0], h.shape()[1]);
    for i in 0..batch {
        let row = row_of(rows, i);
        for j in 0..hidden {
            let [gx_r, gx_z, gx_n] = [0, 1, 2].map(|gate| gx.at(&[row, gate * hidden + j]));
            let [gh_r, gh_z, gh_n] = [0, 1, 2].map(|gate| hw.at(&[i, gate * hidden + j]) + b.at(&[gate * hidden + j]));
            let r = (gx_r + gh_r).sigmoid();
            let z = (gx_z + gh_z).sigmoid();
            let n = (gx_n + r * gh_n).tanh();
            y.set(&[i, j], (T::one() - z) * n + z * h.at(&[i, j]));
            for (block, value) in [r, z, n, gh_n].into_iter().enumerate() {
                kept.set(&[i, block * hidden + j], value);
            }
        }
    }
}

/// With σ′ = σ·(1 − σ) and tanh′ = 1 − tanh², from the output back to the sums under r, z and n:
///
/// ```text
/// y = (1 − z)·n + z·h      dn = dy·(1 − z)    dz = dy·(h − n)    dh = dy·z
/// n = tanh(s_n)            ds_n = dn·(1 − n²)
/// s_n = gx_n + r·a_n       dgx_n = ds_n       da_n = ds_n·r      dr = ds_n·a_n
/// z = σ(gx_z + gh_z)        dgx_z = da_z = dz·z·(1 − z)
/// r = σ(gx_r + gh_r)        dgx_r = da_r = dr·r·(1 − r)
/// ```
pub(super) fn gru_gates_backward<T: Real>(
    kept: View<T>,
    h: View<T>,
    dy: View<T>,
    rows: Option<View<u32>>,
    mut dgx: ViewMut<T>,
    mut dgh: ViewMut<T>,
    mut dh: ViewMut<T>,
) {
    let one = T::one();
    let (batch, hidden) = (h.shape()[0], h.shape()[1]);
    for i in 0..batch {
        let row = row_of(rows, i);
        for j in 0..hidden {
            let [r, z, n, gh_n] = [0, 1, 2, 3].map(|block| kept.at(&[i, block * hidden + j]));
            let (h, dy) = (h.at(&[i, j]), dy.at(&[i, j]));
            let (dn, dz) = (dy * (one - z), dy * (h - n));
            let ds_n = dn * (one - n * n);
            let dr = ds_n * gh_n;
            let ds_z = dz * z * (one - z);
            let ds_r = dr * r * (one - r);
            for (gate, ds) in [ds_r, ds_z, ds_n].into_iter().enumerate() {
                dgx.add_at(&[row, gate * hidden + j], ds);
            }
            for (gate, ds) in [ds_r, ds_z, ds_n * r].into_iter().enumerate() {
                dgh.set(&[i, gate * hidden + j], ds);
            }
            dh.set(&[i, j], dy * z);
        }
    }
}
