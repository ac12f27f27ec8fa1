//! Precision of one step of each optimiser. The constants are `f64`, rounded to `f32`; the bound contains these rounding
//! errors.

use gradus_tests::RandomTensors;
use tensor::{AdamStep, Kernels, Real, Tensor};

use crate::{constant, normal, positive, wide};

precise!(Sums: adam momentum rmsprop);

fn adam<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let mut out = Vec::new();
    for (step, decay, decoupled) in
        [(1, 0.0, false), (2, 0.05, false), (3, 0.05, true), (100, 0.0, true), (100_000, 0.05, true)]
    {
        let config = AdamStep { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay, decoupled, step };
        let (g, mut m, mut v, mut p) = (wide::<T>(d, [n]), normal(d, [n]), positive(d, [n]), normal(d, [n]));
        k.adam(config, g.view(), m.view_mut(), v.view_mut(), p.view_mut());
        out.extend([m, v, p]);
    }
    out
}

fn momentum<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (g, mut m, mut p) = (wide::<T>(d, [n]), normal(d, [n]), normal(d, [n]));
    k.momentum(constant(0.1), constant(0.9), g.view(), m.view_mut(), p.view_mut());
    vec![m, p]
}

fn rmsprop<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (g, mut v, mut p) = (wide::<T>(d, [n]), positive(d, [n]), normal(d, [n]));
    k.rmsprop(constant(0.1), constant(0.99), constant(1e-8), g.view(), v.view_mut(), p.view_mut());
    vec![v, p]
}
