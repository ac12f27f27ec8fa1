//! The gates, row by row, a vector of units at a time; the equations are those of the trait.

use super::elementary::{sigmoid, tanh};
use super::isa::{Isa, each};
use super::{all, all_mut, packed};
use crate::cpu::fast::gru;
use crate::view::{View, ViewMut};

#[expect(clippy::too_many_arguments, reason = "those of the trait, and the token")]
pub(super) fn gru_gates<S: Isa>(
    s: S,
    gx: View<f32>,
    rows: Option<View<u32>>,
    hw: View<f32>,
    b: View<f32>,
    h: View<f32>,
    kept: ViewMut<f32>,
    y: ViewMut<f32>,
) {
    if !packed(&[gx, hw, b, h], &[&kept, &y]) || rows.is_some_and(|rows| rows.as_slice().is_none()) {
        return gru::gru_gates(gx, rows, hw, b, h, kept, y);
    }
    let hidden = h.shape().last_extent();
    let rows = rows.and_then(|rows| rows.as_slice());
    let (gx, hw, b, h, kept, y) = (all(gx), all(hw), all(b), all(h), all_mut(kept), all_mut(y));
    s.run(
        #[inline(always)]
        || {
            let read = hw.chunks_exact(3 * hidden).zip(h.chunks_exact(hidden));
            let written = kept.chunks_exact_mut(4 * hidden).zip(y.chunks_exact_mut(hidden));
            for (i, ((hw, h), (kept, y))) in read.zip(written).enumerate() {
                let gx = &gx[row_of(rows, i) * 3 * hidden..][..3 * hidden];
                row(s, gx, (hw, b), h, kept, y);
            }
        },
    );
}

#[inline(always)]
fn row<S: Isa>(s: S, gx: &[f32], (hw, b): (&[f32], &[f32]), h: &[f32], kept: &mut [f32], y: &mut [f32]) {
    let hidden = h.len();
    let ([gx_r, gx_z, gx_n], [hw_r, hw_z, hw_n], [b_r, b_z, b_n]) =
        (gates(gx, hidden), gates(hw, hidden), gates(b, hidden));
    let [r, z, n, hn] = gates_mut(kept, hidden);
    each(
        s,
        hidden,
        #[inline(always)]
        |at| {
            let gate_r = sigmoid(s, s.add(at.get(gx_r), s.add(at.get(hw_r), at.get(b_r))));
            let gate_z = sigmoid(s, s.add(at.get(gx_z), s.add(at.get(hw_z), at.get(b_z))));
            let part_n = s.add(at.get(hw_n), at.get(b_n));
            let new = tanh(s, s.add(at.get(gx_n), s.mul(gate_r, part_n)));
            at.put(gate_r, r);
            at.put(gate_z, z);
            at.put(new, n);
            at.put(part_n, hn);
            at.put(s.add(s.mul(s.sub(s.splat(1.0), gate_z), new), s.mul(gate_z, at.get(h))), y);
        },
    );
}

#[expect(clippy::too_many_arguments, reason = "those of the trait, and the token")]
pub(super) fn gru_gates_backward<S: Isa>(
    s: S,
    kept: View<f32>,
    h: View<f32>,
    dy: View<f32>,
    rows: Option<View<u32>>,
    dgx: ViewMut<f32>,
    dgh: ViewMut<f32>,
    dh: ViewMut<f32>,
) {
    if !packed(&[kept, h, dy], &[&dgx, &dgh, &dh]) || rows.is_some_and(|rows| rows.as_slice().is_none()) {
        return gru::gru_gates_backward(kept, h, dy, rows, dgx, dgh, dh);
    }
    let hidden = h.shape().last_extent();
    let rows = rows.and_then(|rows| rows.as_slice());
    let (kept, h, dy, dgx, dgh, dh) = (all(kept), all(h), all(dy), all_mut(dgx), all_mut(dgh), all_mut(dh));
    s.run(
        #[inline(always)]
        || {
            let read = kept.chunks_exact(4 * hidden).zip(h.chunks_exact(hidden)).zip(dy.chunks_exact(hidden));
            let written = dgh.chunks_exact_mut(3 * hidden).zip(dh.chunks_exact_mut(hidden));
            for (i, (((kept, h), dy), (dgh, dh))) in read.zip(written).enumerate() {
                let dgx = &mut dgx[row_of(rows, i) * 3 * hidden..][..3 * hidden];
                row_backward(s, (kept, h, dy), (dgx, dgh, dh));
            }
        },
    );
}

#[inline(always)]
fn row_backward<S: Isa>(
    s: S,
    (kept, h, dy): (&[f32], &[f32], &[f32]),
    (dgx, dgh, dh): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let (hidden, one) = (h.len(), s.splat(1.0));
    let ([r, z, n, hn], [dgx_r, dgx_z, dgx_n], [dgh_r, dgh_z, dgh_n]) =
        (gates(kept, hidden), gates_mut(dgx, hidden), gates_mut(dgh, hidden));
    each(
        s,
        hidden,
        #[inline(always)]
        |at| {
            let (r, z, n, dy) = (at.get(r), at.get(z), at.get(n), at.get(dy));
            let da_n = s.mul(s.mul(dy, s.sub(one, z)), s.sub(one, s.mul(n, n)));
            let da_z = s.mul(s.mul(s.mul(dy, s.sub(at.get(h), n)), z), s.sub(one, z));
            let da_r = s.mul(s.mul(s.mul(da_n, at.get(hn)), r), s.sub(one, r));
            at.add(da_r, dgx_r);
            at.add(da_z, dgx_z);
            at.add(da_n, dgx_n);
            at.put(da_r, dgh_r);
            at.put(da_z, dgh_z);
            at.put(s.mul(da_n, r), dgh_n);
            at.put(s.mul(dy, z), dh);
        },
    );
}

fn row_of(rows: Option<&[u32]>, i: usize) -> usize {
    rows.map_or(i, |rows| rows[i] as usize)
}

/// The blocks of a row, one for each gate.
#[inline(always)]
fn gates<const N: usize>(x: &[f32], hidden: usize) -> [&[f32]; N] {
    core::array::from_fn(|k| &x[k * hidden..][..hidden])
}

/// The blocks of a row, to write them.
#[inline(always)]
fn gates_mut<const N: usize>(x: &mut [f32], hidden: usize) -> [&mut [f32]; N] {
    let mut blocks = x.chunks_exact_mut(hidden);
    core::array::from_fn(|_| blocks.next().expect("one block for each gate"))
}
