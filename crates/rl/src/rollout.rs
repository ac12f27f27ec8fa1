//! Rollouts: plays episodes from their contexts to their ends and records them.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use autograd::{GruStepper, Tape, Var};
use nn::Params;
use tensor::philox::Philox;
use tensor::{Real, Tensor};

use crate::env::{Env, Step};
use crate::policy::{Decisions, Network, Policy};
use crate::trajectories::Trajectories;

/// The rule that chooses an action.
pub enum Choice<'a> {
    /// Takes the most probable action. If several are equally probable, takes the first of them.
    Greedy,
    /// Samples from the policy; episode i takes one number per step from generator i.
    Sampled(&'a mut [Philox]),
}

/// The error that no action can be chosen, because a log-probability is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The stage.
    pub stage: usize,
    /// The index of the episode among the played episodes, from 0.
    pub episode: usize,
    /// The index of the step in the episode, from 0.
    pub step: usize,
    /// The first action whose log-probability is NaN.
    pub action: u32,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, episode, step, action } = self;
        write!(
            f,
            "the log-probability of action {action} is NaN at step {step} of episode {episode}, stage {stage}: \
             a parameter is not finite, or so large that a logit overflows; load parameters from an earlier update"
        )
    }
}

impl core::error::Error for Undecided {}

/// The contexts of all episodes, \[L,B\].
///
/// # Panics
/// If a context has another length than [`Env::context_len`].
#[track_caller]
pub fn contexts(env: &dyn Env) -> Vec<u32> {
    let want = env.context_len();
    for i in 0..env.len() {
        let got = env.context(i).len();
        assert!(
            got == want,
            "Env::context: the context of episode {i} has {got} tokens, but Env::context_len is {want}"
        );
    }
    let token = |t: usize| (0..env.len()).map(move |i| env.context(i)[t]);
    (0..env.context_len()).flat_map(token).collect()
}

/// A view of one step of B episodes before the policy acts: the tokens that it has read, and its decisions.
pub struct Moment<'a, 't, T: Real> {
    /// The network.
    pub network: &'a Network<'a, 't, T>,
    /// The tokens read since the previous step, \[K,B\]: the context at step 0, later the token of each action.
    pub tokens: &'a Tensor<u32>,
    /// The state before these tokens, \[B,H\].
    pub before: Var<'t, T>,
    /// The state after each of these tokens, \[K,B,H\].
    pub states: Var<'t, T>,
    /// The decisions in the last of these states.
    pub decisions: Decisions<'t, T>,
}

/// Plays the episodes of `env` to their ends. The caller has reset `env`. The policy reads `contexts`\[L,B\]: the contexts
/// of these episodes, or other ones.
///
/// The `tape` should be one from [`Tape::no_grad`]; this function clears it before and after.
///
/// The function does not return if an environment never ends its episodes. [`TimeLimit`](crate::env::TimeLimit) ends them.
///
/// # Errors
/// If the log-probability of an action is NaN.
///
/// # Panics
/// - If `contexts` is not \[L,B\] for the L ≥ 1 tokens of a context and the B episodes of `env`.
/// - If a sampling `choice` does not have one generator per episode.
/// - If a token of a context or an action is outside the vocabulary of the policy, or a reward is not finite.
#[track_caller]
pub fn play<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    tape: &mut Tape<T>,
    env: &mut dyn Env,
    contexts: Vec<u32>,
    choice: Choice<'_>,
) -> Result<Trajectories, Undecided> {
    play_with((policy, params), tape, env, contexts, choice, None, |_| ())
}

