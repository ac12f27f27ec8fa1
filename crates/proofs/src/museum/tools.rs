//! Tools for the exhibits: inputs, correct gradients that a check can alter, and a common weak test.

use autograd::gradcheck::{Input, Report, by_hand};
use autograd::{Tape, Var};
use tensor::{Shape, Tensor};

use crate::RandomTensors;

/// The hidden size H. It differs from every other extent.
pub(super) const H: usize = 3;
/// The batch size B.
pub(super) const B: usize = 2;

/// Creates a named input with random numbers of the seed `seed`.
pub(super) fn named_input(name: &str, seed: u32, shape: impl Into<Shape>) -> Input {
    Input::from(random_tensor(seed, shape)).named(name)
}

pub(super) fn random_tensor(seed: u32, shape: impl Into<Shape>) -> Tensor<f64> {
    RandomTensors::new(seed).normal(shape)
}

/// Creates gx\[T,B,3H\], h0\[B,H\], W_hh\[3H,H\] and b_hh\[3H\] of a GRU, with the names of their gates.
pub(super) fn gru_inputs(steps: usize) -> [Input; 4] {
    let gates = &["r", "z", "n"];
    [
        named_input("gx", 1, [steps, B, 3 * H]).gates(2, gates),
        named_input("h0", 2, [B, H]),
        named_input("w_hh", 3, [3 * H, H]).gates(0, gates),
        named_input("b_hh", 4, [3 * H]).gates(0, gates),
    ]
}

/// Computes the states of the GRU of [`gru_inputs`] correctly.
pub(super) fn gru<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    x[0].gru(x[1], x[2], x[3])
}

/// Computes the states from small operations, with n = tanh(gx_n + `hidden_term`(r, h_prev)).
pub(super) fn unroll_composed<'t>(
    x: &[Var<'t, f64>],
    mut hidden_term: impl FnMut(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>,
) -> Var<'t, f64> {
    let mut h_prev = x[1];
    let step = |t| {
        let gx = x[0].select(0, t);
        let [r, z] = [0, 1].map(|k| (block(gx, 1, k) + project_hidden(x, h_prev, k)).sigmoid());
        let n = (block(gx, 1, 2) + hidden_term(r, h_prev)).tanh();
        h_prev = (-z).shift(1.0) * n + z * h_prev;
        h_prev
    };
    Var::stack(&(0..x[0].shape()[0]).map(step).collect::<Vec<_>>())
}

/// Computes gh_k = h·W_hkᵀ + b_hk for gate `k` of r, z, n.
pub(super) fn project_hidden<'t>(x: &[Var<'t, f64>], h: Var<'t, f64>, k: usize) -> Var<'t, f64> {
    h.matmul_nt(block(x[2], 0, k)) + block(x[3], 0, k)
}

fn block(x: Var<'_, f64>, axis: usize, k: usize) -> Var<'_, f64> {
    x.slice(axis, k * H..(k + 1) * H)
}

/// A function of a tape and variables, as the checks take it.
pub(super) trait TapeFunction: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64> {}
impl<F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>> TapeFunction for F {}

pub(super) fn evaluate(f: &impl TapeFunction, x: &[Tensor<f64>]) -> Tensor<f64> {
    let tape = Tape::no_grad();
    let x: Vec<_> = x.iter().map(|x| tape.constant(x.clone())).collect();
    f(&tape, &x).value()
}

pub(super) fn compute_gradients(f: &impl TapeFunction, x: &[Tensor<f64>], dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let x: Vec<_> = x.iter().map(|x| tape.input(x.clone())).collect();
    f(&tape, &x).backward_from(dy).expect("there are inputs only");
    x.iter().map(|x| x.grad().expect("the value depends on every input")).collect()
}

/// Checks `f` with gradients that `alter` has changed.
pub(super) fn check_with_altered_gradients(
    f: impl TapeFunction,
    alter: impl Fn(&mut [Tensor<f64>]),
    inputs: &[Input],
) -> Report {
    let altered = |x: &[Tensor<f64>], dy: &Tensor<f64>| {
        let mut gradients = compute_gradients(&f, x, dy);
        alter(&mut gradients);
        gradients
    };
    by_hand(|x| evaluate(&f, x), altered, inputs)
}

/// Runs the gradient check that tutorials use: the gradient of a plain sum against central differences, with the default
/// step and tolerances of PyTorch's `gradcheck`. Returns true if it passes.
pub(super) fn plain_sum_passes(f: impl TapeFunction, inputs: &[Tensor<f64>]) -> bool {
    let dy = Tensor::full(evaluate(&f, inputs).shape(), 1.0);
    let slope = |k: usize, i: usize| {
        let sum_at = |h: f64| {
            let mut entries = inputs[k].to_vec();
            entries[i] += h;
            let mut x = inputs.to_vec();
            x[k] = Tensor::new(x[k].shape(), entries);
            evaluate(&f, &x).sum()
        };
        (sum_at(1e-6) - sum_at(-1e-6)) / 2e-6
    };
    compute_gradients(&f, inputs, &dy).iter().enumerate().all(|(k, dx)| {
        dx.to_vec().iter().enumerate().all(|(i, dx)| (dx - slope(k, i)).abs() <= 1e-5 + 1e-3 * slope(k, i).abs())
    })
}

/// Returns the values of inputs, without their names.
pub(super) fn values(inputs: &[Input]) -> Vec<Tensor<f64>> {
    inputs.iter().map(|input| input.value.clone()).collect()
}
