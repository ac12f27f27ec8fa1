//! The optimiser steps, one parameter at a time.

use num_traits::Float;

use crate::kernels::AdamStep;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn adam<T: Real>(config: AdamStep, g: View<T>, mut m: ViewMut<T>, mut v: ViewMut<T>, mut p: ViewMut<T>) {
    let AdamStep { rate, beta1, beta2, epsilon, decay, decoupled, step } = config;
    let correction1 = 1.0 - Float::powf(beta1, step as f64);
    let correction2 = 1.0 - Float::powf(beta2, step as f64);
    for i in p.shape().indices() {
        let mut g = g.get(&i);
        if decoupled {
            p.set(&i, T::from_f64(1.0 - rate * decay) * p.get(&i));
        } else if decay != 0.0 {
            g += T::from_f64(decay) * p.get(&i); // a decay of 0 times an infinite p is NaN
        }
        m.set(&i, T::from_f64(beta1) * m.get(&i) + T::from_f64(1.0 - beta1) * g);
        v.set(&i, T::from_f64(beta2) * v.get(&i) + T::from_f64(1.0 - beta2) * (g * g));
        let root = (v.get(&i) / T::from_f64(correction2)).sqrt();
        p.add_at(&i, -T::from_f64(rate / correction1) * m.get(&i) / (root + T::from_f64(epsilon)));
    }
}

pub(super) fn momentum<T: Real>(rate: T, mu: T, g: View<T>, mut m: ViewMut<T>, mut p: ViewMut<T>) {
    for i in p.shape().indices() {
        m.set(&i, mu * m.get(&i) + g.get(&i));
        p.add_at(&i, -rate * m.get(&i));
    }
}

pub(super) fn rmsprop<T: Real>(rate: T, alpha: T, epsilon: T, g: View<T>, mut v: ViewMut<T>, mut p: ViewMut<T>) {
    for i in p.shape().indices() {
        let g = g.get(&i);
        v.set(&i, alpha * v.get(&i) + (T::one() - alpha) * (g * g));
        p.add_at(&i, -rate * g / (v.get(&i).sqrt() + epsilon));
    }
}
