//! Wrong optimisers and wrong clipping in the place of right ones, so that tests can show that they would notice.
//!
//! Behind the feature `mutants`, which the tests of the workspace enable and nothing else.

use alloc::vec::Vec;
use core::cell::Cell;
use core::hint::black_box;

use tensor::{Real, Tensor};

use crate::optim::Rule;
use crate::params::{Grads, Params};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// Each element is cut to ±max, before any norm: the direction changes.
    ClipsElements,
    /// The sum of magnitudes is taken for the norm.
    ClipsBySum,
    /// Short gradients are lengthened to max.
    ClipLengthens,
    /// Adam's corrections are one step late: 1 − β^(t−1) from the second step on, where it is not zero.
    CorrectionLate,
    /// Adam without bias correction.
    NoCorrection,
    /// Only m is corrected.
    OnlyMeanCorrected,
    /// Adam divides by √(v̂ + ε), not by √v̂ + ε.
    EpsilonInRoot,
    /// v decays towards g, not g².
    SquareForgotten,
    /// v decays with β₁.
    DecaysExchanged,
    /// AdamW adds λp to the gradient, as Adam with L2 does.
    DecayCoupled,
    /// AdamW subtracts λp, not αλp.
    DecayWithoutRate,
    /// AdamW's decay is taken twice.
    DecayTwice,
    /// The velocity forgets: v = (1 − μ)·v + g.
    MomentumInverted,
    /// RMSprop divides by √(v + ε).
    RmsEpsilonInRoot,
}

std::thread_local! {
    static ACTIVE: Cell<Option<Slip>> = const { Cell::new(None) };
}

/// Runs `f` on this thread with this slip.
///
/// # Panics
/// Within another call.
pub fn with<R>(slip: Slip, f: impl FnOnce() -> R) -> R {
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            ACTIVE.set(None);
        }
    }
    assert_eq!(ACTIVE.replace(Some(slip)), None, "{}, one at a time", autograd::mutants::MARKER);
    let _off = Off;
    f()
}

/// The norm, if a wrong way to clip is on.
pub(crate) fn clip<T: Real>(grads: &mut Grads<T>, max: f64) -> Option<T> {
    let (slip, norm) = (black_box(&ACTIVE).get()?, grads.norm());
    let g: Vec<f64> = grads.flat().to_vec().into_iter().map(T::value).collect();
    let scaled = |length: f64| g.iter().map(|g| g * (max / length)).collect();
    let clipped: Vec<f64> = match slip {
        Slip::ClipsElements => g.iter().map(|g| g.clamp(-max, max)).collect(),
        Slip::ClipsBySum => scaled(g.iter().map(|g| g.abs()).sum::<f64>().max(max)),
        Slip::ClipLengthens => scaled(norm.value()),
        _ => return None,
    };
    *grads.flat_mut() = Tensor::new([clipped.len()], clipped.into_iter().map(T::of).collect());
    Some(norm)
}

/// Whether a wrong step was taken.
pub(crate) fn step<T: Real>(
    rule: Rule,
    (rate, steps): (f64, u64),
    moments: &mut [Tensor<T>],
    params: &mut Params<T>,
    grads: &Grads<T>,
) -> bool {
    let Some(slip) = black_box(&ACTIVE).get() else { return false };
    let numbers = |x: &Tensor<T>| -> Vec<f64> { x.to_vec().into_iter().map(T::value).collect() };
    let mut state: Vec<Vec<f64>> = moments.iter().map(numbers).collect();
    let (mut p, g) = (numbers(params.flat()), numbers(grads.flat()));
    for (i, p) in p.iter_mut().enumerate() {
        let mut moments: Vec<&mut f64> = state.iter_mut().map(|moment| &mut moment[i]).collect();
        *p = moved(slip, rule, (rate, steps), &mut moments, *p, g[i]);
    }
    let tensor = |x: Vec<f64>| Tensor::new([x.len()], x.into_iter().map(T::of).collect());
    *params.flat_mut() = tensor(p);
    moments.iter_mut().zip(state).for_each(|(moment, state)| *moment = tensor(state));
    true
}

/// One parameter after a wrong step.
fn moved(slip: Slip, rule: Rule, (rate, t): (f64, u64), moments: &mut [&mut f64], p: f64, g: f64) -> f64 {
    let is = |other| slip == other;
    match (rule, moments) {
        (Rule::Adam { beta1, beta2, epsilon, decay, decoupled }, [m, v]) => {
            let coupled = !decoupled || is(Slip::DecayCoupled);
            let g = if coupled { g + decay * p } else { g };
            let shrink = match slip {
                _ if coupled => 0.0,
                Slip::DecayWithoutRate => decay,
                Slip::DecayTwice => 2.0 * rate * decay,
                _ => rate * decay,
            };
            let beta_v = if is(Slip::DecaysExchanged) { beta1 } else { beta2 };
            **m = beta1 * **m + (1.0 - beta1) * g;
            **v = beta_v * **v + (1.0 - beta_v) * if is(Slip::SquareForgotten) { g.abs() } else { g * g };
            let count = if is(Slip::CorrectionLate) { t.max(2) - 1 } else { t } as i32;
            let (no_mean, no_square) = (is(Slip::NoCorrection), is(Slip::NoCorrection) || is(Slip::OnlyMeanCorrected));
            let mean = **m / if no_mean { 1.0 } else { 1.0 - beta1.powi(count) };
            let square = **v / if no_square { 1.0 } else { 1.0 - beta2.powi(count) };
            let root = if is(Slip::EpsilonInRoot) { (square + epsilon).sqrt() } else { square.sqrt() + epsilon };
            p * (1.0 - shrink) - rate * mean / root
        }
        (Rule::Sgd { momentum }, [m]) => {
            **m = g + **m * if is(Slip::MomentumInverted) { 1.0 - momentum } else { momentum };
            p - rate * **m
        }
        (Rule::RmsProp { alpha, epsilon }, [v]) => {
            **v = alpha * **v + (1.0 - alpha) * g * g;
            p - rate * g / if is(Slip::RmsEpsilonInRoot) { (**v + epsilon).sqrt() } else { v.sqrt() + epsilon }
        }
        _ => unreachable!("a rule has its own moments"),
    }
}
