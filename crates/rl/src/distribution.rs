//! The distributions from which a policy draws its actions: categorical for discrete actions, a diagonal Gaussian for vectors.
//!
//! | | ln π(a) | entropy |
//! |---|---|---|
//! | categorical, p = softmax of the logits | ln p_a | −Σ p·ln p |
//! | Gaussian with mean μ and deviation σ | Σ_d −½((a_d − μ_d)/σ_d)² − ln σ_d − ½·ln 2π | Σ_d ln σ_d + ½·ln 2πe |
//!
//! An action that is not legal has the logit −∞. Its probability and its gradient are exactly 0, and it adds nothing to the
//! entropy.
//!
//! Source of the Gaussian: T. Cover and J. Thomas, *Elements of Information Theory* (2006), theorem 8.4.1 for one covariance
//! that is diagonal.

use alloc::vec::Vec;
use core::f64::consts::{E, PI};

use autograd::Var;
use tensor::philox::Philox;
use tensor::{Real, Tensor};

use crate::env::{Action, Actions};
use crate::rollout::resized;

/// The distribution of the actions in each of N rows.
#[derive(Clone, Copy)]
pub enum Distribution<'t, T: Real> {
    /// One of A actions.
    Categorical {
        /// ln π(a), \[N,A\].
        log_probs: Var<'t, T>,
    },
    /// D independent numbers.
    Gaussian {
        /// μ, \[N,D\].
        mean: Var<'t, T>,
        /// ln σ, \[N,D\].
        log_std: Var<'t, T>,
    },
}

impl<'t, T: Real> Distribution<'t, T> {
    /// The categorical distribution of these logits\[N,A\]. `legal`\[N,A\] marks the actions that may be taken; an empty list
    /// allows all.
    ///
    /// # Panics
    /// If `legal` has another length.
    #[track_caller]
    pub fn categorical(logits: Var<'t, T>, legal: &[bool]) -> Self {
        if legal.iter().all(|&legal| legal) {
            return Self::Categorical { log_probs: logits.log_softmax() };
        }
        let (shape, found) = (logits.shape(), legal.len());
        assert!(found == shape.size(), "categorical: logits {shape}, but {found} entries say which actions are legal");
        let mask = legal.iter().map(|&legal| if legal { T::zero() } else { T::from_f64(f64::NEG_INFINITY) }).collect();
        let mask = logits.tape().constant(Tensor::new(shape, mask));
        Self::Categorical { log_probs: (logits + mask).log_softmax() }
    }

    /// The Gaussian distribution with mean\[N,D\] and ln σ\[D\], the same in each row.
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn gaussian(mean: Var<'t, T>, log_std: Var<'t, T>) -> Self {
        Self::Gaussian { mean, log_std: log_std.broadcast_to(mean.shape()) }
    }

    /// Selects these rows. The other rows have no influence on later results, even if they hold NaN. Their gradient is
    /// exactly 0.
    ///
    /// # Panics
    /// If a row is out of range.
    #[track_caller]
    pub fn at_rows(&self, rows: &Tensor<u32>) -> Self {
        match self {
            Self::Categorical { log_probs } => Self::Categorical { log_probs: log_probs.embedding(rows) },
            Self::Gaussian { mean, log_std } => {
                Self::Gaussian { mean: mean.embedding(rows), log_std: log_std.embedding(rows) }
            }
        }
    }

