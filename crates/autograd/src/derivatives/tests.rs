//! Compares every derivative with a formula, and with another kind of derivative.

use alloc::vec::Vec;

use tensor::{Map, Tensor};

use super::*;
use crate::{Function, function};

/// Returns irregular numbers in ±1; each `seed` gives others.
fn irregular(seed: usize, shape: &[usize]) -> Tensor<f64> {
    Tensor::from_fn(shape, |i| ((i + 1) as f64 * 2.4 + (seed * seed) as f64 * 1.3).sin())
}

fn irregular_like(seed: usize, inputs: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
    inputs.iter().enumerate().map(|(k, x)| irregular(10 * seed + k, &x.shape())).collect()
}

fn dot(a: &[Tensor<f64>], b: &[Tensor<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a * b).sum()).sum()
}

#[track_caller]
fn assert_close(got: &Tensor<f64>, want: &Tensor<f64>, tolerance: f64) {
    assert_eq!(got.shape(), want.shape());
    let error = (got - want).to_vec().into_iter().map(f64::abs).fold(0.0, f64::max);
    assert!(error <= tolerance, "{error:e} between\n{got} and\n{want}");
}

/// Returns a loss over seven steps of a GRU, as a function of gx\[7,2,9\], h₀\[2,3\], W_hh\[9,3\] and b_hh\[9\], and these
/// inputs.
fn gru_loss() -> (impl Function, Vec<Tensor<f64>>) {
    let x = [irregular(1, &[7, 2, 9]), irregular(2, &[2, 3]), irregular(3, &[9, 3]), irregular(4, &[9])];
    (function!(|x| x[0].gru(x[1], x[2], x[3]).square().log_softmax().select(2, 0).sum()), x.to_vec())
}

/// y = tanh(A·x): J = diag(1 − y²)·A, and D²y[u,w] = −2y·(1 − y²)·(A·u)·(A·w).
#[test]
fn derivatives_of_a_layer_match_formulas() {
    let [a, x, u, w] =
        [(1, [3, 2]), (2, [2, 1]), (3, [2, 1]), (4, [2, 1])].map(|(seed, shape)| irregular(seed, &shape));
    let y = a.matmul(&x).map(Map::Tanh);
    let slope = y.map(Map::OneMinusSquare);
    let (au, aw) = (a.matmul(&u), a.matmul(&w));
    let second = &(&(&y.map(Map::Scale(-2.0)) * &slope) * &au) * &aw;
    let layer = function!([a: Tensor<f64>] |tape, x| tape.constant(a.cast()).matmul(x[0]).tanh());
    let [x, u, w] = [[x], [u], [w]];
    assert_close(&jacobian(&layer, &x), &(&slope * &layer.a), 1e-15);
    let (value, tangent) = jvp(&layer, &x, &u);
    assert_close(&value, &y, 0.0);
    assert_close(&tangent, &(&slope * &au), 1e-15);
    assert_close(&second_tangent(&layer, &x, &u, &w), &second, 1e-15);
    let dy = irregular(5, &[3, 1]);
    let (value, dx) = vjp(&layer, &x, &dy);
    assert_close(&value, &y, 0.0);
    assert_close(&dx[0], &layer.a.transpose().matmul(&(&slope * &dy)), 1e-15);
}

/// y = ln Σ eˣ: ∇y = p = softmax(x), and H = diag(p) − p·pᵀ.
#[test]
fn gradient_and_hessian_of_logsumexp_match_formulas() {
    let (f, x) = (function!(|x| x[0].logsumexp()), [irregular(1, &[4])]);
    let e = x[0].map(Map::Exp);
    let p = &e / e.sum();
    let (y, dy) = gradient(&f, &x);
    assert!((y - e.sum().ln()).abs() < 1e-15);
    assert_close(&dy[0], &p, 1e-15);
    let entry = |i: usize, j: usize| if i == j { p.get(&[i]) } else { 0.0 } - p.get(&[i]) * p.get(&[j]);
    assert_close(&hessian(&f, &x), &Tensor::from_fn([4, 4], |k| entry(k / 4, k % 4)), 1e-15);
}

