//! What can be wrong with clipping and with optimisers, and the laws that they must keep.

use gradus_tests::levels::Verdict;
use nn::mutants::{Slip, with};
use nn::{Grads, Optimizer, Params, Rule, clip_global_norm};
use tensor::Tensor;

use crate::level::Level::L5;
use crate::mutant::Mutant;

/// All of them.
pub(crate) fn mutants() -> Vec<Mutant> {
    let of = |place, slip: Slip, wrong, law: fn() -> Verdict| {
        Mutant::new(place, wrong, L5, law, move |check| with(slip, check))
    };
    vec![
        of("clip_global_norm", Slip::ClipsElements, "each element is cut, before any norm", clipping),
        of("clip_global_norm", Slip::ClipsBySum, "the sum of magnitudes for the root of squares", clipping),
        of("clip_global_norm", Slip::ClipLengthens, "short gradients are lengthened", clipping),
        of("Optimizer, Adam", Slip::CorrectionLate, "bias correction with t − 1", adam),
        of("Optimizer, Adam", Slip::NoCorrection, "no bias correction", adam),
        of("Optimizer, Adam", Slip::OnlyMeanCorrected, "v without bias correction", adam),
        of("Optimizer, Adam", Slip::EpsilonInRoot, "ε inside the root", adam),
        of("Optimizer, Adam", Slip::SquareForgotten, "v follows the magnitude of g, not its square", adam),
        of("Optimizer, Adam", Slip::DecaysExchanged, "v decays with β₁", adam),
        of("Optimizer, AdamW", Slip::DecayCoupled, "the weight decay joins the gradient", adamw),
        of("Optimizer, AdamW", Slip::DecayWithoutRate, "the weight decay without the rate", adamw),
        of("Optimizer, AdamW", Slip::DecayTwice, "the weight decay twice", adamw),
        of("Optimizer, Sgd", Slip::MomentumInverted, "1 − μ for μ", momentum),
        of("Optimizer, RmsProp", Slip::RmsEpsilonInRoot, "ε inside the root", rmsprop),
    ]
}

/// A parameter whose gradients are small enough for ε to matter, one whose are large, and one in between.
const GRADIENTS: [[f64; 3]; 5] =
    [[1e-4, -3.0, 0.5], [-2e-4, 1.0, 0.25], [1e-4, 2.0, -0.5], [3e-4, -0.5, 0.125], [-1e-4, 4.0, 1.0]];
const START: [f64; 3] = [1.0, -2.0, 0.5];
const RATE: f64 = 0.1;

fn with_gradients(of: [f64; 3]) -> (Params<f64>, Grads<f64>) {
    let mut params = Params::new();
    params.add("p", &Tensor::from(START));
    let mut grads = Grads::zeros(&params);
    *grads.flat_mut() = Tensor::from(of);
    (params, grads)
}

fn close(what: &str, got: &[f64], want: &[f64]) -> Verdict {
    let near = |(got, want): (&f64, &f64)| (got - want).abs() <= 1e-13 * want.abs().max(1.0);
    if got.iter().zip(want).all(near) { Ok(()) } else { Err(format!("{what}: {got:?} is not {want:?}")) }
}

/// After clipping, the norm is at most max, the direction is what it was, and short gradients are untouched.
fn clipping() -> Verdict {
    for (gradient, max) in [([2.0, -3.0, 6.0], 0.5), ([0.3, 0.4, 0.0], 0.25), ([0.1, -0.2, 0.2], 1.0)] {
        let (params, mut grads) = with_gradients(gradient);
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let said = clip_global_norm(&params, &mut grads, max).expect("finite");
        close("the norm that is returned", &[said], &[norm])?;
        let factor = (max / (norm + 1e-6)).min(1.0);
        close("clipped", &grads.flat().to_vec(), &gradient.map(|g| g * factor))?;
    }
    Ok(())
}

/// The parameters after each step of a rule are those that `want` says, from all gradients up to it.
fn stepping(rule: Rule, want: impl Fn(f64, &[f64]) -> f64) -> Verdict {
    let (mut params, mut grads) = with_gradients(GRADIENTS[0]);
    let mut optimizer = Optimizer::new(rule, &params);
    for t in 1..=GRADIENTS.len() {
        let before = params.flat().to_vec();
        *grads.flat_mut() = Tensor::from(GRADIENTS[t - 1]);
        optimizer.step(RATE, &mut params, &grads);
        let past = |k: usize| GRADIENTS[..t].iter().map(|g| g[k]).collect::<Vec<_>>();
        let want: Vec<f64> = (0..3).map(|k| want(before[k], &past(k))).collect();
        close(&format!("{} at step {t}", rule.name()), &params.flat().to_vec(), &want)?;
    }
    Ok(())
}

/// Σ βᵗ⁻ᵏ·g_k, the last of the gradients weighing most: what the moments' recursions add up to.
fn faded(beta: f64, past: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    past.iter().rev().enumerate().map(|(age, &g)| beta.powi(age as i32) * f(g)).sum()
}

/// The mean of the gradients or of their squares, each weighing β as much as the next: Kingma and Ba, equation 4, where
/// the correction makes the weights add up to 1.
fn mean(beta: f64, past: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    faded(beta, past, f) / faded(beta, past, |_| 1.0)
}

/// ε is large, so that its place matters.
const EPSILON: f64 = 1e-4;

fn adam_step(past: &[f64]) -> f64 {
    RATE * mean(0.9, past, |g| g) / (mean(0.999, past, |g| g * g).sqrt() + EPSILON)
}

fn adam() -> Verdict {
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: EPSILON, decay: 0.0, decoupled: false };
    stepping(rule, |p, past| p - adam_step(past))
}

fn adamw() -> Verdict {
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: EPSILON, decay: 0.03, decoupled: true };
    stepping(rule, |p, past| p - RATE * 0.03 * p - adam_step(past))
}

fn momentum() -> Verdict {
    stepping(Rule::Sgd { momentum: 0.9 }, |p, past| p - RATE * faded(0.9, past, |g| g))
}

fn rmsprop() -> Verdict {
    stepping(Rule::RmsProp { alpha: 0.99, epsilon: EPSILON }, |p, past| {
        let v = 0.01 * faded(0.99, past, |g| g * g);
        p - RATE * past[past.len() - 1] / (v.sqrt() + EPSILON)
    })
}

/// Adam's first step is the rate times the gradient's sign, up to ε.
#[test]
fn adams_first_step_is_the_sign() {
    let (mut params, grads) = with_gradients(GRADIENTS[0]);
    Optimizer::new(Rule::adam(), &params).step(RATE, &mut params, &grads);
    let moved: Vec<f64> = params.flat().to_vec().iter().zip(START).map(|(p, start)| p - start).collect();
    assert!(moved.iter().zip(GRADIENTS[0]).all(|(m, g)| (m + RATE * g.signum()).abs() < 2e-4 * RATE), "{moved:?}");
}

/// Where a slip does not concern a rule, the version that could be wrong is right.
#[test]
fn slips_elsewhere_change_nothing() {
    for law in [adam, adamw, momentum, rmsprop] {
        with(Slip::ClipsBySum, law).expect("clipping is not concerned");
    }
    with(Slip::NoCorrection, clipping).expect("steps are not concerned");
}
