//! What the methods share: running the tape twice, and holding its gradients against a reference.

use alloc::vec::Vec;

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Shape, Tensor};

use super::report::{Finding, Report};
use crate::tape::Tape;
use crate::var::Var;

/// A function of tensors on one scalar, behind a pointer: the checks are compiled once, not once for each function.
pub(super) type On<'a, T> = dyn for<'t> Fn(&'t Tape<T>, &[Var<'t, T>]) -> Var<'t, T> + 'a;

/// What a function and the tape behind it give for some inputs.
pub(super) struct Pass {
    pub(super) y: Tensor<f64>,
    /// The gradient that was sent in.
    pub(super) dy: Tensor<f64>,
    grads: Vec<Option<Tensor<f64>>>,
    unreached: Vec<alloc::string::String>,
}

impl Pass {
    fn run(f: &On<f64>, inputs: &[Tensor<f64>]) -> Self {
        let tape = Tape::new();
        let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
        let y = f(&tape, &x);
        let dy = cotangent(y.shape());
        let unreached = y.backward_from(&dy).err().map(|unreached| unreached.names).unwrap_or_default();
        Self { y: y.value(), dy, grads: x.iter().map(|x| x.grad()).collect(), unreached }
    }

    fn has_the_bits_of(&self, other: &Self) -> bool {
        let grads = self.grads.iter().zip(&other.grads).all(|pair| match pair {
            (Some(a), Some(b)) => same_bits(a, b),
            (a, b) => a.is_none() && b.is_none(),
        });
        grads && same_bits(&self.y, &other.y)
    }
}

fn same_bits(a: &Tensor<f64>, b: &Tensor<f64>) -> bool {
    let bits = |x: &Tensor<f64>| x.to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
    a.shape() == b.shape() && bits(a) == bits(b)
}

/// Numbers of either sign in ±\[0.5, 1.5), always the same: no two places alike, and none near zero.
fn cotangent(shape: Shape) -> Tensor<f64> {
    let mut rng = Philox::stream(0, Stream { purpose: Purpose(u32::MAX), update: 0, episode: 0 });
    Tensor::from_fn(shape, |_| if rng.below(2) == 0 { 0.5 + rng.uniform_f64() } else { -0.5 - rng.uniform_f64() })
}

/// What the gradient of an input should be, and the scale below which the method sees nothing.
pub(super) struct Reference {
    pub(super) gradient: Vec<f64>,
    pub(super) floor: f64,
}

/// Checks `f` at `inputs` against a reference for each input, by its number.
pub(super) fn check(
    mut report: Report,
    f: &On<f64>,
    inputs: &[Tensor<f64>],
    reference: &mut dyn FnMut(&Pass, usize) -> Reference,
) -> Report {
    if inputs.is_empty() {
        report.findings.push(Finding::NoInputs);
        return report;
    }
    let pass = Pass::run(f, inputs);
    if pass.y.size() == 0 {
        report.findings.push(Finding::NoOutput);
        return report;
    }
    if !pass.has_the_bits_of(&Pass::run(f, inputs)) {
        report.findings.push(Finding::NotDeterministic);
        return report;
    }
    if !pass.unreached.is_empty() {
        report.findings.push(Finding::Unreached(pass.unreached.clone()));
    }
    for (k, x) in inputs.iter().enumerate() {
        let Reference { gradient: want, floor } = reference(&pass, k);
        match &pass.grads[k] {
            Some(got) => report.compare(k, x.shape(), got, &want, floor),
            None if want.iter().all(|&w| w == 0.0) => report.findings.push(Finding::NoInfluence(k)),
            None => report.findings.push(Finding::Severed(k)),
        }
    }
    report
}

/// A new pass over `inputs` with `value` at entry `i` of input `k`.
pub(super) fn with_entry<'t, T: Real>(
    tape: &'t mut Tape<T>,
    inputs: &[Tensor<T>],
    (k, i): (usize, usize),
    value: T,
) -> (&'t Tape<T>, Vec<Var<'t, T>>) {
    tape.clear();
    let tape = &*tape;
    let mut entries = inputs[k].to_vec();
    entries[i] = value;
    let moved = Tensor::new(inputs[k].shape(), entries);
    let x = (0..inputs.len()).map(|j| tape.constant(if j == k { moved.clone() } else { inputs[j].clone() }));
    (tape, x.collect())
}
