//! Mistakes in clipping and in optimisers, and the laws that these must keep.

use std::array;

use gradus_tests::levels::Verdict;
use nn::{Grads, NotFinite, Optimizer, Params, Rule, clip_global_norm};
use tensor::Tensor;

use super::Mistake;

/// All mistakes in clipping and in optimisers.
pub(crate) fn mistakes() -> Vec<Mistake> {
    let clip = |wrong, mistaken: Clip| {
        Mistake::new(["clip_global_norm", wrong, "L5"], || clipping(clip_global_norm), move || clipping(mistaken))
    };
    let step = |place, wrong, law: fn(Step) -> Verdict, right: Rule, mistaken: Moved| {
        Mistake::new([place, wrong, "L5"], move || law(of_rule(right)), move || law(by_hand(mistaken)))
    };
    let of_adam = |wrong, mistaken: Moved| step("Optimizer, Adam", wrong, adam, ADAM, mistaken);
    let of_adamw = |wrong, mistaken: Moved| step("Optimizer, AdamW", wrong, adamw, ADAMW, mistaken);
    vec![
        clip("each element is cut, before any norm", |_, grads, max| {
            let (norm, g) = (grads.norm(), grads.flat().to_vec());
            *grads.flat_mut() = Tensor::new([g.len()], g.iter().map(|g| g.clamp(-max, max)).collect());
            Ok(norm)
        }),
        clip("the sum of magnitudes for the root of squares", |_, grads, max| {
            let (norm, sum) = (grads.norm(), grads.flat().to_vec().iter().map(|g| g.abs()).sum::<f64>());
            grads.scale(max / sum.max(max));
            Ok(norm)
        }),
        clip("short gradients are lengthened", |_, grads, max| {
            let norm = grads.norm();
            grads.scale(max / norm);
            Ok(norm)
        }),
        of_adam("bias correction with t − 1", |t, mv, _, g| {
            Adam { counts: [t.max(2) - 1; 2], ..Adam::at(t) }.step(mv, g)
        }),
        of_adam("no bias correction", |t, mv, _, g| Adam { counts: [i32::MAX; 2], ..Adam::at(t) }.step(mv, g)),
        of_adam("v without bias correction", |t, mv, _, g| Adam { counts: [t, i32::MAX], ..Adam::at(t) }.step(mv, g)),
        of_adam("ε inside the root", |t, mv, _, g| Adam { root: |v| (v + EPSILON).sqrt(), ..Adam::at(t) }.step(mv, g)),
        of_adam("v follows the magnitude of g, not its square", |t, mv, _, g| {
            Adam { square: f64::abs, ..Adam::at(t) }.step(mv, g)
        }),
        of_adam("v decays with β₁", |t, mv, _, g| Adam { fades: B1, ..Adam::at(t) }.step(mv, g)),
        of_adamw("the weight decay joins the gradient", |t, mv, p, g| Adam::at(t).step(mv, g + DECAY * p)),
        of_adamw("the weight decay without the rate", |t, mv, p, g| Adam::at(t).step(mv, g) + DECAY * p),
        of_adamw("the weight decay twice", |t, mv, p, g| Adam::at(t).step(mv, g) + 2.0 * RATE * DECAY * p),
        step("Optimizer, Sgd", "1 − μ for μ", momentum, SGD, |_, mv, _, g| {
            mv[0] = (1.0 - MU) * mv[0] + g;
            RATE * mv[0]
        }),
        step("Optimizer, RmsProp", "ε inside the root", rmsprop, RMSPROP, |_, mv, _, g| {
            mv[1] = ALPHA * mv[1] + (1.0 - ALPHA) * g * g;
            RATE * g / (mv[1] + EPSILON).sqrt()
        }),
    ]
}

/// A parameter whose gradients are small enough for ε to matter, one whose are large, and one in between.
const GRADIENTS: [[f64; 3]; 5] =
    [[1e-4, -3.0, 0.5], [-2e-4, 1.0, 0.25], [1e-4, 2.0, -0.5], [3e-4, -0.5, 0.125], [-1e-4, 4.0, 1.0]];
const START: [f64; 3] = [1.0, -2.0, 0.5];
const RATE: f64 = 0.1;
const B1: f64 = 0.9;
const B2: f64 = 0.999;
const MU: f64 = 0.9;
const ALPHA: f64 = 0.99;
const DECAY: f64 = 0.03;
/// Large, so that its place matters.
const EPSILON: f64 = 1e-4;

