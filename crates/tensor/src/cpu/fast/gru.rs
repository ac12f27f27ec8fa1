//! The gates of a GRU step, all four in one pass over a row.

use ndarray::{ArrayView2, Ix2};

use super::{row, with_row};
use crate::cpu::row_of;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn gru_gates<T: Real>(
    gx: View<T>,
    rows: Option<View<u32>>,
    hw: View<T>,
    b: View<T>,
    h: View<T>,
    kept: ViewMut<T>,
    y: ViewMut<T>,
) {
    let (gx, hw, b, h) = (matrix(gx), matrix(hw), b.host().into_dimensionality().expect("a row"), matrix(h));
    let (mut kept, mut y, b) = (kept.host(), y.host(), row(b));
    for (i, (kept, y)) in kept.rows_mut().into_iter().zip(y.rows_mut()).enumerate() {
        let (gx, hw, h) = (row(gx.row(row_of(rows, i))), row(hw.row(i)), row(h.row(i)));
        with_row(y, |y| with_row(kept, |kept| gates_of_row(&gx, (&hw, &b), &h, kept, y)));
    }
}

fn matrix<T: Real>(x: View<'_, T>) -> ArrayView2<'_, T> {
    x.host().into_dimensionality::<Ix2>().expect("a matrix")
}

/// One gate after the other, so that each loop is one that compilers vectorise.
fn gates_of_row<T: Real>(gx: &[T], (hw, b): (&[T], &[T]), h: &[T], kept: &mut [T], y: &mut [T]) {
    let hidden = h.len();
    let (rz, rest) = kept.split_at_mut(2 * hidden);
    let (n, hn) = rest.split_at_mut(hidden);
    hn.iter_mut().zip(&hw[2 * hidden..]).zip(&b[2 * hidden..]).for_each(|((hn, &hw), &b)| *hn = hw + b);
    rz.iter_mut().zip(gx).zip(hw).zip(b).for_each(|(((gate, &x), &hw), &b)| *gate = (x + (hw + b)).sigmoid());
    let (r, z) = rz.split_at(hidden);
    n.iter_mut().zip(&gx[2 * hidden..]).zip(r).zip(hn).for_each(|(((n, &x), &r), hn)| *n = (x + r * *hn).tanh());
    y.iter_mut().zip(z).zip(n).zip(h).for_each(|(((y, &z), n), &h)| *y = (T::one() - z) * *n + z * h);
}

pub(in crate::cpu) fn gru_gates_backward<T: Real>(
    kept: View<T>,
    h: View<T>,
    dy: View<T>,
    rows: Option<View<u32>>,
    dgx: ViewMut<T>,
    dgh: ViewMut<T>,
    dh: ViewMut<T>,
) {
    let hidden = h.shape().last_extent();
    let one = T::one();
    let (kept, h, dy) = (matrix(kept), matrix(h), matrix(dy));
    let (dgx, mut dgh, mut dh) = (dgx.host(), dgh.host(), dh.host());
    let mut dgx = dgx.into_dimensionality::<Ix2>().expect("a matrix");
    for (i, (dgh, dh)) in dgh.rows_mut().into_iter().zip(dh.rows_mut()).enumerate() {
        let (kept, h, dy) = (row(kept.row(i)), row(h.row(i)), row(dy.row(i)));
        let (r, z, n) = thirds(&kept, hidden);
        let hn = &kept[3 * hidden..];
        with_row(dgx.row_mut(row_of(rows, i)), |dgx| {
            with_row(dgh, |dgh| {
                with_row(dh, |dh| {
                    for j in 0..hidden {
                        let da_n = dy[j] * (one - z[j]) * (one - n[j] * n[j]);
                        let da_z = dy[j] * (h[j] - n[j]) * z[j] * (one - z[j]);
                        let da_r = da_n * hn[j] * r[j] * (one - r[j]);
                        dgx[j] += da_r;
                        dgx[hidden + j] += da_z;
                        dgx[2 * hidden + j] += da_n;
                        dgh[j] = da_r;
                        dgh[hidden + j] = da_z;
                        dgh[2 * hidden + j] = da_n * r[j];
                        dh[j] = dy[j] * z[j];
                    }
                });
            });
        });
    }
}

/// The first three blocks of `hidden` elements.
fn thirds<T>(x: &[T], hidden: usize) -> (&[T], &[T], &[T]) {
    (&x[..hidden], &x[hidden..2 * hidden], &x[2 * hidden..3 * hidden])
}