/// Plays as [`play`] does, and calls `see` at each step. If `stepper` is given, it keeps the states and gates of the GRU for
/// [`Network::decisions_known`]. A variant of the GRU without a fused form leaves `stepper` empty.
///
/// # Errors
/// As [`play`].
///
/// # Panics
/// As [`play`].
#[track_caller]
pub fn play_with<T: Real>(
    (policy, params): (&Policy, &Params<T>),
    tape: &mut Tape<T>,
    env: &mut dyn Env,
    contexts: Vec<u32>,
    mut choice: Choice<'_>,
    stepper: Option<&mut GruStepper<T>>,
    mut see: impl FnMut(Moment<'_, '_, T>),
) -> Result<Trajectories, Undecided> {
    let (episodes, vocabulary) = (env.len(), params.shape(policy.embedding.weight)[0]);
    assert_contexts(&contexts, env.context_len(), episodes, vocabulary);
    let mut out = Trajectories { stage: env.stage(), episodes, contexts, ..Trajectories::default() };
    let mut steps = vec![Step::default(); episodes];
    tape.clear();
    let undecided = {
        let network = policy.on(params.bind(tape));
        let shown = out.contexts();
        let mut h = network.start(out.stage, episodes);
        let mut tokens = shown;
        let mut stepper = stepper.and_then(|stepper| network.begin(h, stepper).then_some(stepper));
        loop {
            if steps.iter().all(|step| step.done) {
                break None;
            }
            let before = h;
            let states = match &mut stepper {
                Some(stepper) => network.read_on(&tokens, stepper),
                None => network.read(&tokens, h),
            };
            h = states.select(0, tokens.shape()[0] - 1);
            let decisions = network.decide(h);
            see(Moment { network: &network, tokens: &tokens, before, states, decisions });
            let actions = match choose(&decisions.log_probs.value(), &mut choice) {
                Ok(actions) => actions,
                Err((episode, action)) => break Some(Undecided { stage: out.stage, episode, step: out.steps, action }),
            };

            out.valid.extend(steps.iter().map(|step| !step.done));
            out.values.extend(decisions.values.value().to_vec().iter().map(|v| v.value()));
            env.step(&actions, &mut steps);
            out.rewards.extend(steps.iter().map(|step| step.reward));
            let read: Vec<u32> = actions.iter().map(|&action| env.token(action)).collect();
            for (i, valid) in out.valid[out.steps * episodes..].iter().enumerate() {
                let (t, reward, token) = (out.steps, steps[i].reward, read[i]);
                assert!(
                    reward.is_finite() || !valid,
                    "Env::step: the reward of episode {i} at step {t} is {reward}, expected a finite number"
                );
                let fits = (token as usize) < vocabulary;
                assert!(
                    fits,
                    "Env::token: action {} has token {token}, outside the vocabulary of {vocabulary}",
                    actions[i]
                );
            }
            tokens = Tensor::new([1, episodes], read.clone());
            out.tokens.extend(read);
            out.actions.extend(actions);
            out.steps += 1;
        }
    };
    tape.clear();
    if let Some(undecided) = undecided {
        return Err(undecided);
    }
    out.solved = (0..episodes).map(|i| env.solved(i)).collect();
    Ok(out)
}

/// Checks that contexts\[L,B\] have L ≥ 1 tokens of the vocabulary for each of B episodes.
#[track_caller]
fn assert_contexts(contexts: &[u32], len: usize, episodes: usize, vocabulary: usize) {
    assert!(len > 0, "play: the context is empty, but a policy reads a token before its first action");
    let got = contexts.len();
    assert!(got == len * episodes, "play: {got} context tokens for {episodes} episodes, expected {len} each");
    if let Some(k) = contexts.iter().position(|&token| token as usize >= vocabulary) {
        let (token, t, i) = (contexts[k], k / episodes, k % episodes);
        panic!("play: token {token} at {t} of the context of episode {i} is outside the vocabulary of {vocabulary}")
    }
}

/// Divides the episodes of each stage into chunks: (stage, first episode, number of episodes). Each stage has as few
/// chunks of at most `limit` episodes as possible. The sizes of its chunks differ by at most one.
pub(crate) fn chunks(counts: &[usize], limit: usize) -> Vec<(usize, usize, usize)> {
    let mut out = Vec::new();
    let mut first = 0;
    for (stage, &count) in counts.iter().enumerate() {
        let parts = count.div_ceil(limit);
        for part in 0..parts {
            let episodes = count / parts + usize::from(part < count % parts);
            out.push((stage, first, episodes));
            first += episodes;
        }
    }
    out
}

/// Chooses an action for each row of log-probabilities.
///
/// # Errors
/// Returns the row and the action of the first NaN.
///
/// # Panics
/// If the number of generators of a sampling `choice` differs from the number of rows.
pub fn choose<T: Real>(log_probs: &Tensor<T>, choice: &mut Choice<'_>) -> Result<Vec<u32>, (usize, u32)> {
    let rows = log_probs.to_vec();
    let rows = rows.chunks(log_probs.shape()[1]);
    if let Some(undecided) = rows.clone().enumerate().find_map(|(i, row)| Some((i, first_nan(row)?))) {
        return Err(undecided);
    }
    Ok(match choice {
        Choice::Greedy => rows.map(most_probable).collect(),
        Choice::Sampled(rngs) => {
            let (given, wanted) = (rngs.len(), rows.len());
            assert!(given == wanted, "choose: {wanted} rows need as many generators, not {given}");
            rows.zip(rngs.iter_mut()).map(|(row, rng)| draw(row, rng.uniform_f64())).collect()
        }
    })
}

/// Returns the first action whose log-probability is NaN.
pub(crate) fn first_nan<T: Real>(row: &[T]) -> Option<u32> {
    row.iter().position(|log_prob| log_prob.value().is_nan()).map(|action| action as u32)
}

/// Returns the index of the largest log-probability, or the first index if several are equal. No log-probability may be
/// NaN.
pub(crate) fn most_probable<T: Real>(row: &[T]) -> u32 {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as u32
}

