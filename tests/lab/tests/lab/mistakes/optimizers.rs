//! Mistakes in clipping and in optimisers, and the definitions with which they are compared.

use std::array;

use gradus_tests::levels::Verdict;
use nn::{Grads, NonFiniteNorm, Optimizer, Params, UpdateRule, clip_global_norm};
use tensor::Tensor;

use super::Mistake;

/// Returns all mistakes in clipping and in optimisers.
pub(crate) fn mistakes() -> Vec<Mistake> {
    let clip = |wrong, mistaken: Clip| {
        Mistake::new(["clip_global_norm", wrong, "L5"], || clipping(clip_global_norm), move || clipping(mistaken))
    };
    let step = |place, wrong, law: fn(Step) -> Verdict, right: UpdateRule, mistaken: Moved| {
        Mistake::new([place, wrong, "L5"], move || law(of_rule(right)), move || law(by_hand(mistaken)))
    };
    let of_adam = |wrong, mistaken: Moved| step("Optimizer, Adam", wrong, adam, ADAM, mistaken);
    let of_adamw = |wrong, mistaken: Moved| step("Optimizer, AdamW", wrong, adamw, ADAMW, mistaken);
    vec![
        clip("each element is clipped instead of the norm", |_, grads, max| {
            let (norm, g) = (grads.norm(), grads.flat().to_vec());
            *grads.flat_mut() = Tensor::new([g.len()], g.iter().map(|g| g.clamp(-max, max)).collect());
            Ok(norm)
        }),
        clip("the L1 norm instead of the L2 norm", |_, grads, max| {
            let (norm, sum) = (grads.norm(), grads.flat().to_vec().iter().map(|g| g.abs()).sum::<f64>());
            grads.scale(max / sum.max(max));
            Ok(norm)
        }),
        clip("short gradients are scaled up", |_, grads, max| {
            let norm = grads.norm();
            grads.scale(max / norm);
            Ok(norm)
        }),
        of_adam("bias correction with t − 1", |t, mv, _, g| {
            Adam { counts: [t.max(2) - 1; 2], ..Adam::correct(t) }.step(mv, g)
        }),
        of_adam("no bias correction", |t, mv, _, g| Adam { counts: [i32::MAX; 2], ..Adam::correct(t) }.step(mv, g)),
        of_adam("v without bias correction", |t, mv, _, g| {
            Adam { counts: [t, i32::MAX], ..Adam::correct(t) }.step(mv, g)
        }),
        of_adam("ε inside the root", |t, mv, _, g| {
            Adam { root: |v| (v + EPSILON).sqrt(), ..Adam::correct(t) }.step(mv, g)
        }),
        of_adam("v averages the absolute value of g instead of its square", |t, mv, _, g| {
            Adam { square: f64::abs, ..Adam::correct(t) }.step(mv, g)
        }),
        of_adam("v decays with β₁", |t, mv, _, g| Adam { decay_rate: B1, ..Adam::correct(t) }.step(mv, g)),
        of_adamw("the weight decay is added to the gradient", |t, mv, p, g| Adam::correct(t).step(mv, g + DECAY * p)),
        of_adamw("the weight decay is not multiplied by the rate", |t, mv, p, g| {
            Adam::correct(t).step(mv, g) + DECAY * p
        }),
        of_adamw("the weight decay is applied twice", |t, mv, p, g| {
            Adam::correct(t).step(mv, g) + 2.0 * RATE * DECAY * p
        }),
        step("Optimizer, Sgd", "1 − μ instead of μ", momentum, SGD, |_, mv, _, g| {
            mv[0] = (1.0 - MU) * mv[0] + g;
            RATE * mv[0]
        }),
        step("Optimizer, RmsProp", "ε inside the root", rmsprop, RMSPROP, |_, mv, _, g| {
            mv[1] = ALPHA * mv[1] + (1.0 - ALPHA) * g * g;
            RATE * g / (mv[1] + EPSILON).sqrt()
        }),
    ]
}

/// The gradients of three parameters over five steps: small enough for ε to matter, large, and in between.
const GRADIENTS: [[f64; 3]; 5] =
    [[1e-4, -3.0, 0.5], [-2e-4, 1.0, 0.25], [1e-4, 2.0, -0.5], [3e-4, -0.5, 0.125], [-1e-4, 4.0, 1.0]];
const START: [f64; 3] = [1.0, -2.0, 0.5];
const RATE: f64 = 0.1;
const B1: f64 = 0.9;
const B2: f64 = 0.999;
const MU: f64 = 0.9;
const ALPHA: f64 = 0.99;
const DECAY: f64 = 0.03;
/// A large ε, so that its place in the formula matters.
const EPSILON: f64 = 1e-4;

const ADAM: UpdateRule = UpdateRule::Adam { beta1: B1, beta2: B2, epsilon: EPSILON, decay: 0.0, decoupled: false };
const ADAMW: UpdateRule = UpdateRule::Adam { beta1: B1, beta2: B2, epsilon: EPSILON, decay: DECAY, decoupled: true };
const SGD: UpdateRule = UpdateRule::Sgd { momentum: MU };
const RMSPROP: UpdateRule = UpdateRule::RmsProp { alpha: ALPHA, epsilon: EPSILON };

type Clip = fn(&Params<f64>, &mut Grads<f64>, f64) -> Result<f64, NonFiniteNorm>;

/// A function that takes parameters and gradients and returns the parameters after a step.
type Step = Box<dyn FnMut([f64; 3], [f64; 3]) -> [f64; 3]>;

