//! A GRU over time, fused: all steps as one node, its backward derived by hand. In short, each step:
//!
//! - Forward: h = (1 − z)·n + z·h₋.
//! - Backward: dgx += (da_r, da_z, da_n).
//!
//! **Forward.** From the input's part gx\[T,B,3H\] (= x·W_ihᵀ + b_ih, for all steps at once), h₀\[B,H\],
//! W\[3H,H\] and b\[3H\], for t = 1 … T, in three blocks of H columns for the gates r, z, n. (Where x is one of V embedded
//! tokens, gx is one of the V rows of a table, and is read there; its gradient is added there.)
//!
//! ```text
//! (F1)  gh   = h₋·Wᵀ + b                   h₋ is the state before this step
//! (F2)  r    = σ(gx_r + gh_r)
//! (F3)  z    = σ(gx_z + gh_z)
//! (F4)  n    = tanh(gx_n + r·gh_n)         products of gates are elementwise
//! (F5)  h    = (1 − z)·n + z·h₋
//! ```
//!
//! The value is h\[T,B,H\]. Kept for the backward: r, z, n and gh_n of each step, \[T,B,4H\].
//!
//! **Backward.** Let dh be everything that reaches h at step t: dy\[t\] from outside, and what step t+1 sent back.
//! Through (F5), whose three inputs are n, z and h₋:
//!
//! ```text
//! (B1)  dn   = dh·(1 − z)
//! (B2)  dz   = dh·(h₋ − n)
//! (B3)  dh₋  = dh·z                        the direct path: what lets gradients survive many steps
//! ```
//!
//! Write a_r, a_z, a_n for the arguments of σ, σ and tanh. As σ′ = σ(1 − σ) and tanh′ = 1 − tanh²:
//!
//! ```text
//! (B4)  da_n = dn·(1 − n²)                 through (F4)
//! (B5)  da_z = dz·z·(1 − z)                through (F3)
//! (B6)  dr   = da_n·gh_n                   (F4) again: a_n = gx_n + r·gh_n
//! (B7)  da_r = dr·r·(1 − r)                through (F2)
//! ```
//!
//! gx enters each argument with slope 1, and gh with slope 1, 1 and r:
//!
//! ```text
//! (B8)  dgx += (da_r, da_z, da_n)
//! (B9)  dgh  = (da_r, da_z, da_n·r)
//! ```
//!
//! (F1) is linear, so its adjoint is the transposed product:
//!
//! ```text
//! (B10) dh₋ += dgh·W                       and dh₋ is what step t−1 receives; before the first step it is dh₀
//! (B11) dW  += Σ_t dghᵀ·h₋                 two products: for t = 1, where h₋ is h₀, and over all steps t > 1
//! (B12) db  += Σ_t Σ_B dgh
//! ```
//!
//! **Where**: the product of (F1) in `step` below and (B10) to (B12) in `backward`, tagged. The sum of (F1) and (F2) to (F5)
//! are the kernel `gru_gates`, (B1) to (B9) `gru_gates_backward`: in `cpu/fast/gru.rs` of `tensor` and, written plainly, in
//! `cpu/naive/gru.rs`. The sums dgx and dh₀ are in `backward` again.
//!
//! **Why one node**: the composed form of `nn` has 33 nodes a step, three of them products with a part of W, and as many
//! products again for dW; here those are two over all steps. Both forms agree to 1e-12.
//!
//! **Cost** per step and row: 6H² + 20H flops forward, 12H² + 30H backward; 4H numbers kept.
//!
//! **Reference**: K. Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder" (2014), equations 5 to 8;
//! the reset gate after the product, the two biases and the order r, z, n are PyTorch's (`torch.nn.GRU`).

use core::ops::Range;

use tensor::{Form, Kernels, Map, Real, Shape, Tensor, View, ViewMut};

use super::embedding::picked;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

/// Of the rows of a table that these tokens\[T,B\] name, or of the input part as it is.
pub(crate) struct Gru(pub(crate) Option<Tensor<u32>>);

impl<T: Real> Var<'_, T> {
    /// The states h\[T,B,H\] of a GRU, from this input part gx\[T,B,3H\], h0\[B,H\], w\[3H,H\] and b\[3H\]; see the
    /// file's documentation for the equations.
    ///
    /// # Panics
    /// If the shapes do not fit together.
    #[track_caller]
    pub fn gru(self, h0: Self, w: Self, b: Self) -> Self {
        assert_gru_shapes(3, self.shape(), h0.shape(), w.shape(), b.shape());
        self.tape.record(Op::Gru(Gru(None)), &[self, h0, w, b])
    }

    /// [`gru`](Self::gru) of the rows `tokens`\[T,B\] of this table\[V,3H\]: as if it were `self.embedding(tokens)`, which is
    /// never made.
    ///
    /// # Panics
    /// If the shapes do not fit together, or a token is not a row.
    #[track_caller]
    pub fn gru_of(self, tokens: &Tensor<u32>, h0: Self, w: Self, b: Self) -> Self {
        self.assert_gru_of(tokens, h0, w, b);
        self.tape.record(Op::Gru(Gru(Some(tokens.clone()))), &[self, h0, w, b])
    }

    #[track_caller]
    pub(crate) fn assert_gru_of(self, tokens: &Tensor<u32>, h0: Self, w: Self, b: Self) {
        assert_gru_shapes(3, picked(self.shape(), tokens), h0.shape(), w.shape(), b.shape());
    }
}