    /// Computes ln π(a) of one action per row, \[N\].
    ///
    /// # Panics
    /// If the actions are of another kind, number or size.
    #[track_caller]
    pub fn log_prob(&self, actions: &Actions) -> Var<'t, T> {
        self.log_prob_in(actions, &mut ActionBuffers::default())
    }

    /// Does the same as [`log_prob`](Self::log_prob) in buffers that later calls reuse.
    #[track_caller]
    pub(crate) fn log_prob_in(&self, actions: &Actions, buffers: &mut ActionBuffers<T>) -> Var<'t, T> {
        match (self, actions) {
            (Self::Categorical { log_probs }, Actions::Discrete(actions)) => {
                let count = actions.len();
                resized(&mut buffers.indices, [count, 1]).copy_from_slice(actions);
                log_probs.gather(&buffers.indices).reshape([count])
            }
            (Self::Gaussian { mean, log_std }, Actions::Continuous { size, values }) => {
                let numbers = resized(&mut buffers.numbers, [values.len() / size, *size]);
                numbers.iter_mut().zip(values).for_each(|(to, &x)| *to = T::from_f64(x));
                let actions = mean.tape().constant(buffers.numbers.clone());
                let z = (actions - *mean) * (-*log_std).exp();
                let constant = T::from_f64(-0.5 * Real::ln(2.0 * PI));
                (z.square().scale(T::from_f64(-0.5)) - *log_std).shift(constant).sum_axis(1)
            }
            (_, actions) => panic!("log_prob: actions of another kind than the distribution: {actions:?}"),
        }
    }

    /// Computes the entropy of each row, \[N\], in nats. That of a Gaussian may be negative.
    pub fn entropy(&self) -> Var<'t, T> {
        match self {
            Self::Categorical { log_probs } => log_probs.entropy(),
            Self::Gaussian { log_std, .. } => log_std.shift(T::from_f64(0.5 * Real::ln(2.0 * PI * E))).sum_axis(1),
        }
    }

    /// Computes KL(π‖q) = Σ π·(ln π − ln q) of each row, \[N\], where q is proportional to `weights`, or uniform if there are none.
    /// An illegal action has π = 0 and adds nothing.
    ///
    /// # Panics
    /// If the distribution is Gaussian, or there is not one weight for each action.
    #[track_caller]
    pub fn divergence_from(&self, weights: &[f64]) -> Var<'t, T> {
        let Self::Categorical { log_probs } = self else {
            panic!("divergence_from: actions are numbers, expected choices")
        };
        let (shape, total) = (log_probs.shape(), weights.iter().sum::<f64>());
        let count = shape[1];
        let found = weights.len();
        assert!(
            found == count || found == 0,
            "divergence_from: {found} weights, expected one for each of {count} actions"
        );
        let share = |a: usize| weights.get(a).map_or(1.0 / count as f64, |weight| weight / total);
        let log_q = log_probs.tape().constant(Tensor::from_fn([count], |a| T::from_f64(Real::ln(share(a)))));
        -log_probs.entropy() - (log_probs.exp() * log_q.broadcast_to(shape)).sum_axis(1)
    }

    /// Returns the numbers of the distribution, from which actions are chosen.
    pub fn to_rows(&self) -> Rows<T> {
        let mut rows = Rows::empty();
        self.write_rows(&mut rows);
        rows
    }

    /// Replaces `rows` by the numbers of the distribution.
    fn write_rows(&self, rows: &mut Rows<T>) {
        match self {
            Self::Categorical { log_probs: x } => {
                if let Rows::Gaussian { .. } = rows {
                    *rows = Rows::empty();
                }
                let Rows::Categorical { actions, log_probs, probs } = rows else {
                    unreachable!("the line above made it")
                };
                *actions = x.shape()[1];
                write_numbers(*x, log_probs);
                probs.clear();
            }
            Self::Gaussian { mean: x, log_std: y } => {
                if let Rows::Categorical { .. } = rows {
                    *rows = Rows::Gaussian { size: 0, mean: Vec::new(), log_std: Vec::new() };
                }
                let Rows::Gaussian { size, mean, log_std } = rows else { unreachable!("the line above made it") };
                *size = x.shape()[1];
                write_numbers(*x, mean);
                write_numbers(*y, log_std);
            }
        }
    }

    /// Replaces `rows` by the numbers of the distribution, prepared for this choice in all rows.
    pub(crate) fn write_rows_for(&self, choice: Choice, rows: &mut Rows<T>) {
        self.write_rows(rows);
        if let (Self::Categorical { log_probs }, Rows::Categorical { probs, .. }) = (self, rows)
            && choice == Choice::SAMPLED
        {
            write_numbers(log_probs.exp(), probs);
        }
    }

    /// ln π(a), \[N,A\], of a categorical distribution.
    ///
    /// # Panics
    /// If the distribution is Gaussian.
    #[track_caller]
    pub fn log_probs(&self) -> Var<'t, T> {
        match self {
            Self::Categorical { log_probs } => *log_probs,
            Self::Gaussian { .. } => {
                panic!("log_probs: the distribution is Gaussian, so there are no discrete actions")
            }
        }
    }
}

/// The buffers of [`Distribution::log_prob_in`].
pub(crate) struct ActionBuffers<T: Real> {
    indices: Tensor<u32>,
    numbers: Tensor<T>,
}

impl<T: Real> Default for ActionBuffers<T> {
    fn default() -> Self {
        Self { indices: Tensor::zeros([0]), numbers: Tensor::zeros([0]) }
    }
}

/// The rule that chooses an action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// Takes the most probable action, or the first of them if several are equally probable. Of a Gaussian, takes the mean.
    Greedy,
    /// Draws from the distribution, changed as these numbers say. Learning from such actions with A2C is exact only for ε = 0
    /// and τ = 1, since the loss assumes actions of the policy itself.
    Sampled {
        /// ε, the probability of an action that is drawn uniformly from the legal ones. Must be 0 for a Gaussian.
        epsilon: f64,
        /// τ > 0, the temperature. Probabilities become proportional to p^(1/τ); the deviation of a Gaussian becomes σ·√τ.
        temperature: f64,
    },
}

impl Choice {
    /// Draws from the distribution itself.
    pub const SAMPLED: Self = Self::Sampled { epsilon: 0.0, temperature: 1.0 };

