//! The gated recurrent unit: one step, and a sequence of steps; fused, and composed from small operations.
//!
//! The fused form is [`Var::gru`]; its file derives the backward. The composed form below defines the same function in
//! operations with one-line rules. Tests check that the two agree to 1e-12.
//!
//! Symbols: B batch, T time, E input size, H hidden size, V vocabulary. The weights are W_ih\[3H,E\], b_ih\[3H\],
//! W_hh\[3H,H\] and b_hh\[3H\], with gate order r, z, n. h_prev and h are the states before and after a step.

use alloc::format;
use alloc::vec::Vec;

use autograd::{GruStepper, Var, assert_gru_shapes};
use tensor::{Real, Tensor};

use crate::init::{Builder, Init};
use crate::linear::affine;
use crate::params::{BoundParams, Param};

/// The position of the reset gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// After the product with the state: a_n = gx_n + r·gh_n, with gh = h_prev·W_hhᵀ + b_hh. This is the form of
    /// PyTorch and cuDNN.
    #[default]
    ResetAfter,
    /// Before the product with the state: a_n = gx_n + (r·h_prev)·W_hnᵀ + b_hn, where W_hn and b_hn are the blocks n of
    /// W_hh and b_hh. Source: K. Cho et al. (2014), equation 8.
    ResetBefore,
}

/// One step of a GRU: PyTorch's `nn.GRUCell`, with its names, shapes and initial values.
///
/// The blocks of rows of the weights are in the order r (reset gate), z (update gate), n (candidate):
///
/// ```text
/// gx = x·W_ihᵀ + b_ih          gh = h_prev·W_hhᵀ + b_hh
/// r = σ(gx_r + gh_r)
/// z = σ(gx_z + gh_z)
/// n = tanh(gx_n + r·gh_n)
/// h = (1 − z)·n + z·h_prev
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GruCell {
    /// W_ih\[3H,E\].
    pub weight_ih: Param,
    /// W_hh\[3H,H\].
    pub weight_hh: Param,
    /// b_ih\[3H\].
    pub bias_ih: Param,
    /// b_hh\[3H\].
    pub bias_hh: Param,
    /// The position of the reset gate.
    pub variant: Variant,
}

