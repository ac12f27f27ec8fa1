//! The optimisers' steps, one parameter at a time.

use num_traits::Float;

use crate::kernels::AdamStep;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn adam<T: Real>(with: AdamStep, g: View<T>, mut m: ViewMut<T>, mut v: ViewMut<T>, mut p: ViewMut<T>) {
    let AdamStep { rate, beta1, beta2, epsilon, decay, decoupled, step } = with;
    let correction1 = 1.0 - Float::powf(beta1, step as f64);
    let correction2 = 1.0 - Float::powf(beta2, step as f64);
    for i in p.shape().indices() {
        let mut g = g.at(&i);
        if decoupled {
            p.set(&i, T::of(1.0 - rate * decay) * p.at(&i));
        } else if decay != 0.0 {
            g += T::of(decay) * p.at(&i); // with 0, NaN where p is infinite
        }
        m.set(&i, T::of(beta1) * m.at(&i) + T::of(1.0 - beta1) * g);
        v.set(&i, T::of(beta2) * v.at(&i) + T::of(1.0 - beta2) * (g * g));
        let root = (v.at(&i) / T::of(correction2)).sqrt();
        p.add_at(&i, -T::of(rate / correction1) * m.at(&i) / (root + T::of(epsilon)));
    }
}

pub(super) fn momentum<T: Real>(rate: T, mu: T, g: View<T>, mut m: ViewMut<T>, mut p: ViewMut<T>) {
    for i in p.shape().indices() {
        m.set(&i, mu * m.at(&i) + g.at(&i));
        p.add_at(&i, -rate * m.at(&i));
    }
}

pub(super) fn rmsprop<T: Real>(rate: T, alpha: T, epsilon: T, g: View<T>, mut v: ViewMut<T>, mut p: ViewMut<T>) {
    for i in p.shape().indices() {
        let g = g.at(&i);
        v.set(&i, alpha * v.at(&i) + (T::one() - alpha) * (g * g));
        p.add_at(&i, -rate * g / (v.at(&i).sqrt() + epsilon));
    }
}