    /// Checks the numbers.
    #[track_caller]
    pub(crate) fn assert_valid(self) {
        if let Self::Sampled { epsilon, temperature } = self {
            assert!((0.0..=1.0).contains(&epsilon), "Choice: epsilon is {epsilon}, expected a number from 0 to 1");
            let valid = temperature > 0.0 && temperature.is_finite();
            assert!(valid, "Choice: the temperature is {temperature}, expected a positive number");
        }
    }
}

/// The numbers of a [`Distribution`] in N rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows<T> {
    /// One of several actions.
    Categorical {
        /// A.
        actions: usize,
        /// ln π(a), \[N,A\].
        log_probs: Vec<T>,
        /// π(a), \[N,A\]; empty unless many rows are sampled.
        probs: Vec<T>,
    },
    /// D independent numbers.
    Gaussian {
        /// D.
        size: usize,
        /// μ, \[N,D\].
        mean: Vec<T>,
        /// ln σ, \[N,D\].
        log_std: Vec<T>,
    },
}

impl<T: Real> Rows<T> {
    /// No rows.
    pub(crate) fn empty() -> Self {
        Self::Categorical { actions: 0, log_probs: Vec::new(), probs: Vec::new() }
    }

    /// The probability of each action of a row; empty if the distribution is Gaussian.
    pub fn probabilities(&self, row: usize) -> Vec<f64> {
        match self {
            Self::Categorical { actions, log_probs, .. } => {
                log_probs[row * actions..][..*actions].iter().map(|log_prob| log_prob.exp().value()).collect()
            }
            Self::Gaussian { .. } => Vec::new(),
        }
    }

    /// The first action of a row whose log-probability is NaN, or the first number whose mean or deviation is not finite.
    pub fn first_not_finite(&self, row: usize) -> Option<u32> {
        match self {
            Self::Categorical { actions, log_probs, .. } => first_nan(&log_probs[row * actions..][..*actions]),
            Self::Gaussian { size, mean, log_std } => {
                let is_finite = |k: usize| mean[k].value().is_finite() && log_std[k].exp().value().is_finite();
                (0..*size).find(|d| !is_finite(row * size + d)).map(|d| d as u32)
            }
        }
    }

    /// Does the same as [`choose`](Self::choose), but for the probabilities of the actions that ε draws.
    pub(crate) fn explore(&self, row: usize, choice: Choice, weights: &[f64], rng: &mut Philox, out: &mut Actions) {
        let (Self::Categorical { actions, log_probs, .. }, Choice::Sampled { epsilon, temperature }) = (self, choice)
        else {
            return self.choose(row, choice, rng, out);
        };
        if weights.is_empty() || rng.uniform_f64() >= epsilon {
            let epsilon = if weights.is_empty() { epsilon } else { 0.0 };
            return self.choose(row, Choice::Sampled { epsilon, temperature }, rng, out);
        }
        let log_probs = &log_probs[row * actions..][..*actions];
        let legal = || weights.iter().zip(log_probs).map(|(&weight, p)| if p.exp() > T::zero() { weight } else { 0.0 });
        let total: f64 = legal().sum();
        out.set(row, Action::Discrete(draw_share(legal().map(|weight| weight / total), rng.uniform_f64())));
    }

    /// Chooses the action of a row, and writes it to `out`. Sampling consumes one number per discrete action, or one normal
    /// number per entry of a vector; with ε > 0, one or two numbers more.
    ///
    /// # Panics
    /// If a number of the row is not finite, or the actions in `out` are of another kind.
    #[track_caller]
    pub fn choose(&self, row: usize, choice: Choice, rng: &mut Philox, out: &mut Actions) {
        match self {
            Self::Categorical { actions, log_probs, probs } => {
                let log_probs = &log_probs[row * actions..][..*actions];
                let action = match choice {
                    Choice::Greedy => most_probable(log_probs),
                    Choice::SAMPLED if !probs.is_empty() => {
                        assert_no_nan(log_probs);
                        draw_share(probs[row * actions..][..*actions].iter().copied(), rng.uniform_f64())
                    }
                    Choice::Sampled { epsilon, temperature } => draw_changed(log_probs, epsilon, temperature, rng),
                };
                out.set(row, Action::Discrete(action));
            }
            Self::Gaussian { size, mean, log_std } => {
                let (mean, log_std) = (&mean[row * size..][..*size], &log_std[row * size..][..*size]);
                let values = out.continuous_mut(row);
                values.iter_mut().zip(mean).for_each(|(value, mean)| *value = mean.value());
                if let Choice::Sampled { epsilon, temperature } = choice {
                    assert!(epsilon == 0.0, "choose: epsilon is {epsilon}, but a vector has no uniform distribution");
                    for (value, log_std) in values.iter_mut().zip(log_std) {
                        *value += Real::sqrt(temperature) * log_std.exp().value() * rng.normal();
                    }
                }
            }
        }
    }
}