/// f = Σ a·b²: the blocks of H are 0, diag(2b), diag(2b) and diag(2a), with the entries of the first input before those of the
/// second.
#[test]
fn jacobian_and_hessian_of_two_inputs_have_blocks() {
    let f = function!(|x| (x[0] * x[1].square()).sum());
    let x = [Tensor::from([3.0, 5.0]), Tensor::from([7.0, 11.0])];
    assert_close(&jacobian(&f, &x), &Tensor::from([[49.0, 121.0, 42.0, 110.0]]), 0.0);
    let rows = [[0.0, 0.0, 14.0, 0.0], [0.0, 0.0, 0.0, 22.0], [14.0, 0.0, 6.0, 0.0], [0.0, 22.0, 0.0, 10.0]];
    assert_close(&hessian(&f, &x), &Tensor::from(rows), 0.0);
}

/// ⟨dy, J·u⟩ = ⟨Jᵀ·dy, u⟩, through seven steps.
#[test]
fn jvp_and_vjp_of_a_gru_are_adjoint() {
    let (_, x) = gru_loss();
    let states = function!(|x| x[0].gru(x[1], x[2], x[3]));
    let (u, dy) = (irregular_like(5, &x), irregular(6, &[7, 2, 3]));
    let (ahead, back) = (jvp(&states, &x, &u), vjp(&states, &x, &dy));
    assert_close(&ahead.0, &back.0, 1e-15);
    let [ahead, back] = [(&ahead.1 * &dy).sum(), dot(&back.1, &u)];
    assert!((ahead - back).abs() < 1e-13 * ahead.abs(), "{ahead} and {back}");
}

/// ⟨w, H·u⟩ = ⟨u, H·w⟩ = D²f[u,w]. The last uses no backward rule.
#[test]
fn hvp_of_a_gru_is_symmetric_and_matches_second_tangent() {
    let (f, x) = gru_loss();
    let (u, w) = (irregular_like(5, &x), irregular_like(6, &x));
    let [wu, uw] = [dot(&w, &hvp(&f, &x, &u).1), dot(&u, &hvp(&f, &x, &w).1)];
    let forward = second_tangent(&f, &x, &u, &w).item();
    for other in [uw, forward] {
        assert!((wu - other).abs() < 1e-12 * wu.abs(), "{wu} and {other}");
    }
}

/// H·u ≈ (∇f(x + εu) − ∇f(x − εu)) / 2ε.
#[test]
fn hvp_of_a_gru_matches_differences_of_the_gradient() {
    let ((f, x), step) = (gru_loss(), 1e-5);
    let u = irregular_like(5, &x);
    let (dx, product) = hvp(&f, &x, &u);
    let gradient_at = |step: f64| {
        let x: Vec<_> = x.iter().zip(&u).map(|(x, u)| x + &u.map(Map::Scale(step))).collect();
        gradient(&f, &x).1
    };
    let (ahead, behind) = (gradient_at(step), gradient_at(-step));
    for k in 0..x.len() {
        assert_close(&dx[k], &gradient_at(0.0)[k], 1e-14);
        assert_close(&product[k], &(&ahead[k] - &behind[k]).map(Map::Scale(0.5 / step)), 1e-8);
    }
}

#[test]
fn hessian_times_u_equals_hvp() {
    let f = function!(|x| (x[0].matmul(x[1]).tanh().log_softmax() * x[2]).sum());
    let x = [irregular(1, &[2, 3]), irregular(2, &[3, 2]), irregular(3, &[2])];
    let (u, h) = (irregular_like(4, &x), hessian(&f, &x));
    assert_close(&h, &h.transpose(), 1e-15);
    let flat = |x: &[Tensor<f64>]| x.iter().flat_map(Tensor::to_vec).collect::<Vec<_>>();
    let product = h.matmul(&Tensor::new([14, 1], flat(&u))).reshape([14]);
    assert_close(&product, &Tensor::new([14], flat(&hvp(&f, &x, &u).1)), 1e-14);
}

