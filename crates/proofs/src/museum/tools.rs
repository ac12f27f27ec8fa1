//! What the exhibits are made of: inputs, right gradients to be spoiled, and the usual test.

use autograd::gradcheck::{Input, Report, by_hand};
use autograd::{Tape, Var};
use tensor::{Shape, Tensor};

use crate::Draw;

/// Hidden units, other than every other extent.
pub(super) const H: usize = 3;
/// Rows of a batch.
pub(super) const B: usize = 2;

/// An input by name, with numbers that `seed` names.
pub(super) fn drawn(name: &str, seed: u32, shape: impl Into<Shape>) -> Input {
    Input::from(draw(seed, shape)).named(name)
}

pub(super) fn draw(seed: u32, shape: impl Into<Shape>) -> Tensor<f64> {
    Draw::new(seed).normal(shape)
}

/// gx\[T,B,3H\], h0\[B,H\], w\[3H,H\] and b\[3H\] of a GRU, with the names of their gates.
pub(super) fn gru_inputs(steps: usize) -> [Input; 4] {
    let gates = &["r", "z", "n"];
    [
        drawn("gx", 1, [steps, B, 3 * H]).gates(2, gates),
        drawn("h0", 2, [B, H]),
        drawn("w", 3, [3 * H, H]).gates(0, gates),
        drawn("b", 4, [3 * H]).gates(0, gates),
    ]
}

/// The states of the GRU of [`gru_inputs`], rightly.
pub(super) fn gru<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    x[0].gru(x[1], x[2], x[3])
}

/// The same, composed, with n = tanh(gx_n + `from_state`(r, h₋)).
pub(super) fn composed<'t>(
    x: &[Var<'t, f64>],
    mut from_state: impl FnMut(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>,
) -> Var<'t, f64> {
    let mut h = x[1];
    let step = |t| {
        let gx = x[0].select(0, t);
        let [r, z] = [0, 1].map(|k| (block(gx, 1, k) + state_part(x, h, k)).sigmoid());
        let n = (block(gx, 1, 2) + from_state(r, h)).tanh();
        h = (-z).shift(1.0) * n + z * h;
        h
    };
    Var::stack(&(0..x[0].shape()[0]).map(step).collect::<Vec<_>>())
}

/// U_k·h + b_k, for the `k`th of the gates r, z, n.
pub(super) fn state_part<'t>(x: &[Var<'t, f64>], h: Var<'t, f64>, k: usize) -> Var<'t, f64> {
    h.matmul_nt(block(x[2], 0, k)) + block(x[3], 0, k)
}

fn block(x: Var<'_, f64>, axis: usize, k: usize) -> Var<'_, f64> {
    x.slice(axis, k * H..(k + 1) * H)
}

/// A closure over the tape, as the checks take it.
pub(super) trait OnTape: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64> {}
impl<F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>> OnTape for F {}

pub(super) fn value(f: &impl OnTape, x: &[Tensor<f64>]) -> Tensor<f64> {
    let tape = Tape::evaluating();
    let x: Vec<_> = x.iter().map(|x| tape.constant(x.clone())).collect();
    f(&tape, &x).value()
}

pub(super) fn gradients(f: &impl OnTape, x: &[Tensor<f64>], dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let x: Vec<_> = x.iter().map(|x| tape.input(x.clone())).collect();
    f(&tape, &x).backward_from(dy).expect("there are inputs only");
    x.iter().map(|x| x.grad().expect("the value depends on every input")).collect()
}

/// Checks `f` with its gradients as `spoil` leaves them.
pub(super) fn spoiled(f: impl OnTape, spoil: impl Fn(&mut [Tensor<f64>]), inputs: &[Input]) -> Report {
    let spoiled = |x: &[Tensor<f64>], dy: &Tensor<f64>| {
        let mut gradients = gradients(&f, x, dy);
        spoil(&mut gradients);
        gradients
    };
    by_hand(|x| value(&f, x), spoiled, inputs)
}

/// What every tutorial does: the gradient of a plain sum against central differences, with the step and the tolerances
/// that PyTorch's `gradcheck` has by default.
pub(super) fn plain_sum_passes(f: impl OnTape, inputs: &[Tensor<f64>]) -> bool {
    let dy = Tensor::full(value(&f, inputs).shape(), 1.0);
    let slope = |k: usize, i: usize| {
        let at = |h: f64| {
            let mut entries = inputs[k].to_vec();
            entries[i] += h;
            let mut x = inputs.to_vec();
            x[k] = Tensor::new(x[k].shape(), entries);
            value(&f, &x).sum()
        };
        (at(1e-6) - at(-1e-6)) / 2e-6
    };
    gradients(&f, inputs, &dy).iter().enumerate().all(|(k, dx)| {
        dx.to_vec().iter().enumerate().all(|(i, dx)| (dx - slope(k, i)).abs() <= 1e-5 + 1e-3 * slope(k, i).abs())
    })
}

/// The values of inputs, without their names.
pub(super) fn values(inputs: &[Input]) -> Vec<Tensor<f64>> {
    inputs.iter().map(|input| input.value.clone()).collect()
}