/// Draws an action by inverse transform sampling: returns the action whose interval of [0, 1) contains `u`. The length of
/// an interval is the probability of its action. Rounded probabilities may add up to less than 1. If `u` lies above their
/// sum, the function returns the last action with a probability above zero. It never returns an action of probability zero.
///
/// # Panics
/// If no probability is above zero, or if a log-probability is NaN.
#[track_caller]
pub fn draw<T: Real>(row: &[T], u: f64) -> u32 {
    if let Some(action) = first_nan(row) {
        panic!("draw: the log-probability of action {action} is NaN")
    }
    let (mut below, mut drawn) = (0.0, None);
    for (action, log_prob) in row.iter().enumerate() {
        let share = log_prob.exp().value();
        if share > 0.0 {
            (below, drawn) = (below + share, Some(action as u32));
            if u < below {
                break;
            }
        }
    }
    drawn.unwrap_or_else(|| panic!("draw: none of {} actions has a probability above zero", row.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::tests::Endless;

    /// Two episodes of three steps, whose context, tokens or rewards may be faulty.
    #[derive(Clone, Copy)]
    struct Faulty {
        context: &'static [u32],
        token: u32,
        reward: f64,
        taken: usize,
    }

    const SOUND: Faulty = Faulty { context: &[0, 1], token: 1, reward: 0.5, taken: 0 };

    impl Env for Faulty {
        fn stage(&self) -> usize {
            0
        }
        fn len(&self) -> usize {
            2
        }
        fn context_len(&self) -> usize {
            2
        }
        fn reset(&mut self, _: &mut [Philox]) {}
        fn context(&self, episode: usize) -> &[u32] {
            if episode == 1 { self.context } else { &[0, 1] }
        }
        fn token(&self, _: u32) -> u32 {
            self.token
        }
        /// Episode 0 is done at step 1. Its later rewards do not matter.
        fn step(&mut self, _: &[u32], out: &mut [Step]) {
            self.taken += 1;
            let rewards = if self.taken == 3 { [f64::NAN, self.reward] } else { [0.0; 2] };
            out[0] = Step { reward: rewards[0], done: self.taken >= 2 };
            out[1] = Step { reward: rewards[1], done: self.taken == 3 };
        }
        fn solved(&self, _: usize) -> bool {
            true
        }
    }

    /// Plays the environment with a policy for two tokens.
    fn play_faulty(mut env: Faulty, contexts: Vec<u32>) -> Trajectories {
        let mut params = Params::<f32>::new();
        let policy = Policy::new(&mut params, &Endless { ends: None, pays: [1.0; 2] }, 4, 1);
        play(&policy, &params, &mut Tape::no_grad(), &mut env, contexts, Choice::Greedy).expect("finite")
    }

    fn play_own(env: Faulty) -> Trajectories {
        play_faulty(env, contexts(&env))
    }

    #[test]
    fn play_reward_after_the_end_may_be_nan() {
        assert_eq!(play_own(SOUND).total_reward(), 0.5);
    }

    #[test]
    #[should_panic(expected = "the reward of episode 1 at step 2 is NaN, expected a finite number")]
    fn play_nan_reward_is_refused_with_episode_and_step() {
        play_own(Faulty { reward: f64::NAN, ..SOUND });
    }

    #[test]
    #[should_panic(expected = "the context of episode 1 has 3 tokens, but Env::context_len is 2")]
    fn contexts_of_another_length_are_refused() {
        play_own(Faulty { context: &[0, 1, 1], ..SOUND });
    }

    #[test]
    #[should_panic(expected = "token 2 at 0 of the context of episode 1 is outside the vocabulary of 2")]
    fn play_context_token_outside_the_vocabulary_is_named() {
        play_own(Faulty { context: &[2, 1], ..SOUND });
    }

    #[test]
    #[should_panic(expected = "Env::token: action 0 has token 9, outside the vocabulary of 2")]
    fn play_action_token_outside_the_vocabulary_is_named() {
        play_own(Faulty { token: 9, ..SOUND });
    }

    #[test]
    #[should_panic(expected = "play: 3 context tokens for 2 episodes, expected 2 each")]
    fn play_contexts_of_another_size_are_refused() {
        play_faulty(SOUND, vec![0; 3]);
    }

    #[test]
    fn draw_returns_the_action_whose_interval_contains_u() {
        let row: Vec<f64> = [0.5, 0.25, 0.25].iter().map(|p: &f64| p.ln()).collect();
        assert_eq!([0.0, 0.49, 0.51, 0.74, 0.76, 0.999].map(|u| draw(&row, u)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(draw(&row, 1.0 - 1e-17), 2);
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
    fn choose_nan_is_an_error_with_its_row_and_action() {
        let rows = Tensor::from([[-0.5, -1.0], [-1.0, f64::NAN]]);
        assert_eq!(choose(&rows, &mut Choice::Greedy), Err((1, 1)));
    }

    #[test]
    fn most_probable_of_equal_actions_is_the_first() {
        assert_eq!(most_probable(&[-1.0, -0.5, -0.5]), 1);
    }

    #[test]
    fn chunks_are_few_and_of_similar_size() {
        assert_eq!(chunks(&[192, 0, 0], 48), [(0, 0, 48), (0, 48, 48), (0, 96, 48), (0, 144, 48)]);
        assert_eq!(chunks(&[32, 0, 49], 48), [(0, 0, 32), (2, 32, 25), (2, 57, 24)]);
        assert_eq!(chunks(&[0, 0, 0], 48), []);
    }
}
