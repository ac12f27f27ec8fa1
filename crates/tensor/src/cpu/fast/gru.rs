//! The gates of a GRU step, all four in one pass over a row.

use ndarray::Zip;

use super::{row, with_row};
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn gates<T: Real>(gx: View<T>, gh: View<T>, h: View<T>, kept: ViewMut<T>, y: ViewMut<T>) {
    let (gx, gh, h) = (gx.host(), gh.host(), h.host());
    Zip::from(y.host().rows_mut()).and(kept.host().rows_mut()).and(gx.rows()).and(gh.rows()).and(h.rows()).for_each(
        |y, kept, gx, gh, h| {
            let (gx, gh, h) = (row(gx), row(gh), row(h));
            with_row(y, |y| with_row(kept, |kept| gates_of_row(&gx, &gh, &h, kept, y)));
        },
    );
}

/// One gate after the other, so that each loop is one that compilers vectorise.
fn gates_of_row<T: Real>(gx: &[T], gh: &[T], h: &[T], kept: &mut [T], y: &mut [T]) {
    let hidden = h.len();
    let (rz, rest) = kept.split_at_mut(2 * hidden);
    let (n, hn) = rest.split_at_mut(hidden);
    hn.copy_from_slice(&gh[2 * hidden..]);
    rz.iter_mut().zip(gx).zip(gh).for_each(|((gate, &x), &h)| *gate = (x + h).sigmoid());
    let (r, z) = rz.split_at(hidden);
    n.iter_mut().zip(&gx[2 * hidden..]).zip(r).zip(hn).for_each(|(((n, &x), &r), hn)| *n = (x + r * *hn).tanh());
    y.iter_mut().zip(z).zip(n).zip(h).for_each(|(((y, &z), n), &h)| *y = (T::one() - z) * *n + z * h);
}

pub(in crate::cpu) fn gates_backward<T: Real>(
    kept: View<T>,
    h: View<T>,
    dy: View<T>,
    dgx: ViewMut<T>,
    dgh: ViewMut<T>,
    dh: ViewMut<T>,
) {
    let hidden = h.shape().last_extent();
    let one = T::one();
    let (kept, h, dy) = (kept.host(), h.host(), dy.host());
    let (mut dgx, mut dgh, mut dh) = (dgx.host(), dgh.host(), dh.host());
    let zip = Zip::from(dgx.rows_mut()).and(dgh.rows_mut()).and(dh.rows_mut());
    zip.and(kept.rows()).and(h.rows()).and(dy.rows()).for_each(|dgx, dgh, dh, kept, h, dy| {
        let (kept, h, dy) = (row(kept), row(h), row(dy));
        let (r, z, n) = thirds(&kept, hidden);
        let hn = &kept[3 * hidden..];
        with_row(dgx, |dgx| {
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
                        dh[j] += dy[j] * z[j];
                    }
                });
            });
        });
    });
}

/// The first three blocks of `hidden` elements.
fn thirds<T>(x: &[T], hidden: usize) -> (&[T], &[T], &[T]) {
    (&x[..hidden], &x[hidden..2 * hidden], &x[2 * hidden..3 * hidden])
}
