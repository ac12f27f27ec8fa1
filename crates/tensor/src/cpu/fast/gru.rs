//! The gates of a GRU step. A whole row of kept = (r, z, n, gh_n) is computed gate by gate.

use ndarray::{ArrayView2, Ix2};

use super::{row, with_row};
use crate::cpu::gx_row;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn gru_gates<T: Real>(
    gx: View<T>,
    rows: Option<View<u32>>,
    hw: View<T>,
    b_hh: View<T>,
    h_prev: View<T>,
    kept: ViewMut<T>,
    h: ViewMut<T>,
) {
    let (gx, hw, h_prev) = (matrix(gx), matrix(hw), matrix(h_prev));
    let b_hh = row(b_hh.as_ndarray().into_dimensionality().expect("b_hh has one axis"));
    let (mut kept, mut h) = (kept.into_ndarray(), h.into_ndarray());
    for (i, (kept, h)) in kept.rows_mut().into_iter().zip(h.rows_mut()).enumerate() {
        let (gx, hw, h_prev) = (row(gx.row(gx_row(rows, i))), row(hw.row(i)), row(h_prev.row(i)));
        with_row(h, |h| with_row(kept, |kept| compute_row(&gx, (&hw, &b_hh), &h_prev, kept, h)));
    }
}

fn matrix<T: Real>(x: View<'_, T>) -> ArrayView2<'_, T> {
    x.as_ndarray().into_dimensionality::<Ix2>().expect("a matrix")
}

/// Computes one gate after the other, in simple loops that compilers vectorise.
fn compute_row<T: Real>(gx: &[T], (hw, b_hh): (&[T], &[T]), h_prev: &[T], kept: &mut [T], h: &mut [T]) {
    let hidden_size = h_prev.len();
    let (rz, rest) = kept.split_at_mut(2 * hidden_size);
    let (n, gh_n) = rest.split_at_mut(hidden_size);
    gh_n.iter_mut()
        .zip(&hw[2 * hidden_size..])
        .zip(&b_hh[2 * hidden_size..])
        .for_each(|((gh_n, &hw), &b_hh)| *gh_n = hw + b_hh);
    rz.iter_mut()
        .zip(gx)
        .zip(hw)
        .zip(b_hh)
        .for_each(|(((gate, &gx), &hw), &b_hh)| *gate = (gx + (hw + b_hh)).sigmoid());
    let (r, z) = rz.split_at(hidden_size);
    n.iter_mut()
        .zip(&gx[2 * hidden_size..])
        .zip(r)
        .zip(gh_n)
        .for_each(|(((n, &gx), &r), gh_n)| *n = (gx + r * *gh_n).tanh());
    h.iter_mut().zip(z).zip(n).zip(h_prev).for_each(|(((h, &z), n), &h_prev)| *h = (T::one() - z) * *n + z * h_prev);
}

pub(in crate::cpu) fn gru_gates_backward<T: Real>(
    kept: View<T>,
    h_prev: View<T>,
    dh: View<T>,
    rows: Option<View<u32>>,
    dgx: ViewMut<T>,
    dgh: ViewMut<T>,
    dh_prev: ViewMut<T>,
) {
    let hidden_size = h_prev.shape().last_extent();
    let one = T::one();
    let (kept, h_prev, dh) = (matrix(kept), matrix(h_prev), matrix(dh));
    let (dgx, mut dgh, mut dh_prev) = (dgx.into_ndarray(), dgh.into_ndarray(), dh_prev.into_ndarray());
    let mut dgx = dgx.into_dimensionality::<Ix2>().expect("a matrix");
    for (i, (dgh, dh_prev)) in dgh.rows_mut().into_iter().zip(dh_prev.rows_mut()).enumerate() {
        let (kept, h_prev, dh) = (row(kept.row(i)), row(h_prev.row(i)), row(dh.row(i)));
        let (r, z, n) = first_three_blocks(&kept, hidden_size);
        let gh_n = &kept[3 * hidden_size..];
        with_row(dgx.row_mut(gx_row(rows, i)), |dgx| {
            with_row(dgh, |dgh| {
                with_row(dh_prev, |dh_prev| {
                    for j in 0..hidden_size {
                        let da_n = dh[j] * (one - z[j]) * (one - n[j] * n[j]);
                        let da_z = dh[j] * (h_prev[j] - n[j]) * z[j] * (one - z[j]);
                        let da_r = da_n * gh_n[j] * r[j] * (one - r[j]);
                        dgx[j] += da_r;
                        dgx[hidden_size + j] += da_z;
                        dgx[2 * hidden_size + j] += da_n;
                        dgh[j] = da_r;
                        dgh[hidden_size + j] = da_z;
                        dgh[2 * hidden_size + j] = da_n * r[j];
                        dh_prev[j] = dh[j] * z[j];
                    }
                });
            });
        });
    }
}

/// The first three blocks of `hidden_size` elements.
fn first_three_blocks<T>(x: &[T], hidden_size: usize) -> (&[T], &[T], &[T]) {
    (&x[..hidden_size], &x[hidden_size..2 * hidden_size], &x[2 * hidden_size..3 * hidden_size])
}
