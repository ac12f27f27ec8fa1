//! A GRU over time, fused: all steps are one node, whose backward is derived by hand. In short, for each step:
//!
//! - Forward: h = (1 − z)·n + z·h_prev.
//! - Backward: dgx += (da_r, da_z, da_n).
//!
//! **Forward.** The inputs are gx\[T,B,3H\] = x·W_ihᵀ + b_ih (the input part of the gates, for all steps), h₀\[B,H\],
//! W_hh\[3H,H\] and b_hh\[3H\]. The 3H columns are three blocks of H, for the gates r, z, n. For t = 1 … T:
//!
//! ```text
//! (F1)  gh   = h_prev·W_hhᵀ + b_hh         h_prev is the state before this step
//! (F2)  r    = σ(a_r)                      a_r = gx_r + gh_r
//! (F3)  z    = σ(a_z)                      a_z = gx_z + gh_z
//! (F4)  n    = tanh(a_n)                   a_n = gx_n + r·gh_n; products of gates are elementwise
//! (F5)  h    = (1 − z)·n + z·h_prev
//! ```
//!
//! The value is h\[T,B,H\]. Kept for the backward: r, z, n and gh_n of each step, \[T,B,4H\]. If x is an embedded token, gx is
//! a row of a table with V rows: the forward reads this row in place, and the backward adds its gradient in place.
//!
//! **Backward.** dh is the total gradient of h at step t: the direct gradient dy\[t\], plus dh_prev of step t+1.
//! [`Var::gru_state_grads`](crate::Var::gru_state_grads) returns it. Through (F5), whose inputs are n, z and h_prev:
//!
//! ```text
//! (B1)  dn       = dh·(1 − z)
//! (B2)  dz       = dh·(h_prev − n)
//! (B3)  dh_prev  = dh·z                    the direct path, which keeps gradients alive over many steps
//! ```
//!
//! With σ′ = σ(1 − σ) and tanh′ = 1 − tanh²:
//!
//! ```text
//! (B4)  da_n     = dn·(1 − n²)             through (F4)
//! (B5)  da_z     = dz·z·(1 − z)            through (F3)
//! (B6)  dr       = da_n·gh_n               through (F4): a_n = gx_n + r·gh_n
//! (B7)  da_r     = dr·r·(1 − r)            through (F2)
//! ```
//!
//! The slopes of (a_r, a_z, a_n) are 1, 1, 1 in gx, and 1, 1, r in gh:
//!
//! ```text
//! (B8)  dgx     += (da_r, da_z, da_n)
//! (B9)  dgh      = (da_r, da_z, da_n·r)
//! ```
//!
//! (F1) is linear, so its adjoint is the transposed product:
//!
//! ```text
//! (B10) dh_prev += dgh·W_hh                step t−1 receives dh_prev; before the first step it is dh₀
//! (B11) dW_hh   += Σ_t dghᵀ·h_prev         two products: one for t = 1, with h_prev = h₀, and one for all t > 1
//! (B12) db_hh   += Σ_t Σ_B dgh
//! ```
//!
//! **Where**: `gru_step` below computes the product of (F1); `backpropagate` computes (B10) to (B12), tagged. The kernel
//! `gru_gates` adds the bias of (F1) and computes (F2) to (F5); `gru_gates_backward` computes (B1) to (B9). Both are in
//! `cpu/fast/gru.rs` of `tensor`, and in plain form in `cpu/naive/gru.rs`. `backpropagate` also sums dh and adds dh₀.
//!
//! **Why one node**: the composed form in `nn` has 30 nodes per step. Three of them are products with a block of W_hh, and
//! dW_hh takes as many products again. Here dW_hh takes two products for all steps. Both forms agree to 1e-12.
//!
//! **Cost** per step and row: 6H² + 20H flops forward, 12H² + 30H backward; 4H numbers kept.
//!
//! **Reference**: K. Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder" (2014), equations 5 to 8. From
//! PyTorch (`torch.nn.GRU`): the reset gate after the product, the two biases, and the order r, z, n.

use core::ops::Range;

use tensor::{Form, Kernels, Map, Real, Shape, Tensor, View, ViewMut};

