//! Adam and RMSprop over slices. Gradient descent with momentum is left to `Fast`.

use super::isa::Isa;
use super::{are_contiguous, as_slice, as_slice_mut};
use crate::cpu::fast::optim::{self, adam_update, rmsprop_update};
use crate::kernels::AdamStep;
use crate::view::{View, ViewMut};

pub(super) fn adam<S: Isa>(s: S, config: AdamStep, g: View<f32>, m: ViewMut<f32>, v: ViewMut<f32>, p: ViewMut<f32>) {
    if !are_contiguous(&[g], &[&m, &v, &p]) {
        return optim::adam(config, g, m, v, p);
    }
    let (g, m, v, p) = (as_slice(g), as_slice_mut(m), as_slice_mut(v), as_slice_mut(p));
    s.run(
        #[inline(always)]
        || {
            let update = adam_update(config);
            let moments = m.iter_mut().zip(v);
            p.iter_mut().zip(moments).zip(g).for_each(|((p, (m, v)), &g)| update(p, m, v, g));
        },
    );
}

pub(super) fn rmsprop<S: Isa>(
    s: S,
    rate: f32,
    alpha: f32,
    epsilon: f32,
    g: View<f32>,
    v: ViewMut<f32>,
    p: ViewMut<f32>,
) {
    if !are_contiguous(&[g], &[&v, &p]) {
        return optim::rmsprop(rate, alpha, epsilon, g, v, p);
    }
    let (g, v, p) = (as_slice(g), as_slice_mut(v), as_slice_mut(p));
    s.run(
        #[inline(always)]
        || {
            let update = rmsprop_update(rate, alpha, epsilon);
            p.iter_mut().zip(v).zip(g).for_each(|((p, v), &g)| update(p, v, g));
        },
    );
}
