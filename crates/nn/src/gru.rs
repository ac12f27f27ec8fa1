//! The gated recurrent unit: one step, and over time; fused, and composed from small operations.
//!
//! The fused form is [`Var::gru`], where its backward is derived. The composed form below is the definition in
//! operations whose rules are one line each; tests hold the two to 1e-12 of each other.

use alloc::vec::Vec;

use autograd::{Scan, Var, assert_gru_shapes};
use tensor::{Real, Tensor};

use crate::init::{Builder, Init};
use crate::linear::affine;
use crate::params::{Param, Weights};

/// Where the reset gate acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// After the product with the hidden state, n = tanh(W_n·x + b_in + r·(U_n·h + b_hn)): PyTorch's and cuDNN's.
    #[default]
    ResetAfter,
    /// Before it, n = tanh(W_n·x + b_in + U_n·(r·h) + b_hn): K. Cho et al. (2014), equation 8.
    ResetBefore,
}

/// One step of a GRU: PyTorch's `nn.GRUCell`, with its names, shapes and initial values.
///
/// With gates r, z and candidate n, in this order in the rows of the weights:
///
/// ```text
/// r = σ(W_r·x + b_ir + U_r·h + b_hr)
/// z = σ(W_z·x + b_iz + U_z·h + b_hz)
/// n = tanh(W_n·x + b_in + r·(U_n·h + b_hn))
/// h' = (1 − z)·n + z·h
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GruCell {
    /// W\[3H,I\].
    pub weight_ih: Param,
    /// U\[3H,H\].
    pub weight_hh: Param,
    /// b_i\[3H\].
    pub bias_ih: Param,
    /// b_h\[3H\].
    pub bias_hh: Param,
    /// Where the reset gate acts.
    pub variant: Variant,
}