/// Replaces a list by the elements of a variable.
pub(crate) fn write_numbers<T: Real>(x: Var<'_, T>, out: &mut Vec<T>) {
    out.clear();
    let x = x.value();
    match x.view().as_slice() {
        Some(elements) => out.extend_from_slice(elements),
        None => out.extend(x.to_vec()),
    }
}

/// Draws a discrete action with ε and the temperature of [`Choice::Sampled`].
fn draw_changed<T: Real>(log_probs: &[T], epsilon: f64, temperature: f64, rng: &mut Philox) -> u32 {
    if epsilon > 0.0 && rng.uniform_f64() < epsilon {
        let legal: Vec<u32> =
            (0..).zip(log_probs).filter(|(_, p)| p.exp() > T::zero()).map(|(action, _)| action).collect();
        return legal[rng.below(legal.len() as u32) as usize];
    }
    if temperature == 1.0 {
        return draw(log_probs, rng.uniform_f64());
    }
    let largest = log_probs[most_probable(log_probs) as usize].value();
    let weights: Vec<f64> = log_probs.iter().map(|p| (p.value() - largest) / temperature).collect();
    let total = Real::ln(weights.iter().map(|w| Real::exp(*w)).sum::<f64>());
    draw(&weights.iter().map(|w| w - total).collect::<Vec<_>>(), rng.uniform_f64())
}

/// Returns the first action whose log-probability is NaN.
pub(crate) fn first_nan<T: Real>(row: &[T]) -> Option<u32> {
    // Without a branch for each number, so that compilers vectorise the loop.
    let has_nan = row.iter().fold(false, |has_nan, &x| has_nan | x.value().is_nan());
    let position = || row.iter().position(|log_prob| log_prob.value().is_nan());
    has_nan.then(position).flatten().map(|action| action as u32)
}

/// Returns the index of the largest log-probability, or the first index if several are equal. No log-probability may be
/// NaN.
pub(crate) fn most_probable<T: Real>(row: &[T]) -> u32 {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as u32
}

/// Returns the index of the largest logit, if its log-probability is the only largest one whatever the rounding. Equal or nearly
/// equal logits, and a logit that is NaN or infinite, give `None`.
///
/// The log-probabilities are x − m − ln Σ with ln Σ < 32, so in `f32` they are multiples of at most 2⁻¹⁹ there.
pub(crate) fn clear_maximum<T: Real>(logits: &[T]) -> Option<u32> {
    let best = most_probable(logits);
    let (largest, margin) = (logits[best as usize], T::from_f64(1e-5));
    let is_clear = |(k, &x): (u32, &T)| k == best || largest - x > margin;
    (largest.is_finite() && (0..).zip(logits).all(is_clear)).then_some(best)
}

/// Draws an action by inverse transform sampling: returns the action whose interval of [0, 1) contains `u`. The length of
/// an interval is the probability of its action. Rounded probabilities may add up to less than 1. If `u` lies above their
/// sum, the function returns the last action with a probability above zero. It never returns an action of probability zero.
///
/// # Panics
/// If no probability is above zero, or if a log-probability is NaN.
#[track_caller]
pub fn draw<T: Real>(row: &[T], u: f64) -> u32 {
    assert_no_nan(row);
    draw_share(row.iter().map(|log_prob| log_prob.exp()), u)
}

#[track_caller]
fn assert_no_nan<T: Real>(row: &[T]) {
    if let Some(action) = first_nan(row) {
        panic!("draw: the log-probability of action {action} is NaN")
    }
}