use super::embedding::checked_embedding_shape;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

/// The GRU. With tokens\[T,B\], input 0 is a table\[V,3H\] and gx are its rows. Without tokens, input 0 is gx itself.
pub(crate) struct Gru(pub(crate) Option<Tensor<u32>>);

impl<T: Real> Var<'_, T> {
    /// Computes the states h\[T,B,H\] of a GRU. This value is gx\[T,B,3H\], the input part of the gates; h0\[B,H\] is the
    /// initial state, w_hh\[3H,H\] and b_hh\[3H\] are the recurrent weights and bias.
    ///
    /// Each step: h = (1 − z)·n + z·h_prev. Gradient: dgx += (da_r, da_z, da_n). [`ops::gru`](crate::ops::gru) has all
    /// equations, derived.
    ///
    /// # Panics
    /// If the shapes do not fit together.
    #[track_caller]
    pub fn gru(self, h0: Self, w_hh: Self, b_hh: Self) -> Self {
        assert_gru_shapes(3, self.shape(), h0.shape(), w_hh.shape(), b_hh.shape());
        self.tape.record(Op::Gru(Gru(None)), &[self, h0, w_hh, b_hh])
    }

    /// Computes `self.embedding(tokens).gru(h0, w_hh, b_hh)` for a table\[V,3H\] and tokens\[T,B\] in one node. The rows are
    /// read in place; the embedded tensor is never stored. See [`gru`](Self::gru).
    ///
    /// # Panics
    /// If the shapes do not fit together, or if a token is not a row of the table.
    #[track_caller]
    pub fn embedding_gru(self, tokens: &Tensor<u32>, h0: Self, w_hh: Self, b_hh: Self) -> Self {
        self.assert_embedding_gru_shapes(tokens, h0, w_hh, b_hh);
        self.tape.record(Op::Gru(Gru(Some(tokens.clone()))), &[self, h0, w_hh, b_hh])
    }

    /// Returns the total gradients dL/dh_t of the states of a fused GRU, \[T,B,H\], after a backward pass. Returns `None` if
    /// that pass did not reach the states.
    ///
    /// [`grad`](Self::grad) of the states is the direct gradient ∂L/∂h_t: of the uses of h_t outside the GRU, with the other
    /// states held fixed. It is zero at a step that the loss does not read. The total gradient also flows through the later
    /// states: dL/dh_t = ∂L/∂h_t + dL/dh_{t+1}·∂h_{t+1}/∂h_t. At the last step the two are equal. In
    /// [`ops::gru`](crate::ops::gru) the total gradient is dh.
    ///
    /// The fused backward keeps dh of one step only. This method therefore repeats the backward of this node, at its cost; a pass
    /// without this call pays nothing. In a GRU that is composed of operations each h_t is a variable, and its `grad` is the
    /// total gradient.
    ///
    /// ```
    /// # use autograd::Tape;
    /// # use tensor::Tensor;
    /// let tape = Tape::<f64>::new();
    /// let gx = tape.constant(Tensor::zeros([4, 1, 3])); // T = 4 steps, B = 1, H = 1
    /// let [h0, w_hh] = [[1, 1], [3, 1]].map(|shape| tape.constant(Tensor::zeros(shape)));
    /// let b_hh = tape.input(Tensor::zeros([3]));
    /// let hs = gx.gru(h0, w_hh, b_hh);
    /// hs.select(0, 3).sum().backward()?; // the loss reads the last state only
    /// assert_eq!(hs.grad().unwrap().to_vec(), [0.0, 0.0, 0.0, 1.0]);
    /// assert_eq!(hs.gru_state_grads().unwrap().to_vec(), [0.125, 0.25, 0.5, 1.0]); // each step multiplies by z = ½
    /// # Ok::<(), autograd::Unreached>(())
    /// ```
    ///
    /// # Panics
    /// If this variable is not the result of [`gru`](Self::gru), [`embedding_gru`](Self::embedding_gru) or
    /// [`embedding_gru_from_steps`](Self::embedding_gru_from_steps) itself. On a tape of [`Tape::wrap`](crate::Tape::wrap), a GRU
    /// that was wrapped by another operation is not.
    #[track_caller]
    pub fn gru_state_grads(self) -> Option<Tensor<T>> {
        let arena = self.tape.arena.borrow();
        let op = &arena.nodes[self.index()].op;
        let Op::Gru(gru) = op else { panic!("gru_state_grads: {} is not the states of a fused GRU", op.name()) };
        let mut dhs = self.grad()?.to_contiguous();
        arena.rerun_backward(self.index(), self.tape.kernels, |b| gru.backpropagate(b, Some(dhs.view_mut())));
        Some(dhs)
    }

    #[track_caller]
    pub(crate) fn assert_embedding_gru_shapes(self, tokens: &Tensor<u32>, h0: Self, w_hh: Self, b_hh: Self) {
        assert_gru_shapes(3, checked_embedding_shape(self.shape(), tokens), h0.shape(), w_hh.shape(), b_hh.shape());
    }
}