/// The one check of every GRU, fused or composed, over time or of one step: the input part gx\[T,B,3H\] (`axes` = 3) or
/// gx\[B,3H\] (`axes` = 2), the state h\[B,H\], w\[3H,H\] and b\[3H\]. Nothing is broadcast.
///
/// # Panics
/// If the shapes do not fit together.
#[track_caller]
pub fn assert_gru_shapes(axes: usize, gx: Shape, h: Shape, w: Shape, b: Shape) {
    let gates = h.last_extent().checked_mul(3);
    let fits = gx.rank() == axes
        && h.rank() == 2
        && gx[axes - 2] == h[0]
        && gates.is_some_and(|gates| gx[axes - 1] == gates && w[..] == [gates, h[1]] && b[..] == [gates]);
    assert!(fits, "gru: input part {gx}, state {h}, weight {w}, bias {b} do not fit together");
}

/// The state before step `t`: h₀, or the value's last entry.
fn before<'a, T: Real>(t: usize, h0: View<'a, T>, hs: View<'a, T>) -> View<'a, T> {
    if t == 0 { h0 } else { hs.select(0, t - 1) }
}

/// Some steps of x\[T,B,N\] as one matrix \[steps·B,N\].
fn rows<T: Real>(x: View<'_, T>, steps: Range<usize>) -> View<'_, T> {
    let (batch, width) = (x.shape()[1], x.shape()[2]);
    let all = steps.len() * batch;
    x.slice(0, steps).reshape([all, width]).expect("the arena's buffers have no gaps")
}

/// The input part at step `t`, for the kernels: as it is, or a table and the rows of it.
fn part<'a, X>(
    gx: X,
    tokens: Option<&'a Tensor<u32>>,
    t: usize,
    select: impl FnOnce(X, usize, usize) -> X,
) -> (X, Option<View<'a, u32>>) {
    match tokens {
        None => (select(gx, 0, t), None),
        Some(tokens) => (gx, Some(tokens.view().select(0, t))),
    }
}

/// (F1) to (F5) for one step, from Wᵀ\[H,3H\] and b; `hw` is for intermediate results.
pub(crate) fn step<T: Real>(
    kernels: &dyn Kernels<T>,
    (gx, rows): (View<T>, Option<View<u32>>),
    h: View<T>,
    (wt, b): (View<T>, View<T>),
    mut hw: ViewMut<T>,
    (kept, y): (ViewMut<T>, ViewMut<T>),
) {
    kernels.matmul(Form::NN, h, wt, false, hw.reborrow()); // (F1)
    kernels.gru_gates(gx, rows, hw.view(), b, h, kept, y);
}