/// relu has slope 0 at 0, and a detached value is a constant, for first and second derivatives in both modes.
#[test]
fn derivatives_at_kinks_and_of_detached_values_follow_the_conventions() {
    let (x, u) = ([Tensor::from([-1.0, 0.0, 2.0])], [Tensor::from([1.0, 1.0, 10.0])]);
    let relu = function!(|x| x[0].relu());
    assert_close(&jvp(&relu, &x, &u).1, &Tensor::from([0.0, 0.0, 10.0]), 0.0);
    assert_close(&vjp(&relu, &x, &u[0]).1[0], &Tensor::from([0.0, 0.0, 10.0]), 0.0);
    assert_close(&second_tangent(&relu, &x, &u, &u), &Tensor::zeros([3]), 0.0);
    let detached = function!(|x| (x[0].square() * x[0].detach()).sum()); // ∇ = 2x·c, H = diag(2c) at c = x
    let (dx, product) = hvp(&detached, &x, &u);
    assert_close(&dx[0], &Tensor::from([2.0, 0.0, 8.0]), 0.0);
    assert_close(&product[0], &Tensor::from([-2.0, 0.0, 40.0]), 0.0);
    assert_close(&jvp(&detached, &x, &u).1, &Tensor::scalar(82.0), 0.0);
    assert_close(&second_tangent(&detached, &x, &u, &u), &Tensor::scalar(398.0), 0.0);
}

#[test]
fn derivatives_of_an_input_without_influence_are_zero() {
    let f = function!(|tape, x| {
        tape.param("its own", Tensor::scalar(T::one()));
        x[0].square().sum()
    });
    let (x, u) = ([Tensor::from([3.0]), Tensor::from([[1.0, 2.0]])], [Tensor::from([1.0]), Tensor::from([[1.0, 1.0]])]);
    let none = Tensor::zeros([1, 2]);
    assert_eq!(gradient(&f, &x), (9.0, [Tensor::from([6.0]), none.clone()].to_vec()));
    assert_eq!(hvp(&f, &x, &u).1, [Tensor::from([2.0]), none]);
    assert_eq!(jvp(&f, &x, &u).1.item(), 6.0);
}

#[test]
fn derivatives_without_inputs_are_empty() {
    let f = function!(|tape, _| tape.constant(Tensor::scalar(T::one())));
    assert_eq!((jvp(&f, &[], &[]).1.item(), gradient(&f, &[])), (0.0, (1.0, Vec::new())));
    assert_eq!((jacobian(&f, &[]).size(), hessian(&f, &[]).size()), (0, 0));
}

#[test]
#[should_panic(expected = "jvp: 2 inputs and 1 directions")]
fn jvp_missing_direction_panics() {
    jvp(&function!(|x| x[0] * x[1]), &[Tensor::scalar(1.0), Tensor::scalar(2.0)], &[Tensor::scalar(1.0)]);
}

#[test]
#[should_panic(expected = "hvp: input 0 has shape [2, 3], its direction [3, 2]")]
fn hvp_direction_of_wrong_shape_panics() {
    hvp(&function!(|x| x[0].sum()), &[Tensor::zeros([2, 3])], &[Tensor::zeros([3, 2])]);
}

#[test]
#[should_panic(expected = "vjp: value [2] and cotangent [3] must have the same shape")]
fn vjp_cotangent_of_wrong_shape_panics() {
    vjp(&function!(|x| x[0]), &[Tensor::zeros([2])], &Tensor::zeros([3]));
}

#[test]
#[should_panic(expected = "hvp: the value must have one element, its shape is [2]")]
fn hessian_of_a_vector_panics() {
    hessian(&function!(|x| x[0].square()), &[Tensor::from([1.0, 2.0])]);
}