impl GruCell {
    /// All values uniform within ±1/√`hidden`.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, inputs: usize, hidden: usize) -> Self {
        Self::named(builder, inputs, hidden, "")
    }

    fn named<T: Real>(builder: &mut Builder<'_, T>, inputs: usize, hidden: usize, suffix: &str) -> Self {
        let bound = Init::Uniform(1.0 / (hidden as f64).sqrt());
        let gates = hidden.saturating_mul(3); // an extent that no shape holds, if it overflows
        let mut add = |name: &str, shape: &[usize]| builder.add(&alloc::format!("{name}{suffix}"), shape, bound);
        Self {
            weight_ih: add("weight_ih", &[gates, inputs]),
            weight_hh: add("weight_hh", &[gates, hidden]),
            bias_ih: add("bias_ih", &[gates]),
            bias_hh: add("bias_hh", &[gates]),
            variant: Variant::ResetAfter,
        }
    }

    /// The same cell with the reset gate elsewhere.
    pub fn with_variant(self, variant: Variant) -> Self {
        Self { variant, ..self }
    }

    /// The input's part of the gates, W·x + b_i, for x\[…,I\]: \[…,3H\]. It does not depend on the state, so one product
    /// serves all steps; and where x is one of V embedded tokens, one table of V rows does.
    ///
    /// # Panics
    /// If the rows of x are not I long.
    #[track_caller]
    pub fn input_part<'t, T: Real>(&self, weights: Weights<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
        affine(x, weights.get(self.weight_ih), weights.get(self.bias_ih))
    }

    /// The states after each step, hs\[T,B,H\], from the input parts gx\[T,B,3H\] and h\[B,H\]. Fused for
    /// [`Variant::ResetAfter`].
    ///
    /// # Panics
    /// If the shapes do not fit together.
    #[track_caller]
    pub fn scan<'t, T: Real>(&self, weights: Weights<'t, T>, gx: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        match self.variant {
            Variant::ResetAfter => gx.gru(h, weights.get(self.weight_hh), weights.get(self.bias_hh)),
            Variant::ResetBefore => self.scan_composed(weights, gx, h),
        }
    }

    /// [`scan`](Self::scan) of the rows tokens\[T,B\] of a table\[V,3H\] of input parts; where it is fused, these rows are
    /// never copied.
    ///
    /// # Panics
    /// If the shapes do not fit together, or a token is not a row.
    #[track_caller]
    pub fn scan_of<'t, T: Real>(
        &self,
        weights: Weights<'t, T>,
        table: Var<'t, T>,
        tokens: &Tensor<u32>,
        h: Var<'t, T>,
    ) -> Var<'t, T> {
        match self.variant {
            Variant::ResetAfter => table.gru_of(tokens, h, weights.get(self.weight_hh), weights.get(self.bias_hh)),
            Variant::ResetBefore => self.scan_composed(weights, table.embedding(tokens), h),
        }
    }

    /// Loads this cell's numbers into `scan`, which then reads step by step what [`scan_known`](Self::scan_known) records
    /// later. `false` where this variant has no fused form, and so nothing to load.
    pub fn load<T: Real>(&self, weights: Weights<'_, T>, scan: &mut Scan<T>) -> bool {
        let [w, b] = [self.weight_hh, self.bias_hh].map(|param| weights.get(param).value());
        let fused = self.variant == Variant::ResetAfter;
        if fused {
            scan.load(weights.tape().kernels(), w.view(), b.view());
        }
        fused
    }

    /// [`scan_of`](Self::scan_of), where `known` has read these tokens from this state already.
    ///
    /// # Panics
    /// If the shapes do not fit together, `known` has read another number of steps, or this variant has no fused form.
    #[track_caller]
    pub fn scan_known<'t, T: Real>(
        &self,
        weights: Weights<'t, T>,
        table: Var<'t, T>,
        tokens: &Tensor<u32>,
        h: Var<'t, T>,
        known: &mut Scan<T>,
    ) -> Var<'t, T> {
        let fused = self.variant == Variant::ResetAfter;
        assert!(fused, "scan_known: {:?} has no fused form; read it by scan_of", self.variant);
        table.gru_scanned(tokens, h, weights.get(self.weight_hh), weights.get(self.bias_hh), known)
    }

    /// [`scan`](Self::scan), composed from small operations. Without a step nothing depends on the weights here, and
    /// their gradients are missing, where the fused form's are zero.
    ///
    /// # Panics
    /// If the shapes do not fit together.
    #[track_caller]
    pub fn scan_composed<'t, T: Real>(&self, weights: Weights<'t, T>, gx: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
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

    /// The state after one step, h'\[B,H\], from x\[B,I\] and h\[B,H\].
    ///
    /// # Panics
    /// If the shapes do not fit together.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: Weights<'t, T>, x: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        let gx = self.input_part(weights, x);
        self.assert_shapes(2, weights, gx, h);
        let (batch, gates) = (gx.shape()[0], gx.shape()[1]);
        self.scan(weights, gx.reshape([1, batch, gates]), h).reshape(h.shape())
    }

    /// One step from the input part gx\[B,3H\], equation by equation.
    ///
    /// # Panics
    /// If the shapes do not fit together.
    #[track_caller]
    pub fn step_composed<'t, T: Real>(&self, weights: Weights<'t, T>, gx: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        let Gates { r, z } = self.gates(weights, gx, h);
        let candidate = |h| self.state_part(weights, h, 2);
        let n = match self.variant {
            Variant::ResetAfter => (block(gx, 1, 2) + r * candidate(h)).tanh(),
            Variant::ResetBefore => (block(gx, 1, 2) + candidate(r * h)).tanh(),
        };
        z.scale(-T::one()).shift(T::one()) * n + z * h
    }

    /// The gates of one step from the input part gx\[B,3H\] and the state before it, h\[B,H\]. The fused form keeps them
    /// inside; they do not depend on the variant.
    ///
    /// # Panics
    /// If the shapes do not fit together.
    #[track_caller]
    pub fn gates<'t, T: Real>(&self, weights: Weights<'t, T>, gx: Var<'t, T>, h: Var<'t, T>) -> Gates<'t, T> {
        self.assert_shapes(2, weights, gx, h);
        let gate = |k| (block(gx, 1, k) + self.state_part(weights, h, k)).sigmoid();
        Gates { r: gate(0), z: gate(1) }
    }

    /// The check of the fused form, for a gx of `axes` axes.
    #[track_caller]
    fn assert_shapes<T: Real>(&self, axes: usize, weights: Weights<'_, T>, gx: Var<'_, T>, h: Var<'_, T>) {
        let [w, b] = [self.weight_hh, self.bias_hh].map(|param| weights.get(param).shape());
        assert_gru_shapes(axes, gx.shape(), h.shape(), w, b);
    }

    /// Block `k` of the state's part of the gates, U_k·h + b_hk: \[B,H\].
    fn state_part<'t, T: Real>(&self, weights: Weights<'t, T>, h: Var<'t, T>, k: usize) -> Var<'t, T> {
        affine(h, block(weights.get(self.weight_hh), 0, k), block(weights.get(self.bias_hh), 0, k))
    }
}

