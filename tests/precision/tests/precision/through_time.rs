//! Precision of a GRU over 1, 2, 7 and 50 steps with its gradients: `f32`, fused and composed, against the composed form in
//! `f64`.
//!
//! The tape propagates the bound. Every state inherits the errors of earlier states. Every gradient inherits the errors of the
//! states and of later gradients. With weights of about 0.3 at H = 5, a step neither shrinks nor grows errors much, so the
//! bound is still useful after 50 steps.

use autograd::{Tape, Var};
use gradus_tests::{RandomTensors, composed};
use tensor::{Kernels, Real, Tensor};

use crate::bounded::AnyOrder;
use crate::harness::{Computations, assert_precise};
use crate::{normal, single};

const STEPS: [usize; 4] = [1, 2, 7, 50];
const BATCH: usize = 3;
const HIDDEN_SIZE: usize = 5;

/// Computes the states hs\[T,B,H\] and the gradients of gx\[T,B,3H\], h0\[B,H\], W_hh\[3H,H\] and b_hh\[3H\].
fn states_and_gradients<T: Real>(
    d: &mut RandomTensors,
    steps: usize,
    kernels: &'static dyn Kernels<T>,
    form: for<'t> fn([Var<'t, T>; 4]) -> Var<'t, T>,
) -> Vec<Tensor<T>> {
    let tape = Tape::with_kernels(kernels);
    let weights = &d.normal([3 * HIDDEN_SIZE, HIDDEN_SIZE]) * &Tensor::scalar(0.3);
    let inputs = [normal(d, [steps, BATCH, 3 * HIDDEN_SIZE]), normal(d, [BATCH, HIDDEN_SIZE]), single(&weights)];
    let [gx, h0, w_hh] = inputs.map(|x| tape.input(x));
    let x = [gx, h0, w_hh, tape.input(normal(d, [3 * HIDDEN_SIZE]))];
    let hs = form(x);
    hs.backward_from(&normal(d, [steps, BATCH, HIDDEN_SIZE])).expect("no parameters");
    let gradients = x.map(|x| x.grad().expect("reached"));
    [hs.value()].into_iter().chain(gradients).collect()
}

fn fused<T: Real>(d: &mut RandomTensors, steps: usize, kernels: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
    states_and_gradients(d, steps, kernels, |[gx, h0, w_hh, b_hh]| gx.gru(h0, w_hh, b_hh))
}

fn composed<T: Real>(d: &mut RandomTensors, steps: usize, kernels: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
    states_and_gradients(d, steps, kernels, |[gx, h0, w_hh, b_hh]| Var::stack(&composed::gru(gx, h0, w_hh, b_hh)))
}

#[test]
fn gru_fused_through_time_stays_within_its_bound() {
    for steps in STEPS {
        assert_precise("fused", &Computations::<AnyOrder> { f32: fused, bounded: fused, f64: composed }, &[steps]);
    }
}

#[test]
fn gru_composed_through_time_stays_within_its_bound() {
    for steps in STEPS {
        assert_precise(
            "composed",
            &Computations::<AnyOrder> { f32: composed, bounded: composed, f64: composed },
            &[steps],
        );
    }
}