impl<T: Real> Operation<T> for Gru {
    const NAME: &'static str = "gru";

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, gx, h0, w, b) = (f.kernels(), f.input(0), f.input(1), f.input(2), f.input(3));
        let tokens = self.0.as_ref();
        let (steps, [batch, hidden]) =
            (tokens.map_or(gx.shape(), Tensor::shape)[0], [0, 1].map(|axis| h0.shape()[axis]));
        let (mut wt, mut hw) = (f.scratch([hidden, 3 * hidden]), f.scratch([batch, 3 * hidden]));
        kernels.map(Map::Identity, w.permute(&[1, 0]), wt.view_mut());
        let (mut hs, mut kept) = f.output_and_kept([steps, batch, hidden], [steps, batch, 4 * hidden]);
        for t in 0..steps {
            let (past, mut now) = hs.reborrow().split_at(t);
            let to = (kept.reborrow().select(0, t), now.reborrow().select(0, 0));
            let gx = part(gx, tokens, t, View::select);
            step(kernels, gx, before(t, h0, past.view()), (wt.view(), b), hw.view_mut(), to);
        }
        f.give_back(hw);
        f.give_back(wt);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let kernels = b.kernels();
        let (gx, h0, w, hs, kept, dy) = (b.input(0), b.input(1), b.input(2), b.output(), b.kept(), b.dy());
        let (steps, batch, hidden) = (dy.shape()[0], dy.shape()[1], dy.shape()[2]);
        let mut dgh = b.blank([steps, batch, 3 * hidden]);
        let mut states = b.scratch([2, batch, hidden]);
        // Straight to its gradient, or where nobody asks for that, aside.
        let mut unasked = b.scratch(if b.needs_grad(0) { gx.shape().with(0, 0) } else { gx.shape() });
        let mut dgx = b.grad(0).unwrap_or_else(|| unasked.view_mut());
        let (dh, dh_before) = states.view_mut().split_at(1);
        let (mut dh, mut dh_before) = (dh.select(0, 0), dh_before.select(0, 0));

        for t in (0..steps).rev() {
            kernels.sum_to(T::one(), dy.select(0, t), dh.reborrow());
            let (dgx, rows) = part(dgx.reborrow(), self.0.as_ref(), t, ViewMut::select);
            kernels.gru_gates_backward(
                kept.select(0, t),
                before(t, h0, hs),
                dh.view(),
                rows,
                dgx,
                dgh.view_mut().select(0, t),
                dh_before.reborrow(),
            );
            kernels.matmul(Form::NN, dgh.view().select(0, t), w, true, dh_before.reborrow()); // (B10)
            core::mem::swap(&mut dh, &mut dh_before);
        }

        if let Some(to) = b.grad(1) {
            kernels.sum_to(T::one(), dh.view(), to);
        }
        if steps == 0 {
            b.grad(2); // reached, and zero
        } else if let Some((mut dw, add)) = b.grad_as_it_is(2) {
            kernels.matmul(Form::TN, dgh.view().select(0, 0), h0, add, dw.reborrow()); // (B11), t = 1
            kernels.matmul(Form::TN, rows(dgh.view(), 1..steps), rows(hs, 0..steps - 1), true, dw); // (B11), t > 1
        }
        if let Some(db) = b.grad(3) {
            kernels.sum_to(T::one(), dgh.view(), db); // (B12)
        }
        for buffer in [unasked, states, dgh] {
            b.give_back(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn gradients_at_one_step_and_several() {
        let wave = |phase: f64| move |i: usize| (phase + 1.7 * i as f64).sin();
        for steps in [1, 4] {
            let gx = Tensor::from_fn([steps, 2, 9], wave(0.1));
            let h0 = Tensor::from_fn([2, 3], wave(0.2));
            let (w, b) = (Tensor::from_fn([9, 3], wave(0.3)), Tensor::from_fn([9], wave(0.4)));
            check_against_differences(&[gx, h0, w, b], |x| x[0].gru(x[1], x[2], x[3]));
        }
    }

    #[test]
    fn rows_of_a_table_are_read_and_collect_where_they_are() {
        let wave = |phase: f64| move |i: usize| (phase + 1.7 * i as f64).sin();
        let tokens = Tensor::from([[1, 0], [3, 3], [1, 3]]);
        let (table, h0) = (Tensor::from_fn([4, 9], wave(0.1)), Tensor::from_fn([2, 3], wave(0.2)));
        let inputs = [table, h0, Tensor::from_fn([9, 3], wave(0.3)), Tensor::from_fn([9], wave(0.4))];
        let tape = crate::Tape::new();
        let [of, through] = [true, false].map(|of| {
            let [table, h0, w, b] = inputs.clone().map(|x| tape.input(x));
            let hs = if of { table.gru_of(&tokens, h0, w, b) } else { table.embedding(&tokens).gru(h0, w, b) };
            hs.square().sum().backward().expect("no parameters");
            (hs.value().to_vec(), [table, h0, w, b].map(|x| x.grad().expect("reached").to_vec()))
        });
        assert_eq!(of.0, through.0);
        for (of, through) in of.1.iter().flatten().zip(through.1.iter().flatten()) {
            assert!((of - through).abs() < 1e-14, "{of} and {through}"); // a row's sum begins at the other end
        }
        check_against_differences(&inputs, |x| x[0].gru_of(&tokens, x[1], x[2], x[3]));
    }

    #[test]
    #[should_panic(expected = "embedding: [4, 9] has no row 4")]
    fn a_token_without_a_row_is_named() {
        let tape = crate::Tape::<f64>::new();
        let of = |shape: &[usize]| tape.input(Tensor::zeros(shape));
        let _ = of(&[4, 9]).gru_of(&Tensor::from([[0, 4]]), of(&[2, 3]), of(&[9, 3]), of(&[9]));
    }

    #[test]
    fn without_steps_weights_have_the_gradient_zero() {
        let tape = crate::Tape::<f64>::new();
        let of = |shape: &[usize]| tape.input(Tensor::full(shape, 0.5));
        let (w, b) = (of(&[9, 3]), of(&[9]));
        of(&[0, 2, 9]).gru(of(&[2, 3]), w, b).sum().backward().expect("no parameters");
        assert_eq!([w, b].map(|x| x.grad().expect("reached").to_vec()), [vec![0.0; 27], vec![0.0; 9]]);
    }

    #[test]
    #[should_panic(expected = "gru: input part [4, 2, 8], state [2, 3], weight [9, 3], bias [9] do not fit together")]
    fn wrong_shapes_are_named() {
        let tape = crate::Tape::<f64>::new();
        let of = |shape: &[usize]| tape.input(Tensor::zeros(shape));
        let _ = of(&[4, 2, 8]).gru(of(&[2, 3]), of(&[9, 3]), of(&[9]));
    }
}
