//! A GRU over 1, 2, 7 and 50 steps, fused and composed, with its gradients: `f32` against the composed form in `f64`.
//!
//! The bound is propagated through the tape: every state inherits the errors of those before it, and every gradient
//! those of the states and of the gradients behind it. With weights of about 0.3 at H = 5 a step neither shrinks errors
//! much nor lets them grow, so that after 50 steps the bound is still of use.

use autograd::{Tape, Var};
use gradus_tests::{Draw, composed};
use tensor::{Kernels, Real, Tensor};

use crate::precision::bounded::AnyOrder;
use crate::precision::judge::{Body, judge};
use crate::precision::{normal, single};

const STEPS: [usize; 4] = [1, 2, 7, 50];
const BATCH: usize = 3;
const HIDDEN: usize = 5;

/// The states hs\[T,B,H\] and the gradients of gx\[T,B,3H\], h0\[B,H\], w\[3H,H\] and b\[3H\].
fn states_and_gradients<T: Real>(
    d: &mut Draw,
    steps: usize,
    kernels: &'static dyn Kernels<T>,
    form: for<'t> fn([Var<'t, T>; 4]) -> Var<'t, T>,
) -> Vec<Tensor<T>> {
    let tape = Tape::with_kernels(kernels);
    let weights = &d.normal([3 * HIDDEN, HIDDEN]) * &Tensor::scalar(0.3);
    let inputs = [normal(d, [steps, BATCH, 3 * HIDDEN]), normal(d, [BATCH, HIDDEN]), single(&weights)];
    let [gx, h0, w] = inputs.map(|x| tape.input(x));
    let x = [gx, h0, w, tape.input(normal(d, [3 * HIDDEN]))];
    let hs = form(x);
    hs.backward_from(&normal(d, [steps, BATCH, HIDDEN])).expect("no parameters");
    let gradients = x.map(|x| x.grad().expect("reached"));
    [hs.value()].into_iter().chain(gradients).collect()
}

fn fused<T: Real>(d: &mut Draw, steps: usize, kernels: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
    states_and_gradients(d, steps, kernels, |[gx, h0, w, b]| gx.gru(h0, w, b))
}

fn composed<T: Real>(d: &mut Draw, steps: usize, kernels: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
    states_and_gradients(d, steps, kernels, |[gx, h0, w, b]| Var::stack(&composed::gru(gx, h0, w, b)))
}

#[test]
fn fused_stays_within_its_bound() {
    for steps in STEPS {
        judge("fused", &Body::<AnyOrder> { f32: fused, bounded: fused, f64: composed }, &[steps]);
    }
}

#[test]
fn composed_stays_within_its_bound() {
    for steps in STEPS {
        judge("composed", &Body::<AnyOrder> { f32: composed, bounded: composed, f64: composed }, &[steps]);
    }
}