const ADAM: Rule = Rule::Adam { beta1: B1, beta2: B2, epsilon: EPSILON, decay: 0.0, decoupled: false };
const ADAMW: Rule = Rule::Adam { beta1: B1, beta2: B2, epsilon: EPSILON, decay: DECAY, decoupled: true };
const SGD: Rule = Rule::Sgd { momentum: MU };
const RMSPROP: Rule = Rule::RmsProp { alpha: ALPHA, epsilon: EPSILON };

type Clip = fn(&Params<f64>, &mut Grads<f64>, f64) -> Result<f64, NotFinite>;

/// The parameters after a step, from those before it and their gradients.
type Step = Box<dyn FnMut([f64; 3], [f64; 3]) -> [f64; 3]>;

/// Returns the number that is subtracted from a parameter, for the number of the step, the moments, the parameter and its gradient.
type Moved = fn(i32, &mut [f64; 2], f64, f64) -> f64;

fn of_rule(rule: Rule) -> Step {
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

/// A step of Adam, with the parts in which it can be wrong.
struct Adam {
    /// The number of steps in the corrections of m and of v.
    counts: [i32; 2],
    /// The decay of v.
    fades: f64,
    /// The function of the gradient that v follows.
    square: fn(f64) -> f64,
    /// The divisor of the step.
    root: fn(f64) -> f64,
}

impl Adam {
    fn at(t: i32) -> Self {
        Self { counts: [t; 2], fades: B2, square: |g| g * g, root: |v| v.sqrt() + EPSILON }
    }

    fn step(self, [m, v]: &mut [f64; 2], g: f64) -> f64 {
        *m = B1 * *m + (1.0 - B1) * g;
        *v = self.fades * *v + (1.0 - self.fades) * (self.square)(g);
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

/// Checks that after clipping the norm is at most max, the direction is the same, and short gradients are untouched.
fn clipping(clip: Clip) -> Verdict {
    for (gradient, max) in [([2.0, -3.0, 6.0], 0.5), ([0.3, 0.4, 0.0], 0.25), ([0.1, -0.2, 0.2], 1.0)] {
        let (params, mut grads) = with_gradients(gradient);
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let said = clip(&params, &mut grads, max).expect("finite");
        close("the norm that is returned", &[said], &[norm])?;
        let factor = (max / (norm + 1e-6)).min(1.0);
        close("clipped", &grads.flat().to_vec(), &gradient.map(|g| g * factor))?;
    }
    Ok(())
}

/// Checks that the parameters after each step are those of `want`, a function of all gradients up to that step.
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

/// Σ βᵗ⁻ᵏ·g_k, the last of the gradients weighing most: what the moments' recursions add up to.
fn faded(beta: f64, past: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    past.iter().rev().enumerate().map(|(age, &g)| beta.powi(age as i32) * f(g)).sum()
}

/// The mean of the gradients or of their squares, each weighing β as much as the next: Kingma and Ba, equation 4, where
/// the correction makes the weights add up to 1.
fn mean(beta: f64, past: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    faded(beta, past, f) / faded(beta, past, |_| 1.0)
}

fn adam_step(past: &[f64]) -> f64 {
    RATE * mean(B1, past, |g| g) / (mean(B2, past, |g| g * g).sqrt() + EPSILON)
}

fn adam(step: Step) -> Verdict {
    stepping(step, |p, past| p - adam_step(past))
}

fn adamw(step: Step) -> Verdict {
    stepping(step, |p, past| p - RATE * DECAY * p - adam_step(past))
}

fn momentum(step: Step) -> Verdict {
    stepping(step, |p, past| p - RATE * faded(MU, past, |g| g))
}

fn rmsprop(step: Step) -> Verdict {
    stepping(step, |p, past| {
        let v = (1.0 - ALPHA) * faded(ALPHA, past, |g| g * g);
        p - RATE * past[past.len() - 1] / (v.sqrt() + EPSILON)
    })
}

/// The step from which the wrong ones are made is right.
#[test]
fn adam_by_hand_keeps_its_law() {
    assert_eq!(adam(by_hand(|t, mv, _, g| Adam::at(t).step(mv, g))), Ok(()));
    assert_eq!(adamw(by_hand(|t, mv, p, g| Adam::at(t).step(mv, g) + RATE * DECAY * p)), Ok(()));
}

/// Adam's first step is the rate times the gradient's sign, up to ε.
#[test]
fn adams_first_step_is_the_sign() {
    let moved: [f64; 3] = of_rule(Rule::adam())(START, GRADIENTS[0]);
    let is_sign = |k: usize| (moved[k] - START[k] + RATE * GRADIENTS[0][k].signum()).abs() < 2e-4 * RATE;
    assert!((0..3).all(is_sign), "{moved:?}");
}