/// [`draw`] from probabilities.
#[track_caller]
fn draw_share<T: Real>(probs: impl ExactSizeIterator<Item = T>, u: f64) -> u32 {
    let (count, mut below, mut drawn) = (probs.len(), 0.0, None);
    for (action, share) in probs.map(|p| p.value()).enumerate() {
        if share > 0.0 {
            (below, drawn) = (below + share, Some(action as u32));
            if u < below {
                break;
            }
        }
    }
    drawn.unwrap_or_else(|| panic!("draw: none of {count} actions has a probability above zero"))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn draw_returns_the_action_whose_interval_contains_u() {
        let row: Vec<f64> = [0.5, 0.25, 0.25].iter().map(|p: &f64| p.ln()).collect();
        assert_eq!([0.0, 0.49, 0.51, 0.74, 0.76, 0.999].map(|u| draw(&row, u)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(draw(&row, 1.0 - 1e-17), 2);
    }

    /// KL(π‖q) and its gradient π·(ln(π/q) − KL), with one illegal action, beside the sums written out.
    #[test]
    fn divergence_from_is_the_kullback_leibler_divergence() {
        let weights = [2.0, 1.0, 1.0, 0.25];
        let tape = autograd::Tape::<f64>::new();
        let logits = tape.input(Tensor::from([[0.3, -0.7, 1.1, 0.0], [-0.2, 0.4, f64::NEG_INFINITY, 0.9]]));
        let distribution = Distribution::Categorical { log_probs: logits.log_softmax() };
        let divergence = distribution.divergence_from(&weights);
        divergence.sum().backward().expect("no parameters");
        let (log_p, gradient) = (logits.log_softmax().value(), logits.grad().expect("it is reached"));
        for row in 0..2 {
            let terms = (0..4).filter(|&a| log_p.get(&[row, a]).is_finite()).map(|a| {
                let (log_p, q) = (log_p.get(&[row, a]), weights[a] / 4.25);
                (a, Real::exp(log_p), log_p - Real::ln(q))
            });
            let want: f64 = terms.clone().map(|(_, p, ratio)| p * ratio).sum();
            assert!((divergence.value().get(&[row]) - want).abs() < 1e-14);
            for (a, p, ratio) in terms {
                assert!((gradient.get(&[row, a]) - p * (ratio - want)).abs() < 1e-14, "{row} {a}");
            }
        }
        assert_eq!(gradient.get(&[1, 2]), 0.0);
        let uniform = distribution.divergence_from(&[]).value();
        assert!((uniform.get(&[0]) - (Real::ln(4.0) - distribution.entropy().value().get(&[0]))).abs() < 1e-14);
    }

    #[test]
    #[should_panic(expected = "divergence_from: 3 weights, expected one for each of 2 actions")]
    fn divergence_from_weights_of_other_actions_panics() {
        let tape = autograd::Tape::<f64>::new();
        Distribution::categorical(tape.constant(Tensor::zeros([1, 2])), &[]).divergence_from(&[1.0; 3]);
    }

    /// ε draws legal actions by their weights: within four standard errors. Without ε, it draws nothing.
    #[test]
    fn explore_draws_legal_actions_by_their_weights() {
        let log_probs = logs(&[0.2, 0.5, 0.3, 0.0]).into_iter().map(f64::from).collect();
        let rows = Rows::Categorical { actions: 4, log_probs, probs: Vec::new() };
        let (mut rng, mut counts, mut out) = (Philox::new(4), [0_usize; 4], Actions::Discrete(Vec::from([0])));
        let choice = Choice::Sampled { epsilon: 1.0, temperature: 1.0 };
        for _ in 0..8000 {
            rows.explore(0, choice, &[3.0, 1.0, 4.0, 9.0], &mut rng, &mut out);
            counts[out.discrete()[0] as usize] += 1;
        }
        assert!(counts[0].abs_diff(3000) < 174 && counts[1].abs_diff(1000) < 119 && counts[3] == 0, "{counts:?}");
        let [mut one, mut other] = [Philox::new(5), Philox::new(5)];
        for weights in [&[][..], &[1.0; 4]] {
            let mut chosen = [0; 2].map(|_| Actions::Discrete(Vec::from([0])));
            rows.explore(0, Choice::Greedy, weights, &mut one, &mut chosen[0]);
            rows.choose(0, Choice::Greedy, &mut other, &mut chosen[1]);
            assert_eq!(chosen[0], chosen[1]);
        }
        assert_eq!(one.next_u64(), other.next_u64());
    }

    fn logs(shares: &[f64]) -> Vec<f32> {
        shares.iter().map(|share| share.ln() as f32).collect()
    }

    /// The rounded probabilities add up to 0.99999994, so the largest values of u lie above their sum.
    #[test]
    fn draw_u_above_the_sum_is_the_last_action_with_nonzero_probability() {
        let shares: [f64; 4] = [0.0, 0.5, 0.49999994, 0.0];
        let row = logs(&shares);
        assert!(row.iter().map(|x| f64::from(x.exp())).sum::<f64>() < 1.0 - 1e-8);
        assert_eq!([0.0, 0.4, 0.6, 1.0 - 1e-9, 1.0 - f64::EPSILON / 2.0].map(|u| draw(&row, u)), [1, 1, 2, 2, 2]);
        assert_eq!(draw(&logs(&[1.0, 0.0]), 1.0 - f64::EPSILON / 2.0), 0);
        assert_eq!(draw(&logs(&[0.0, 1.0]), 0.0), 1);
    }

    /// χ² with 2 degrees of freedom exceeds 13.8 in one of a thousand streams. This stream is fixed.
    #[test]
    fn draw_frequencies_match_probabilities_with_zeros_first_middle_and_last() {
        use tensor::philox::{Purpose, Stream};
        const DRAWS: f64 = 1e7;
        let shares = [0.0, 0.2, 0.0, 0.5, 0.3, 0.0];
        // The sum is 1 − 10⁻⁶, so about ten of the draws lie above it.
        let row = logs(&shares.map(|share| share * (1.0 - 1e-6)));
        let mut rng = Philox::stream(3, Stream { purpose: Purpose(256), update: 0, episode: 0 });
        let mut counts = [0u32; 6];
        (0..DRAWS as u32).for_each(|_| counts[draw(&row, rng.uniform_f64()) as usize] += 1);
        assert_eq!([counts[0], counts[2], counts[5]], [0; 3], "{counts:?}");
        let positive = shares.iter().zip(counts).filter(|(share, _)| **share > 0.0);
        let chi2: f64 = positive.map(|(p, n)| (f64::from(n) - p * DRAWS).powi(2) / (p * DRAWS)).sum();
        assert!(chi2 < 13.8, "{chi2}: {counts:?}");
    }

    #[test]
    #[should_panic(expected = "draw: none of 2 actions has a probability above zero")]
    fn draw_all_probabilities_zero_panics() {
        draw(&logs(&[0.0, 0.0]), 0.5);
    }

    #[test]
    #[should_panic(expected = "draw: the log-probability of action 1 is NaN")]
    fn draw_nan_panics() {
        draw(&[-0.1, f64::NAN], 0.5);
    }

    #[test]
    fn first_not_finite_names_the_row_and_the_action() {
        let rows =
            Rows::Categorical { actions: 2, log_probs: alloc::vec![-0.5, -1.0, -1.0, f64::NAN], probs: Vec::new() };
        assert_eq!([0, 1].map(|row| rows.first_not_finite(row)), [None, Some(1)]);
        for (mean, log_std) in [(f64::NAN, 0.0), (f64::INFINITY, 0.0), (0.0, f64::NAN), (0.0, 1e3)] {
            let (mean, log_std) = (alloc::vec![0.5, 1.0, 0.0, mean], alloc::vec![0.0, 0.0, 0.0, log_std]);
            let rows = Rows::Gaussian { size: 2, mean, log_std };
            assert_eq!([0, 1].map(|row| rows.first_not_finite(row)), [None, Some(1)]);
        }
    }

    /// Where there is a clear maximum, it is the greedy action of the log-probabilities.
    #[test]
    fn clear_maximum_agrees_with_the_log_probabilities_or_is_none() {
        let mut rng = tensor::philox::Philox::new(7);
        let (mut clear, mut unclear) = (0, 0);
        for case in 0..2000 {
            let spread = [1.0, 1e-4, 3e-6, 1e-7][case % 4];
            let (shift, count) = ([0.0, 1.0, -30.0, 1e3][case / 4 % 4], 2 + case % 17);
            let row: Vec<f32> = (0..count).map(|_| (shift + spread * rng.normal()) as f32).collect();
            let tape = autograd::Tape::<f32>::no_grad();
            let log_probs = tape.constant(Tensor::new([1, count], row.clone())).log_softmax().value().to_vec();
            match clear_maximum(&row) {
                Some(action) => assert_eq!(action, most_probable(&log_probs), "{row:?}"),
                None => unclear += 1,
            }
            clear += usize::from(clear_maximum(&row).is_some());
        }
        assert!(clear > 400 && unclear > 400, "{clear} and {unclear}");
        for row in [[0.0, f32::NAN], [f32::NAN, 0.0], [f32::INFINITY, 0.0], [f32::NEG_INFINITY; 2]] {
            assert_eq!(clear_maximum(&row), None);
        }
        assert_eq!(clear_maximum(&[0.0, f32::NEG_INFINITY]), Some(0));
    }

    #[test]
    fn most_probable_of_equal_actions_is_the_first() {
        assert_eq!(most_probable(&[-1.0, -0.5, -0.5]), 1);
    }

    /// Probabilities, entropies, and the gradient of ln π(a) and of the entropy at these logits\[1,3\].
    fn masked<T: Real>(logits: [f64; 3], legal: [bool; 3], action: u32) -> [Vec<f64>; 4] {
        let numbers = |x: &[T]| x.iter().map(|x| x.value()).collect::<Vec<_>>();
        let gradient = |of: &dyn for<'t> Fn(&Distribution<'t, T>) -> Var<'t, T>| {
            let tape = autograd::Tape::<T>::new();
            let logits = tape.input(Tensor::from_fn([1, 3], |k| T::from_f64(logits[k])));
            of(&Distribution::categorical(logits, &legal)).sum().backward().expect("no parameters");
            numbers(&logits.grad().expect("reached").to_vec())
        };
        let tape = autograd::Tape::<T>::no_grad();
        let logits = tape.constant(Tensor::from_fn([1, 3], |k| T::from_f64(logits[k])));
        let distribution = Distribution::categorical(logits, &legal);
        [
            distribution.to_rows().probabilities(0),
            numbers(&distribution.entropy().value().to_vec()),
            gradient(&|distribution| distribution.log_prob(&Actions::Discrete(alloc::vec![action]))),
            gradient(&|distribution| distribution.entropy()),
        ]
    }

    #[test]
    fn categorical_illegal_actions_have_probability_and_gradient_zero() {
        for logits in [[0.5, -1.0, 0.25], [1e30, 1e30, -1e30], [-1e30, 1e30, 0.0], [-1e30; 3]] {
            for bits in 1..7_u32 {
                let legal = [0, 1, 2].map(|action| bits >> action & 1 > 0);
                let first = bits.trailing_zeros();
                for results in [masked::<f64>(logits, legal, first), masked::<f32>(logits, legal, first)] {
                    let [p, entropy, d_log_prob, d_entropy] = &results;
                    let all = results.iter().flatten();
                    assert!(all.clone().all(|x| x.is_finite()), "{logits:?} {legal:?}: {results:?}");
                    for k in (0..3).filter(|&k| !legal[k]) {
                        assert_eq!([p[k], d_log_prob[k], d_entropy[k]], [0.0; 3], "{logits:?} {legal:?}");
                    }
                    assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-6);
                    let count = f64::from(bits.count_ones());
                    assert!((-1e-12..=Real::ln(count) + 1e-6).contains(&entropy[0]), "{entropy:?}");
                    if count == 1.0 {
                        assert_eq!((p[first as usize], entropy[0]), (1.0, 0.0));
                    }
                }
            }
        }
    }

    /// The legal actions are distributed as if there were no others.
    #[test]
    fn categorical_legal_actions_are_the_softmax_of_their_logits() {
        let [p, entropy, d_log_prob, _] = masked::<f64>([0.5, 7.0, -0.25], [true, false, true], 2);
        let q = 1.0 / (1.0 + Real::exp(0.75_f64)); // of action 2
        let want = -q * Real::ln(q) - (1.0 - q) * Real::ln(1.0 - q);
        assert!((p[2] - q).abs() < 1e-15 && (entropy[0] - want).abs() < 1e-15, "{p:?} {entropy:?}");
        assert!((d_log_prob[2] - (1.0 - q)).abs() < 1e-15 && (d_log_prob[0] + 1.0 - q).abs() < 1e-15, "{d_log_prob:?}");
    }

    #[test]
    #[should_panic(expected = "categorical: logits [1, 3], but 2 entries say which actions are legal")]
    fn categorical_mask_of_another_size_panics() {
        let tape = autograd::Tape::<f64>::no_grad();
        Distribution::categorical(tape.constant(Tensor::zeros([1, 3])), &[true, false]);
    }

    /// μ = 0.3, σ = 0.7, a = 1.1: z = 8/7, ln π = −32/49 − ln 0.7 − ½·ln 2π, entropy = ln 0.7 + ½·(1 + ln 2π). The second
    /// number has μ = −1, σ = 2, a = −2: z = −½.
    #[test]
    fn gaussian_log_prob_and_entropy_match_closed_numbers() {
        let half_ln_2_pi = 0.918_938_533_204_672_7;
        let (ln_a, ln_b) = (-0.356_674_943_938_732_4, core::f64::consts::LN_2); // ln 0.7, ln 2
        let tape = autograd::Tape::<f64>::no_grad();
        let numbers = |mean: &[f64], log_std: &[f64], action: &[f64]| {
            let (size, mean) = (mean.len(), tape.constant(Tensor::new([1, mean.len()], mean.to_vec())));
            let distribution = Distribution::gaussian(mean, tape.constant(Tensor::new([size], log_std.to_vec())));
            let log_prob = distribution.log_prob(&Actions::Continuous { size, values: action.to_vec() });
            (log_prob.value().to_vec()[0], distribution.entropy().value().to_vec()[0])
        };
        let first = (-32.0 / 49.0 - ln_a - half_ln_2_pi, ln_a + 0.5 + half_ln_2_pi);
        let second = (-0.125 - ln_b - half_ln_2_pi, ln_b + 0.5 + half_ln_2_pi);
        let near = |(a, b): (f64, f64), (c, d): (f64, f64)| (a - c).abs() < 1e-14 && (b - d).abs() < 1e-14;
        assert!(near(numbers(&[0.3], &[ln_a], &[1.1]), first));
        assert!(near(numbers(&[-1.0], &[ln_b], &[-2.0]), second));
        let both = numbers(&[0.3, -1.0], &[ln_a, ln_b], &[1.1, -2.0]);
        assert!(near(both, (first.0 + second.0, first.1 + second.1)), "the sum over numbers: {both:?}");
    }

    /// Draws from a row of probabilities p, and returns χ² of the frequencies against `want`.
    fn chi_square(p: &[f64], choice: Choice, want: &[f64]) -> f64 {
        const DRAWS: u32 = 100_000;
        let rows = Rows::Categorical {
            actions: p.len(),
            log_probs: p.iter().map(|&p| Real::ln(p)).collect(),
            probs: p.to_vec(),
        };
        let (mut rng, mut out) = (crate::test_tasks::rng(1), Actions::Discrete(alloc::vec![0]));
        let mut counts = alloc::vec![0.0; p.len()];
        for _ in 0..DRAWS {
            rows.choose(0, choice, &mut rng, &mut out);
            counts[out.discrete()[0] as usize] += 1.0;
        }
        let total: f64 = want.iter().sum();
        let expected = want.iter().map(|p| p / total * f64::from(DRAWS));
        counts
            .iter()
            .zip(expected)
            .map(|(n, want): (&f64, f64)| if want == 0.0 { *n } else { (n - want).powi(2) / want })
            .sum()
    }

    /// χ² with 2 degrees of freedom exceeds 13.8 in one of a thousand streams. These streams are fixed. Action 1 is illegal.
    #[test]
    fn choose_frequencies_match_epsilon_and_temperature() {
        let p: [f64; 4] = [0.5, 0.0, 0.3, 0.2];
        for epsilon in [0.0, 0.1, 0.6, 1.0] {
            for temperature in [1.0, 0.5, 2.0, 1e6] {
                let powers = p.map(|p| if p > 0.0 { p.powf(1.0 / temperature) } else { 0.0 });
                let total: f64 = powers.iter().sum();
                let uniform = p.map(|p| if p > 0.0 { epsilon / 3.0 } else { 0.0 });
                let want: Vec<f64> = (0..4).map(|k| (1.0 - epsilon) * powers[k] / total + uniform[k]).collect();
                let chi2 = chi_square(&p, Choice::Sampled { epsilon, temperature }, &want);
                assert!(chi2 < 13.8, "ε = {epsilon}, τ = {temperature}: {chi2}");
                let other = chi_square(&p, Choice::Sampled { epsilon, temperature: 1.7 * temperature }, &want);
                assert!(temperature == 1e6 || epsilon == 1.0 || other > 50.0, "the test sees another τ: {other}");
            }
        }
        assert_eq!(chi_square(&p, Choice::Sampled { epsilon: 0.0, temperature: 1e-3 }, &[1.0, 0.0, 0.0, 0.0]), 0.0);
    }

    #[test]
    fn choose_gaussian_draws_have_mean_and_deviation_and_greedy_is_the_mean() {
        let rows =
            Rows::Gaussian { size: 1, mean: alloc::vec![9.0, 0.3], log_std: alloc::vec![0.0, Real::ln(0.7_f64)] };
        let mut out = Actions::Continuous { size: 1, values: alloc::vec![0.0; 2] };
        let mut draw = |choice, rng: &mut Philox| {
            rows.choose(1, choice, rng, &mut out);
            out.get(1).continuous()[0]
        };
        assert_eq!(draw(Choice::Greedy, &mut crate::test_tasks::rng(1)), 0.3);
        for temperature in [1.0, 4.0] {
            let mut rng = crate::test_tasks::rng(2);
            let choice = Choice::Sampled { epsilon: 0.0, temperature };
            let drawn: Vec<f64> = (0..100_000).map(|_| draw(choice, &mut rng)).collect();
            let mean = drawn.iter().sum::<f64>() / 1e5;
            let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
            // At least four standard errors: σ/√n of the mean, σ²·√(2/n) of the variance.
            let sigma = 0.7 * Real::sqrt(temperature);
            assert!(
                (mean - 0.3).abs() < 0.013 * sigma && (variance / (sigma * sigma) - 1.0).abs() < 0.018,
                "{mean} {variance}"
            );
        }
    }

    #[test]
    #[should_panic(expected = "choose: epsilon is 0.5, but a vector has no uniform distribution")]
    fn choose_gaussian_with_epsilon_panics() {
        let rows = Rows::Gaussian { size: 1, mean: alloc::vec![0.0], log_std: alloc::vec![0.0] };
        let choice = Choice::Sampled { epsilon: 0.5, temperature: 1.0 };
        rows.choose(0, choice, &mut Philox::new(0), &mut Actions::Continuous { size: 1, values: alloc::vec![0.0] });
    }

    #[test]
    #[should_panic(expected = "Choice: epsilon is NaN, expected a number from 0 to 1")]
    fn assert_valid_epsilon_nan_panics() {
        Choice::Sampled { epsilon: f64::NAN, temperature: 1.0 }.assert_valid();
    }

    #[test]
    #[should_panic(expected = "Choice: epsilon is 1.5, expected a number from 0 to 1")]
    fn assert_valid_epsilon_above_one_panics() {
        Choice::Sampled { epsilon: 1.5, temperature: 1.0 }.assert_valid();
    }

    #[test]
    #[should_panic(expected = "Choice: the temperature is 0, expected a positive number")]
    fn assert_valid_temperature_zero_panics() {
        Choice::Sampled { epsilon: 0.0, temperature: 0.0 }.assert_valid();
    }

    #[test]
    #[should_panic(expected = "Choice: the temperature is inf, expected a positive number")]
    fn assert_valid_temperature_infinite_panics() {
        Choice::Sampled { epsilon: 0.0, temperature: f64::INFINITY }.assert_valid();
    }
}