impl GruCell {
    /// Draws all values uniformly within ±1/√`hidden_size`.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, input_size: usize, hidden_size: usize) -> Self {
        Self::with_name_suffix(builder, input_size, hidden_size, "")
    }

    #[track_caller]
    fn with_name_suffix<T: Real>(
        builder: &mut Builder<'_, T>,
        input_size: usize,
        hidden_size: usize,
        suffix: &str,
    ) -> Self {
        let bound = Init::Uniform(1.0 / (hidden_size as f64).sqrt());
        let gates = hidden_size.saturating_mul(3); // on overflow: usize::MAX, which no shape accepts
        Self {
            weight_ih: builder.add(&format!("weight_ih{suffix}"), [gates, input_size], bound),
            weight_hh: builder.add(&format!("weight_hh{suffix}"), [gates, hidden_size], bound),
            bias_ih: builder.add(&format!("bias_ih{suffix}"), [gates], bound),
            bias_hh: builder.add(&format!("bias_hh{suffix}"), [gates], bound),
            variant: Variant::ResetAfter,
        }
    }

    /// Returns the cell with another position of the reset gate.
    pub fn with_variant(self, variant: Variant) -> Self {
        Self { variant, ..self }
    }

    /// Computes the input part of the gates, gx\[…,3H\] = x·W_ihᵀ + b_ih, for x\[…,E\].
    ///
    /// It does not depend on the state, so one product serves all steps. If x is an embedded token, one table of V rows
    /// serves all tokens.
    ///
    /// # Panics
    /// If the last extent of x is not E.
    #[track_caller]
    pub fn project_input<'t, T: Real>(&self, weights: BoundParams<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
        affine(x, weights.get(self.weight_ih), weights.get(self.bias_ih))
    }

    /// Computes the states after each step, hs\[T,B,H\], from gx\[T,B,3H\] and the initial state h\[B,H\]. Fused for
    /// [`Variant::ResetAfter`]; then [`Var::gru_state_grads`] returns the total gradient of each state.
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn unroll<'t, T: Real>(&self, weights: BoundParams<'t, T>, gx: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        match self.variant {
            Variant::ResetAfter => gx.gru(h, weights.get(self.weight_hh), weights.get(self.bias_hh)),
            Variant::ResetBefore => self.unroll_composed(weights, gx, h),
        }
    }

    /// Runs [`unroll`](Self::unroll) on the rows tokens\[T,B\] of a table gx\[V,3H\]. The fused form reads the rows in
    /// place, without a copy.
    ///
    /// # Panics
    /// If the shapes do not match, or a token is outside the vocabulary.
    #[track_caller]
    pub fn unroll_tokens<'t, T: Real>(
        &self,
        weights: BoundParams<'t, T>,
        table: Var<'t, T>,
        tokens: &Tensor<u32>,
        h: Var<'t, T>,
    ) -> Var<'t, T> {
        match self.variant {
            Variant::ResetAfter => {
                table.embedding_gru(tokens, h, weights.get(self.weight_hh), weights.get(self.bias_hh))
            }
            Variant::ResetBefore => self.unroll_composed(weights, table.embedding(tokens), h),
        }
    }

    /// Copies this cell's W_hh and b_hh into `stepper`, which then computes step by step. Later
    /// [`unroll_from_steps`](Self::unroll_from_steps) records these steps on the tape.
    ///
    /// Returns false, and copies nothing, if this variant has no fused form.
    pub fn load_weights_into<T: Real>(&self, weights: BoundParams<'_, T>, stepper: &mut GruStepper<T>) -> bool {
        let [w_hh, b_hh] = [self.weight_hh, self.bias_hh].map(|param| weights.get(param).value());
        let fused = self.variant == Variant::ResetAfter;
        if fused {
            stepper.load(weights.tape().kernels(), w_hh.view(), b_hh.view());
        }
        fused
    }

    /// Records the result of [`unroll_tokens`](Self::unroll_tokens) without computing it: `stepper` has already read
    /// the same tokens from the same state.
    ///
    /// # Panics
    /// If the shapes do not match, the stepper has read another number of steps, or this variant has no fused form.
    #[track_caller]
    pub fn unroll_from_steps<'t, T: Real>(
        &self,
        weights: BoundParams<'t, T>,
        table: Var<'t, T>,
        tokens: &Tensor<u32>,
        h: Var<'t, T>,
        stepper: &mut GruStepper<T>,
    ) -> Var<'t, T> {
        let fused = self.variant == Variant::ResetAfter;
        assert!(fused, "unroll_from_steps: {:?} has no fused form; use unroll_tokens", self.variant);
        table.embedding_gru_from_steps(tokens, h, weights.get(self.weight_hh), weights.get(self.bias_hh), stepper)
    }

    /// Runs [`unroll`](Self::unroll), composed from small operations.
    ///
    /// With T = 0 the result does not depend on the weights. Their gradients are then missing; in the fused form they
    /// are zero.
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn unroll_composed<'t, T: Real>(
        &self,
        weights: BoundParams<'t, T>,
        gx: Var<'t, T>,
        h: Var<'t, T>,
    ) -> Var<'t, T> {
        self.assert_shapes(3, weights, gx, h);
        let mut h = h;
        let hs: Vec<_> = (0..gx.shape()[0])
            .map(|t| {
                h = self.step_composed(weights, gx.select(0, t), h);
                h
            })
            .collect();
        if hs.is_empty() { Var::stack(&[h]).slice(0, 0..0) } else { Var::stack(&hs) }
    }

    /// Computes the state after one step, h\[B,H\], from x\[B,E\] and h_prev\[B,H\].
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: BoundParams<'t, T>, x: Var<'t, T>, h_prev: Var<'t, T>) -> Var<'t, T> {
        let gx = self.project_input(weights, x);
        self.assert_shapes(2, weights, gx, h_prev);
        let (batch, gates) = (gx.shape()[0], gx.shape()[1]);
        self.unroll(weights, gx.reshape([1, batch, gates]), h_prev).reshape(h_prev.shape())
    }

    /// Computes one step from gx\[B,3H\] and h_prev\[B,H\], equation by equation.
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn step_composed<'t, T: Real>(
        &self,
        weights: BoundParams<'t, T>,
        gx: Var<'t, T>,
        h_prev: Var<'t, T>,
    ) -> Var<'t, T> {
        let GruGates { r, z } = self.gates(weights, gx, h_prev);
        let gx_n = block(gx, 1, 2);
        let a_n = match self.variant {
            Variant::ResetAfter => gx_n + r * self.project_hidden(weights, h_prev, 2),
            Variant::ResetBefore => gx_n + self.project_hidden(weights, r * h_prev, 2),
        };
        let n = a_n.tanh();
        z.scale(-T::one()).shift(T::one()) * n + z * h_prev
    }

    /// Computes the gates of one step from gx\[B,3H\] and h_prev\[B,H\]. They do not depend on the variant. The fused
    /// form does not return them.
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn gates<'t, T: Real>(
        &self,
        weights: BoundParams<'t, T>,
        gx: Var<'t, T>,
        h_prev: Var<'t, T>,
    ) -> GruGates<'t, T> {
        self.assert_shapes(2, weights, gx, h_prev);
        let gate = |k| (block(gx, 1, k) + self.project_hidden(weights, h_prev, k)).sigmoid();
        GruGates { r: gate(0), z: gate(1) }
    }

    /// Checks the shapes as the fused form does. `axes` is the rank of gx.
    #[track_caller]
    fn assert_shapes<T: Real>(&self, axes: usize, weights: BoundParams<'_, T>, gx: Var<'_, T>, h: Var<'_, T>) {
        let [w_hh, b_hh] = [self.weight_hh, self.bias_hh].map(|param| weights.get(param).shape());
        assert_gru_shapes(axes, gx.shape(), h.shape(), w_hh, b_hh);
    }

    /// Computes block `k` of the hidden part of the gates, gh_k = h·W_hkᵀ + b_hk: \[B,H\].
    fn project_hidden<'t, T: Real>(&self, weights: BoundParams<'t, T>, h: Var<'t, T>, k: usize) -> Var<'t, T> {
        affine(h, block(weights.get(self.weight_hh), 0, k), block(weights.get(self.bias_hh), 0, k))
    }
}

