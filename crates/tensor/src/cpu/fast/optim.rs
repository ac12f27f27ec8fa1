//! The optimisers' steps over flat buffers.

use ndarray::Zip;

use crate::kernels::AdamStep;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn adam<T: Real>(with: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>) {
    let update = adam_of_one(with);
    Zip::from(p.host()).and(m.host()).and(v.host()).and(g.host()).for_each(|p, m, v, &g| update(p, m, v, g));
}

/// What a step does to one parameter, with its moments and gradient.
#[inline(always)]
pub(in crate::cpu) fn adam_of_one<T: Real>(with: AdamStep) -> impl Fn(&mut T, &mut T, &mut T, T) {
    let AdamStep { rate, beta1, beta2, epsilon, decay, decoupled, step } = with;
    let step_size = T::of(rate / (1.0 - power(beta1, step)));
    let root_correction = T::of(num_traits::Float::sqrt(1.0 - power(beta2, step)));
    let (shrink, l2) = if decoupled { (rate * decay, 0.0) } else { (0.0, decay) };
    let (shrink, l2, epsilon) = (T::of(1.0 - shrink), T::of(l2), T::of(epsilon));
    let (b1, b2, c1, c2) = (T::of(beta1), T::of(beta2), T::of(1.0 - beta1), T::of(1.0 - beta2));
    #[inline(always)]
    move |p, m, v, g| {
        *p *= shrink;
        let g = if l2 == T::zero() { g } else { g + l2 * *p }; // 0·∞ is NaN
        *m = b1 * *m + c1 * g;
        *v = b2 * *v + c2 * (g * g);
        *p -= step_size * *m / (v.sqrt() / root_correction + epsilon);
    }
}

/// βᵗ by repeated squaring.
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
    Zip::from(p.host()).and(m.host()).and(g.host()).for_each(|p, m, &g| {
        *m = mu * *m + g;
        *p -= rate * *m;
    });
}

pub(in crate::cpu) fn rmsprop<T: Real>(rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>) {
    Zip::from(p.host()).and(v.host()).and(g.host()).for_each(|p, v, &g| {
        *v = alpha * *v + (T::one() - alpha) * (g * g);
        *p -= rate * g / (v.sqrt() + epsilon);
    });
}
