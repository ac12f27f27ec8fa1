//! The optimisers' steps: one thread for each parameter.

use num_traits::Float;

use super::{Call, Gpu};
use crate::cuda::modules::Entry;
use crate::kernels::AdamStep;
use crate::real::Real;
use crate::view::{View, ViewMut};

#[track_caller]
pub(super) fn adam<T: Real>(
    gpu: &'static Gpu,
    with: AdamStep,
    g: View<T>,
    m: ViewMut<T>,
    v: ViewMut<T>,
    p: ViewMut<T>,
) {
    let AdamStep { rate, beta1, beta2, epsilon, decay, decoupled, step } = with;
    let corrections = [beta1, beta2].map(|beta| 1.0 - Float::powf(beta, step as f64));
    let blocks = Entry::Adam.blocks(p.shape().size());
    let call = [rate, beta1, beta2, epsilon, decay].into_iter().fold(Call::new::<T>(gpu, Entry::Adam), Call::double);
    let call = corrections.into_iter().fold(call.int(decoupled.into()), Call::double);
    call.read(g).write(m).write(v).write(p).run(blocks);
}

#[track_caller]
pub(super) fn momentum<T: Real>(gpu: &'static Gpu, rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>) {
    let blocks = Entry::Momentum.blocks(p.shape().size());
    let call = [rate, mu].into_iter().fold(Call::new::<T>(gpu, Entry::Momentum), |call, x| call.number(x.value()));
    call.read(g).write(m).write(p).run(blocks);
}

#[track_caller]
pub(super) fn rmsprop<T: Real>(
    gpu: &'static Gpu,
    rate: T,
    alpha: T,
    epsilon: T,
    g: View<T>,
    v: ViewMut<T>,
    p: ViewMut<T>,
) {
    let blocks = Entry::Rmsprop.blocks(p.shape().size());
    let start = Call::new::<T>(gpu, Entry::Rmsprop);
    let call = [rate, alpha, epsilon].into_iter().fold(start, |call, x| call.number(x.value()));
    call.read(g).write(v).write(p).run(blocks);
}
