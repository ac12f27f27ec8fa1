//! Adam over slices; the other rules are left to `Fast`.

use super::isa::Isa;
use super::{all, all_mut, packed};
use crate::cpu::fast::optim::{self, adam_of_one};
use crate::kernels::AdamStep;
use crate::view::{View, ViewMut};

pub(super) fn adam<S: Isa>(s: S, with: AdamStep, g: View<f32>, m: ViewMut<f32>, v: ViewMut<f32>, p: ViewMut<f32>) {
    if !packed(&[g], &[&m, &v, &p]) {
        return optim::adam(with, g, m, v, p);
    }
    let (g, m, v, p) = (all(g), all_mut(m), all_mut(v), all_mut(p));
    s.run(
        #[inline(always)]
        || {
            let update = adam_of_one(with);
            let moments = m.iter_mut().zip(v);
            p.iter_mut().zip(moments).zip(g).for_each(|((p, (m, v)), &g)| update(p, m, v, g));
        },
    );
}