/// Checks the shapes of a GRU: gx\[T,B,3H\] (`axes` = 3) or gx\[B,3H\] (`axes` = 2), the state h\[B,H\], w_hh\[3H,H\] and
/// b_hh\[3H\]. Nothing is broadcast. Every GRU uses this check: fused or composed, over time or one step.
///
/// # Panics
/// If the shapes do not fit together.
#[track_caller]
pub fn assert_gru_shapes(axes: usize, gx: Shape, h: Shape, w_hh: Shape, b_hh: Shape) {
    let gates = h.last_extent().checked_mul(3);
    let fits = gx.rank() == axes
        && h.rank() == 2
        && gx[axes - 2] == h[0]
        && gates.is_some_and(|gates| gx[axes - 1] == gates && w_hh[..] == [gates, h[1]] && b_hh[..] == [gates]);
    let gx_rule = if axes == 3 { "[T, B, 3H]" } else { "[B, 3H]" };
    assert!(
        fits,
        "gru: input part {gx}, state {h}, weight {w_hh}, bias {b_hh}: they must be {gx_rule}, [B, H], [3H, H], [3H]"
    );
}

/// Returns h_prev of step `t`: h₀ for t = 0, and the state of step t − 1 otherwise.
fn state_before<'a, T: Real>(t: usize, h0: View<'a, T>, states: View<'a, T>) -> View<'a, T> {
    if t == 0 { h0 } else { states.select(0, t - 1) }
}

/// Returns a range of steps of x\[T,B,N\] as one matrix \[steps·B,N\].
fn steps_as_matrix<T: Real>(x: View<'_, T>, steps: Range<usize>) -> View<'_, T> {
    let (batch, columns) = (x.shape()[1], x.shape()[2]);
    let all = steps.len() * batch;
    x.slice(0, steps).reshape([all, columns]).expect("the arena's buffers are contiguous")
}

/// Returns the arguments `gx` and `rows` of the kernels at step `t`: the step of gx without rows, or the table and its rows.
fn input_at_step<'a, X>(
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

/// Computes (F1) to (F5) for one step, from W_hhᵀ\[H,3H\] and b_hh. hw\[B,3H\] is a scratch buffer for h_prev·W_hhᵀ.
pub(crate) fn gru_step<T: Real>(
    kernels: &dyn Kernels<T>,
    (gx, rows): (View<T>, Option<View<u32>>),
    h_prev: View<T>,
    (w_hh_t, b_hh): (View<T>, View<T>),
    mut hw: ViewMut<T>,
    (kept, h): (ViewMut<T>, ViewMut<T>),
) {
    kernels.matmul(Form::NN, h_prev, w_hh_t, false, hw.reborrow()); // (F1)
    kernels.gru_gates(gx, rows, hw.view(), b_hh, h_prev, kept, h);
}

impl<T: Real> Operation<T> for Gru {
    const NAME: &'static str = "gru";

    fn arguments(&self) -> alloc::string::String {
        self.0.iter().map(|tokens| alloc::format!("tokens=u32{}", tokens.shape())).collect()
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, gx, h0, w_hh, b_hh) = (f.kernels(), f.input(0), f.input(1), f.input(2), f.input(3));
        let tokens = self.0.as_ref();
        let (steps, [batch, hidden_size]) =
            (tokens.map_or(gx.shape(), Tensor::shape)[0], [0, 1].map(|axis| h0.shape()[axis]));
        let (mut w_hh_t, mut hw) = (f.scratch([hidden_size, 3 * hidden_size]), f.scratch([batch, 3 * hidden_size]));
        kernels.map(Map::Identity, w_hh.permute(&[1, 0]), w_hh_t.view_mut());
        let (mut states, mut kept) = f.output_and_kept([steps, batch, hidden_size], [steps, batch, 4 * hidden_size]);
        for t in 0..steps {
            let (past, mut now) = states.reborrow().split_at(t);
            let outputs = (kept.reborrow().select(0, t), now.reborrow().select(0, 0));
            let (gx, h_prev) = (input_at_step(gx, tokens, t, View::select), state_before(t, h0, past.view()));
            gru_step(kernels, gx, h_prev, (w_hh_t.view(), b_hh), hw.view_mut(), outputs);
        }
        f.release_scratch(hw);
        f.release_scratch(w_hh_t);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        self.backpropagate(b, None);
    }
}