/// The gates of one step of a GRU, each \[B,H\] with values between 0 and 1.
#[derive(Clone, Copy)]
pub struct GruGates<'t, T: Real> {
    /// The reset gate. Near 0 the candidate depends on the input alone; near 1 it depends on the state as well.
    pub r: Var<'t, T>,
    /// The update gate, as PyTorch defines it. Near 1 the state stays; near 0 the candidate replaces it.
    pub z: Var<'t, T>,
}

/// Returns block `k` of the three blocks r, z, n of x along `axis`.
fn block<'t, T: Real>(x: Var<'t, T>, axis: usize, k: usize) -> Var<'t, T> {
    let hidden_size = x.shape()[axis] / 3;
    x.slice(axis, k * hidden_size..(k + 1) * hidden_size)
}

/// A GRU over a sequence: PyTorch's one-layer `nn.GRU`, with its names (`weight_ih_l0`, …) and initial values.
#[derive(Clone, Copy, Debug)]
pub struct Gru {
    /// The cell that computes each step.
    pub cell: GruCell,
}

impl Gru {
    /// Draws all values uniformly within ±1/√`hidden_size`.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, input_size: usize, hidden_size: usize) -> Self {
        Self { cell: GruCell::with_name_suffix(builder, input_size, hidden_size, "_l0") }
    }

    /// The initial state of `batch` sequences, h\[B,H\] = 0, which is PyTorch's default.
    pub fn zero_state<'t, T: Real>(&self, weights: BoundParams<'t, T>, batch: usize) -> Var<'t, T> {
        let hidden_size = weights.get(self.cell.weight_hh).shape()[1];
        weights.tape().constant(Tensor::zeros([batch, hidden_size]))
    }

    /// Computes the states after each step, hs\[T,B,H\], from x\[T,B,E\] and the initial state h\[B,H\].
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: BoundParams<'t, T>, x: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        self.cell.unroll(weights, self.cell.project_input(weights, x), h)
    }
}

#[cfg(test)]
mod tests {
    use autograd::Tape;

    use super::*;
    use crate::params::Params;

    #[test]
    fn gru_without_steps_has_no_states() {
        let mut params = Params::<f64>::new();
        let gru = Gru::new(&mut Builder::new(&mut params, 1), 2, 5);
        let tape = Tape::new();
        let (weights, x) = (params.bind(&tape), tape.input(Tensor::zeros([0, 3, 2])));
        let h = gru.zero_state(weights, 3);
        for variant in [Variant::ResetAfter, Variant::ResetBefore] {
            let gru = Gru { cell: gru.cell.with_variant(variant) };
            assert_eq!(gru.forward(weights, x, h).shape()[..], [0, 3, 5]);
        }
    }

    /// The documentation of the fused form gives this count.
    #[test]
    fn gru_composed_records_30_nodes_per_step() {
        let mut params = Params::<f64>::new();
        let cell = GruCell::new(&mut Builder::new(&mut params, 1), 2, 5);
        for steps in [1, 2, 7] {
            let tape = Tape::new();
            let weights = params.bind(&tape);
            let (gx, h) = (tape.input(Tensor::zeros([steps, 3, 15])), tape.input(Tensor::zeros([3, 5])));
            let before = tape.len();
            cell.unroll_composed(weights, gx, h);
            assert_eq!(tape.len() - before, 30 * steps + 1);
        }
    }
}
