//! The gates of a GRU step, row by row, one vector of hidden units at a time. [`Kernels`](crate::Kernels) states the equations.

use super::elementary::{sigmoid, tanh};
use super::isa::{Isa, for_each_vector};
use super::{are_contiguous, as_slice, as_slice_mut};
use crate::cpu::fast::gru;
use crate::view::{View, ViewMut};

#[expect(clippy::too_many_arguments, reason = "the arguments of the trait's method, and the token")]
pub(super) fn gru_gates<S: Isa>(
    s: S,
    gx: View<f32>,
    rows: Option<View<u32>>,
    hw: View<f32>,
    b_hh: View<f32>,
    h_prev: View<f32>,
    kept: ViewMut<f32>,
    h: ViewMut<f32>,
) {
    let fits = are_contiguous(&[gx, hw, b_hh], &[&kept, &h]) && rows.is_none_or(|rows| rows.as_slice().is_some());
    // An initial state is often one row for all examples.
    let Some((h_prev, distance)) = h_prev.rows().filter(|_| fits) else {
        return gru::gru_gates(gx, rows, hw, b_hh, h_prev, kept, h);
    };
    let hidden_size = h.shape().last_extent();
    let rows = rows.and_then(|rows| rows.as_slice());
    let (gx, hw, b_hh) = (as_slice(gx), as_slice(hw), as_slice(b_hh));
    let (kept, h) = (as_slice_mut(kept), as_slice_mut(h));
    s.run(
        #[inline(always)]
        || {
            let written = kept.chunks_exact_mut(4 * hidden_size).zip(h.chunks_exact_mut(hidden_size));
            for (i, (hw, (kept, h))) in hw.chunks_exact(3 * hidden_size).zip(written).enumerate() {
                let h_prev = &h_prev[i * distance..][..hidden_size];
                let gx = &gx[gx_row(rows, i) * 3 * hidden_size..][..3 * hidden_size];
                row(s, gx, (hw, b_hh), h_prev, kept, h);
            }
        },
    );
}

#[inline(always)]
fn row<S: Isa>(s: S, gx: &[f32], (hw, b_hh): (&[f32], &[f32]), h_prev: &[f32], kept: &mut [f32], h: &mut [f32]) {
    let hidden_size = h_prev.len();
    let ([gx_r, gx_z, gx_n], [hw_r, hw_z, hw_n], [b_r, b_z, b_n]) =
        (blocks(gx, hidden_size), blocks(hw, hidden_size), blocks(b_hh, hidden_size));
    let [kept_r, kept_z, kept_n, kept_gh_n] = blocks_mut(kept, hidden_size);
    for_each_vector(
        s,
        hidden_size,
        #[inline(always)]
        |at| {
            let r = sigmoid(s, s.add(at.load(gx_r), s.add(at.load(hw_r), at.load(b_r))));
            let z = sigmoid(s, s.add(at.load(gx_z), s.add(at.load(hw_z), at.load(b_z))));
            let gh_n = s.add(at.load(hw_n), at.load(b_n));
            let n = tanh(s, s.add(at.load(gx_n), s.mul(r, gh_n)));
            at.store(r, kept_r);
            at.store(z, kept_z);
            at.store(n, kept_n);
            at.store(gh_n, kept_gh_n);
            at.store(s.add(s.mul(s.sub(s.splat(1.0), z), n), s.mul(z, at.load(h_prev))), h);
        },
    );
}

#[expect(clippy::too_many_arguments, reason = "the arguments of the trait's method, and the token")]
pub(super) fn gru_gates_backward<S: Isa>(
    s: S,
    kept: View<f32>,
    h_prev: View<f32>,
    dh: View<f32>,
    rows: Option<View<u32>>,
    dgx: ViewMut<f32>,
    dgh: ViewMut<f32>,
    dh_prev: ViewMut<f32>,
) {
    let written = [&dgx, &dgh, &dh_prev];
    let fits = are_contiguous(&[kept, dh], &written) && rows.is_none_or(|rows| rows.as_slice().is_some());
    let Some((h_prev, distance)) = h_prev.rows().filter(|_| fits) else {
        return gru::gru_gates_backward(kept, h_prev, dh, rows, dgx, dgh, dh_prev);
    };
    let hidden_size = dh.shape().last_extent();
    let rows = rows.and_then(|rows| rows.as_slice());
    let (kept, dh) = (as_slice(kept), as_slice(dh));
    let (dgx, dgh, dh_prev) = (as_slice_mut(dgx), as_slice_mut(dgh), as_slice_mut(dh_prev));
    s.run(
        #[inline(always)]
        || {
            let read = kept.chunks_exact(4 * hidden_size).zip(dh.chunks_exact(hidden_size));
            let written = dgh.chunks_exact_mut(3 * hidden_size).zip(dh_prev.chunks_exact_mut(hidden_size));
            for (i, ((kept, dh), (dgh, dh_prev))) in read.zip(written).enumerate() {
                let h_prev = &h_prev[i * distance..][..hidden_size];
                let dgx = &mut dgx[gx_row(rows, i) * 3 * hidden_size..][..3 * hidden_size];
                row_backward(s, (kept, h_prev, dh), (dgx, dgh, dh_prev));
            }
        },
    );
}

#[inline(always)]
fn row_backward<S: Isa>(
    s: S,
    (kept, h_prev, dh): (&[f32], &[f32], &[f32]),
    (dgx, dgh, dh_prev): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let (hidden_size, one) = (h_prev.len(), s.splat(1.0));
    let ([r, z, n, gh_n], [dgx_r, dgx_z, dgx_n], [dgh_r, dgh_z, dgh_n]) =
        (blocks(kept, hidden_size), blocks_mut(dgx, hidden_size), blocks_mut(dgh, hidden_size));
    for_each_vector(
        s,
        hidden_size,
        #[inline(always)]
        |at| {
            let (r, z, n, dh) = (at.load(r), at.load(z), at.load(n), at.load(dh));
            let da_n = s.mul(s.mul(dh, s.sub(one, z)), s.sub(one, s.mul(n, n)));
            let da_z = s.mul(s.mul(s.mul(dh, s.sub(at.load(h_prev), n)), z), s.sub(one, z));
            let da_r = s.mul(s.mul(s.mul(da_n, at.load(gh_n)), r), s.sub(one, r));
            at.add(da_r, dgx_r);
            at.add(da_z, dgx_z);
            at.add(da_n, dgx_n);
            at.store(da_r, dgh_r);
            at.store(da_z, dgh_z);
            at.store(s.mul(da_n, r), dgh_n);
            at.store(s.mul(dh, z), dh_prev);
        },
    );
}

/// The row of gx for example `i`.
fn gx_row(rows: Option<&[u32]>, i: usize) -> usize {
    rows.map_or(i, |rows| rows[i] as usize)
}

/// The blocks of a row, of `hidden_size` elements each.
#[inline(always)]
fn blocks<const N: usize>(x: &[f32], hidden_size: usize) -> [&[f32]; N] {
    core::array::from_fn(|k| &x[k * hidden_size..][..hidden_size])
}

/// The blocks of a row that is written, of `hidden_size` elements each.
#[inline(always)]
fn blocks_mut<const N: usize>(x: &mut [f32], hidden_size: usize) -> [&mut [f32]; N] {
    let mut blocks = x.chunks_exact_mut(hidden_size);
    core::array::from_fn(|_| blocks.next().expect("a row has N blocks"))
}