/// What a step of a GRU lets through, each \[B,H\] and between 0 and 1.
#[derive(Clone, Copy)]
pub struct Gates<'t, T: Real> {
    /// The reset gate: near 0 the candidate is made from the input alone, near 1 from the state as well.
    pub r: Var<'t, T>,
    /// The update gate, as PyTorch has it: near 1 the state stays, near 0 the candidate takes its place.
    pub z: Var<'t, T>,
}

/// The `k`th of the three blocks r, z, n of x along `axis`.
fn block<'t, T: Real>(x: Var<'t, T>, axis: usize, k: usize) -> Var<'t, T> {
    let hidden = x.shape()[axis] / 3;
    x.slice(axis, k * hidden..(k + 1) * hidden)
}

/// A GRU over time: PyTorch's one-layer `nn.GRU`, with its names (`weight_ih_l0`, …) and initial values.
#[derive(Clone, Copy, Debug)]
pub struct Gru {
    /// What happens at each step.
    pub cell: GruCell,
}

impl Gru {
    /// All values uniform within ±1/√`hidden`.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, inputs: usize, hidden: usize) -> Self {
        Self { cell: GruCell::named(builder, inputs, hidden, "_l0") }
    }

    /// The states after each step, hs\[T,B,H\], from x\[T,B,I\] and h\[B,H\].
    ///
    /// # Panics
    /// If the shapes do not fit together.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: Weights<'t, T>, x: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        self.cell.scan(weights, self.cell.input_part(weights, x), h)
    }
}

#[cfg(test)]
mod tests {
    use autograd::Tape;

    use super::*;
    use crate::params::Params;

    #[test]
    fn no_steps_make_no_states() {
        let mut params = Params::<f64>::new();
        let gru = Gru::new(&mut Builder::new(&mut params, 1), 2, 5);
        let tape = Tape::new();
        let (weights, x, h) = (params.bind(&tape), Tensor::zeros([0, 3, 2]), Tensor::zeros([3, 5]));
        let (x, h) = (tape.input(x), tape.input(h));
        for variant in [Variant::ResetAfter, Variant::ResetBefore] {
            let gru = Gru { cell: gru.cell.with_variant(variant) };
            assert_eq!(gru.forward(weights, x, h).shape()[..], [0, 3, 5]);
        }
    }

    /// The count that the documentation of the fused form gives.
    #[test]
    fn nodes_of_the_composed_form() {
        let mut params = Params::<f64>::new();
        let cell = GruCell::new(&mut Builder::new(&mut params, 1), 2, 5);
        for steps in [1, 2, 7] {
            let tape = Tape::new();
            let weights = params.bind(&tape);
            let (gx, h) = (tape.input(Tensor::zeros([steps, 3, 15])), tape.input(Tensor::zeros([3, 5])));
            let before = tape.len();
            cell.scan_composed(weights, gx, h);
            assert_eq!(tape.len() - before, 33 * steps + 1);
        }
    }
}