/// A function that returns the decrease of a parameter. Its arguments are the number of the step, the moments, the parameter
/// and its gradient.
type Moved = fn(i32, &mut [f64; 2], f64, f64) -> f64;

fn of_rule(rule: UpdateRule) -> Step {
    let (mut params, mut grads) = with_gradients(GRADIENTS[0]);
    let mut optimizer = Optimizer::new(rule, &params);
    Box::new(move |p, g| {
        (*params.flat_mut(), *grads.flat_mut()) = (Tensor::from(p), Tensor::from(g));
        optimizer.step(RATE, &mut params, &grads);
        params.flat().to_vec().try_into().expect("three parameters")
    })
}

fn by_hand(moved: Moved) -> Step {
    let (mut t, mut moments) = (0, [[0.0; 2]; 3]);
    Box::new(move |p, g| {
        t += 1;
        array::from_fn(|k| p[k] - moved(t, &mut moments[k], p[k], g[k]))
    })
}

/// A step of Adam, with the parts that can be wrong as fields.
struct Adam {
    /// The numbers of steps in the bias corrections of m and of v.
    counts: [i32; 2],
    /// The decay rate of v.
    decay_rate: f64,
    /// The function of the gradient that v averages.
    square: fn(f64) -> f64,
    /// The divisor of the step.
    root: fn(f64) -> f64,
}

impl Adam {
    fn correct(t: i32) -> Self {
        Self { counts: [t; 2], decay_rate: B2, square: |g| g * g, root: |v| v.sqrt() + EPSILON }
    }

    fn step(self, [m, v]: &mut [f64; 2], g: f64) -> f64 {
        *m = B1 * *m + (1.0 - B1) * g;
        *v = self.decay_rate * *v + (1.0 - self.decay_rate) * (self.square)(g);
        let [mean, square] = [*m / (1.0 - B1.powi(self.counts[0])), *v / (1.0 - B2.powi(self.counts[1]))];
        RATE * mean / (self.root)(square)
    }
}

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

/// Checks that clipping limits the norm to max, keeps the direction, and does not change gradients of a smaller norm.
fn clipping(clip: Clip) -> Verdict {
    for (gradient, max) in [([2.0, -3.0, 6.0], 0.5), ([0.3, 0.4, 0.0], 0.25), ([0.1, -0.2, 0.2], 1.0)] {
        let (params, mut grads) = with_gradients(gradient);
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let returned = clip(&params, &mut grads, max).expect("finite");
        close("the returned norm", &[returned], &[norm])?;
        let factor = (max / (norm + 1e-6)).min(1.0);
        close("the clipped gradient", &grads.flat().to_vec(), &gradient.map(|g| g * factor))?;
    }
    Ok(())
}

/// Checks that the parameters after each step equal `want`, a function of the parameter and all gradients up to that step.
fn stepping(mut step: Step, want: impl Fn(f64, &[f64]) -> f64) -> Verdict {
    let mut p = START;
    for t in 1..=GRADIENTS.len() {
        let past = |k: usize| GRADIENTS[..t].iter().map(|g| g[k]).collect::<Vec<_>>();
        let wanted: [f64; 3] = array::from_fn(|k| want(p[k], &past(k)));
        p = step(p, GRADIENTS[t - 1]);
        close(&format!("after step {t}"), &p, &wanted)?;
    }
    Ok(())
}

/// Computes Σ βᵗ⁻ᵏ·f(g_k), the closed form of the recursion of a moment. The last gradient has the largest weight.
fn decayed_sum(beta: f64, past: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    past.iter().rev().enumerate().map(|(age, &g)| beta.powi(age as i32) * f(g)).sum()
}

/// Computes the weighted mean of the gradients or of their squares (Kingma and Ba, equation 4). Each weight is β times the next
/// one. The bias correction makes the weights add up to 1.
fn decayed_mean(beta: f64, past: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    decayed_sum(beta, past, f) / decayed_sum(beta, past, |_| 1.0)
}

fn adam_step(past: &[f64]) -> f64 {
    RATE * decayed_mean(B1, past, |g| g) / (decayed_mean(B2, past, |g| g * g).sqrt() + EPSILON)
}

fn adam(step: Step) -> Verdict {
    stepping(step, |p, past| p - adam_step(past))
}

fn adamw(step: Step) -> Verdict {
    stepping(step, |p, past| p - RATE * DECAY * p - adam_step(past))
}

fn momentum(step: Step) -> Verdict {
    stepping(step, |p, past| p - RATE * decayed_sum(MU, past, |g| g))
}

fn rmsprop(step: Step) -> Verdict {
    stepping(step, |p, past| {
        let v = (1.0 - ALPHA) * decayed_sum(ALPHA, past, |g| g * g);
        p - RATE * past[past.len() - 1] / (v.sqrt() + EPSILON)
    })
}

/// `Adam::correct`, the base of the wrong versions, is right.
#[test]
fn adam_by_hand_matches_its_definition() {
    assert_eq!(adam(by_hand(|t, mv, _, g| Adam::correct(t).step(mv, g))), Ok(()));
    assert_eq!(adamw(by_hand(|t, mv, p, g| Adam::correct(t).step(mv, g) + RATE * DECAY * p)), Ok(()));
}

/// Adam's first step is the rate times the gradient's sign, up to ε.
#[test]
fn adam_first_step_is_rate_times_sign() {
    let moved: [f64; 3] = of_rule(UpdateRule::adam())(START, GRADIENTS[0]);
    let is_sign = |k: usize| (moved[k] - START[k] + RATE * GRADIENTS[0][k].signum()).abs() < 2e-4 * RATE;
    assert!((0..3).all(is_sign), "{moved:?}");
}
