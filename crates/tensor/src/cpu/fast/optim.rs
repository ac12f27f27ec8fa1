//! The optimiser steps, by `Zip` of `ndarray`.

use ndarray::Zip;

use crate::kernels::AdamStep;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn adam<T: Real>(config: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>) {
    let update = adam_update(config);
    Zip::from(p.into_ndarray())
        .and(m.into_ndarray())
        .and(v.into_ndarray())
        .and(g.as_ndarray())
        .for_each(|p, m, v, &g| update(p, m, v, g));
}

/// Returns the update of one parameter: a function of the parameter, its moments m and v, and its gradient.
#[inline(always)]
pub(in crate::cpu) fn adam_update<T: Real>(config: AdamStep) -> impl Fn(&mut T, &mut T, &mut T, T) {
    let AdamStep { rate, beta1, beta2, epsilon, decay, decoupled, step } = config;
    let step_size = T::from_f64(rate / (1.0 - power(beta1, step)));
    let root_correction = T::from_f64(num_traits::Float::sqrt(1.0 - power(beta2, step)));
    let (shrink, l2) = if decoupled { (rate * decay, 0.0) } else { (0.0, decay) };
    let (shrink, l2, epsilon) = (T::from_f64(1.0 - shrink), T::from_f64(l2), T::from_f64(epsilon));
    let (b1, b2, c1, c2) = (T::from_f64(beta1), T::from_f64(beta2), T::from_f64(1.0 - beta1), T::from_f64(1.0 - beta2));
    #[inline(always)]
    move |p, m, v, g| {
        *p *= shrink;
        let g = if l2 == T::zero() { g } else { g + l2 * *p }; // 0·∞ is NaN
        *m = b1 * *m + c1 * g;
        *v = b2 * *v + c2 * (g * g);
        *p -= step_size * *m / (v.sqrt() / root_correction + epsilon);
    }
}

/// Computes βᵗ by repeated squaring.
fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut out = 1.0;
    while exponent > 0 {
        if exponent % 2 == 1 {
            out *= base;
        }
        base *= base;
        exponent /= 2;
    }
    out
}

pub(in crate::cpu) fn momentum<T: Real>(rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>) {
    Zip::from(p.into_ndarray()).and(m.into_ndarray()).and(g.as_ndarray()).for_each(|p, m, &g| {
        *m = mu * *m + g;
        *p -= rate * *m;
    });
}

pub(in crate::cpu) fn rmsprop<T: Real>(rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>) {
    let update = rmsprop_update(rate, alpha, epsilon);
    Zip::from(p.into_ndarray()).and(v.into_ndarray()).and(g.as_ndarray()).for_each(|p, v, &g| update(p, v, g));
}

/// Returns the update of one parameter: a function of the parameter, its moment v, and its gradient.
#[inline(always)]
pub(in crate::cpu) fn rmsprop_update<T: Real>(rate: T, alpha: T, epsilon: T) -> impl Fn(&mut T, &mut T, T) {
    #[inline(always)]
    move |p, v, g| {
        *v = alpha * *v + (T::one() - alpha) * (g * g);
        *p -= rate * g / (v.sqrt() + epsilon);
    }
}
