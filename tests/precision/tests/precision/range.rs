//! Precision at the ends of the range of `f32`. Within the range the bound holds, also for subnormal numbers. Beyond it the
//! bound is infinite, and indeed the results are infinite, NaN or wrong.

use std::f32::consts::{FRAC_PI_2, PI};

use gradus_tests::RandomTensors;
use tensor::{AdamStep, Form, Kernels, Map, Real, Reduce, Tensor};

use crate::bounded::Bounded;
use crate::constant;
use crate::harness::{Case, Computations, implementations};

fn single<T: Real, const N: usize>(x: [f32; N]) -> Tensor<T> {
    Tensor::from(x).cast()
}

fn map<T: Real, const N: usize>(k: &dyn Kernels<T>, f: Map<T>, x: [f32; N]) -> Tensor<T> {
    let mut y = Tensor::zeros([N]);
    k.map(f, single(x).view(), y.view_mut());
    y
}

fn product<T: Real>(k: &dyn Kernels<T>, a: f32, b: f32) -> Tensor<T> {
    let (a, b, mut y) = (Tensor::full([1, 3], constant(a)), Tensor::full([3, 1], constant(b)), Tensor::zeros([1, 1]));
    k.matmul(Form::NN, a.view(), b.view(), false, y.view_mut());
    y
}

fn normalise<T: Real>(k: &dyn Kernels<T>, x: [f32; 4]) -> Tensor<T> {
    let (mut y, mut stats, w) = (Tensor::zeros([4]), Tensor::zeros([2]), single([1.0, 2.0, 3.0, 4.0]));
    k.layer_norm(single(x).view(), w.view(), w.view(), constant(1e-5), y.view_mut(), stats.view_mut());
    y
}

fn adam<T: Real>(k: &dyn Kernels<T>, g: f32) -> Tensor<T> {
    let (g, [mut m, mut v, mut p]) = (single([g]), [(); 3].map(|()| Tensor::zeros([1])));
    let with = AdamStep { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0, decoupled: false, step: 1 };
    k.adam(with, g.view(), m.view_mut(), v.view_mut(), p.view_mut());
    p
}

fn within<T: Real>(_: &mut RandomTensors, _: usize, k: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
    let logits = single::<T, _>([1e38, -1e38, 9.9e37]);
    let (mut p, mut log_p, mut mass) = (Tensor::zeros([3]), Tensor::zeros([3]), Tensor::zeros([]));
    k.softmax(logits.view(), p.view_mut());
    k.log_softmax(logits.view(), log_p.view_mut());
    k.logsumexp(logits.view(), mass.view_mut());
    vec![
        map(k, Map::Exp, [-100.0, -95.0, -88.0, -0.0, 1e-40, 88.7]),
        map(k, Map::Log, [1e-45, 1e-40, 1e-38, 3e38]),
        map(k, Map::Sqrt, [0.0, 1e-45, 1e-38, 3e38]),
        map(k, Map::Tanh, [1e-45, -1e-40, 1e-10, 9.0, 3e38]),
        map(k, Map::Sigmoid, [-3e38, -100.0, -90.0, 100.0, 3e38]),
        map(k, Map::Square, [1e-30, 1e-22, 1e-20, 1.8e19]),
        map(k, Map::Recip, [3e38, 1e38, 3e-39]),
        map(k, Map::Sin, [1e-45, -1e-10, PI, 1e5, 1e10, -3e38]),
        map(k, Map::Cos, [1e-45, -1e-10, FRAC_PI_2, 1e5, 1e10, -3e38]),
        map(k, Map::Powi(-2), [1e-19, -1.0, 1e18]),
        map(k, Map::Powi(3), [1e-15, -1.0, 6e12]),
        p,
        log_p,
        mass,
        product(k, 1e-25, 1e-20),
        product(k, 1e-22, 1e-20),
        product(k, 1e19, 1e19),
        Tensor::scalar(k.sum_of_squares(single([1e-23, 1e-22, 1e-30]).view())),
        normalise(k, [1.0; 4]),
        normalise(k, [-4e18, 4e18, 1e18, -2e18]),
        normalise(k, [1e-25, 2e-25, -3e-25, 0.0]),
        adam(k, 1e-25),
        adam(k, 1e-8),
        adam(k, 0.0),
    ]
}

#[test]
fn kernels_within_f32_range_stay_within_the_bound() {
    let body: Computations = Computations { f32: within, bounded: within, f64: within };
    let case = Case::new(&body, 0, 0);
    for implementation in &implementations() {
        case.compare(implementation.f32.name(), implementation);
    }
}

fn beyond<T: Real>(k: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
    let mut sum = Tensor::zeros([]);
    k.reduce(Reduce::Sum, single([3e38, 3e38]).view(), 0, sum.view_mut());
    vec![
        sum,
        map(k, Map::Exp, [89.0]),
        map(k, Map::Square, [1.9e19]),
        map(k, Map::Recip, [2e-39]),
        product(k, 2e19, 1e19),
        Tensor::scalar(k.sum_of_squares(single([1.5e19, 1.5e19]).view())),
        normalise(k, [-2e19, 2e19, 1e19, -3e19]),
        adam(k, 1e21),
    ]
}

/// The results are not finite, or have a relative error of more than 1e-3.
#[test]
fn kernels_beyond_f32_range_have_no_bound() {
    let want = beyond::<f64>(&tensor::Naive);
    for implementation in &implementations() {
        let bounds: Vec<Tensor<Bounded>> = beyond(implementation.formulas);
        let got = beyond(implementation.f32);
        for (k, want) in want.iter().enumerate() {
            for ((got, bound), want) in got[k].to_vec().iter().zip(bounds[k].to_vec()).zip(want.to_vec()) {
                let right = (f64::from(*got) - want).abs() <= 1e-3 * want.abs();
                assert!(bound.error().is_infinite() && !right, "case {k}: {got}, where {want} is right; {bound}");
            }
        }
    }
}