impl Gru {
    /// Computes (B1) to (B12). Writes dh of each step to `dhs`\[T,B,H\], if given.
    fn backpropagate<T: Real>(&self, b: &mut Backward<'_, T>, mut dhs: Option<ViewMut<'_, T>>) {
        let kernels = b.kernels();
        let (gx, h0, w_hh, states, kept, dy) = (b.input(0), b.input(1), b.input(2), b.output(), b.kept(), b.dy());
        let (steps, batch, hidden_size) = (dy.shape()[0], dy.shape()[1], dy.shape()[2]);
        let mut dgh = b.scratch_uninit([steps, batch, 3 * hidden_size]);
        let mut dh_buffers = b.scratch([2, batch, hidden_size]);
        // The kernel adds dgx to the gradient of input 0 or, if that is not needed, to a scratch buffer.
        let mut unused_dgx = b.scratch(if b.needs_grad(0) { gx.shape().with_extent(0, 0) } else { gx.shape() });
        let mut dgx = b.grad(0).unwrap_or_else(|| unused_dgx.view_mut());
        let (dh, dh_prev) = dh_buffers.view_mut().split_at(1);
        let (mut dh, mut dh_prev) = (dh.select(0, 0), dh_prev.select(0, 0));

        for t in (0..steps).rev() {
            kernels.sum_to(T::one(), dy.select(0, t), dh.reborrow());
            if let Some(dhs) = &mut dhs {
                kernels.map(Map::Identity, dh.view(), dhs.reborrow().select(0, t));
            }
            let (dgx, rows) = input_at_step(dgx.reborrow(), self.0.as_ref(), t, ViewMut::select);
            kernels.gru_gates_backward(
                kept.select(0, t),
                state_before(t, h0, states),
                dh.view(),
                rows,
                dgx,
                dgh.view_mut().select(0, t),
                dh_prev.reborrow(),
            );
            kernels.matmul(Form::NN, dgh.view().select(0, t), w_hh, true, dh_prev.reborrow()); // (B10)
            core::mem::swap(&mut dh, &mut dh_prev);
        }

        if let Some(dh0) = b.grad(1) {
            kernels.sum_to(T::one(), dh.view(), dh0);
        }
        if steps == 0 {
            b.grad(2); // sets the gradient to zero
        } else if let Some((mut dw_hh, add)) = b.grad_uninit(2) {
            kernels.matmul(Form::TN, dgh.view().select(0, 0), h0, add, dw_hh.reborrow()); // (B11), t = 1
            let (dgh, h_prev) = (steps_as_matrix(dgh.view(), 1..steps), steps_as_matrix(states, 0..steps - 1));
            kernels.matmul(Form::TN, dgh, h_prev, true, dw_hh); // (B11), t > 1
        }
        if let Some(db_hh) = b.grad(3) {
            kernels.sum_to(T::one(), dgh.view(), db_hh); // (B12)
        }
        for buffer in [unused_dgx, dh_buffers, dgh] {
            b.release_scratch(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn gru_one_step_and_several_match_differences() {
        let wave = |phase: f64| move |i: usize| (phase + 1.7 * i as f64).sin();
        for steps in [1, 4] {
            let gx = Tensor::from_fn([steps, 2, 9], wave(0.1));
            let h0 = Tensor::from_fn([2, 3], wave(0.2));
            let (w_hh, b_hh) = (Tensor::from_fn([9, 3], wave(0.3)), Tensor::from_fn([9], wave(0.4)));
            check_against_differences(&[gx, h0, w_hh, b_hh], |x| x[0].gru(x[1], x[2], x[3]));
        }
    }

    #[test]
    fn embedding_gru_equals_embedding_then_gru() {
        let wave = |phase: f64| move |i: usize| (phase + 1.7 * i as f64).sin();
        let tokens = Tensor::from([[1, 0], [3, 3], [1, 3]]);
        let (table, h0) = (Tensor::from_fn([4, 9], wave(0.1)), Tensor::from_fn([2, 3], wave(0.2)));
        let inputs = [table, h0, Tensor::from_fn([9, 3], wave(0.3)), Tensor::from_fn([9], wave(0.4))];
        let tape = crate::Tape::new();
        let [fused, composed] = [true, false].map(|is_fused| {
            let [table, h0, w_hh, b_hh] = inputs.clone().map(|x| tape.input(x));
            let states = if is_fused {
                table.embedding_gru(&tokens, h0, w_hh, b_hh)
            } else {
                table.embedding(&tokens).gru(h0, w_hh, b_hh)
            };
            states.square().sum().backward().expect("no parameters");
            (states.value().to_vec(), [table, h0, w_hh, b_hh].map(|x| x.grad().expect("reached").to_vec()))
        });
        assert_eq!(fused.0, composed.0);
        for (fused, composed) in fused.1.iter().flatten().zip(composed.1.iter().flatten()) {
            assert!((fused - composed).abs() < 1e-14, "{fused} and {composed}"); // the sum of a row runs in reverse order
        }
        check_against_differences(&inputs, |x| x[0].embedding_gru(&tokens, x[1], x[2], x[3]));
    }

    #[test]
    #[should_panic(expected = "embedding: token 4 at [0, 1] is outside the vocabulary of 4")]
    fn embedding_gru_token_out_of_range_panics() {
        let tape = crate::Tape::<f64>::new();
        let zeros = |shape: &[usize]| tape.input(Tensor::zeros(shape));
        let [table, h0, w_hh, b_hh] = [&[4, 9][..], &[2, 3], &[9, 3], &[9]].map(zeros);
        let _ = table.embedding_gru(&Tensor::from([[0, 4]]), h0, w_hh, b_hh);
    }

    #[test]
    fn gru_without_steps_leaves_zero_weight_gradients() {
        let tape = crate::Tape::<f64>::new();
        let halves = |shape: &[usize]| tape.input(Tensor::full(shape, 0.5));
        let (w_hh, b_hh) = (halves(&[9, 3]), halves(&[9]));
        let states = halves(&[0, 2, 9]).gru(halves(&[2, 3]), w_hh, b_hh);
        states.sum().backward().expect("no parameters");
        assert_eq!(states.gru_state_grads().map(|dhs| dhs.shape()), Some([0, 2, 3].into()));
        assert_eq!([w_hh, b_hh].map(|x| x.grad().expect("reached").to_vec()), [vec![0.0; 27], vec![0.0; 9]]);
    }

    #[test]
    #[should_panic(
        expected = "gru: input part [4, 2, 8], state [2, 3], weight [9, 3], bias [9]: they must be [T, B, 3H], [B, H], \
                               [3H, H], [3H]"
    )]
    fn gru_wrong_shapes_panic_with_all_shapes() {
        let tape = crate::Tape::<f64>::new();
        let zeros = |shape: &[usize]| tape.input(Tensor::zeros(shape));
        let _ = zeros(&[4, 2, 8]).gru(zeros(&[2, 3]), zeros(&[9, 3]), zeros(&[9]));
    }
}
