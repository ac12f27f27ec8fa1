//! Acting: episodes from their contexts to their ends, written down.

use alloc::vec;
use alloc::vec::Vec;

use autograd::{Scan, Tape, Var};
use nn::Params;
use tensor::philox::Philox;
use tensor::{Real, Tensor};

use crate::env::{Env, Step};
use crate::policy::{Decisions, Network, Policy};
use crate::trajectories::Trajectories;

/// How an action is chosen.
pub enum Choice<'a> {
    /// The most probable one, the first of equals.
    Greedy,
    /// Drawn from the policy; episode i uses generator i, one number a step.
    Sampled(&'a mut [Philox]),
}

/// The contexts of all episodes, \[L,B\].
pub fn contexts(env: &dyn Env) -> Vec<u32> {
    let token = |t: usize| (0..env.len()).map(move |i| env.context(i)[t]);
    (0..env.context_len()).flat_map(token).collect()
}

/// When a policy stops to act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// Once all episodes of the vector are done.
    #[default]
    Done,
    /// After this many actions, whether or not they still count: the tutorial's way.
    Emitted(usize),
}

/// What a policy has read and decided at one step of B episodes, before it acts.
pub struct Moment<'a, 't, T: Real> {
    /// The network.
    pub network: &'a Network<'a, 't, T>,
    /// The tokens that were read since the last step, \[K,B\]: the prompt, and then those of the actions.
    pub tokens: &'a Tensor<u32>,
    /// The state before them, \[B,d\].
    pub before: Var<'t, T>,
    /// The state after each of them, \[K,B,d\].
    pub states: Var<'t, T>,
    /// What was decided in the last of these.
    pub decisions: Decisions<'t, T>,
}

/// Plays the episodes of `env`, which was reset, to their ends. They are shown `contexts`\[L,B\]: their own, or others.
///
/// The `tape` should be one that evaluates; it is cleared before and after.
///
/// # Panics
/// If `contexts` or a sampling `choice` is not for as many episodes as `env` has, or if a greedy `choice` meets a probability of
/// NaN. (Where actions are sampled, the loss tells: the learner reports it.)
pub fn play<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    tape: &mut Tape<T>,
    env: &mut dyn Env,
    contexts: Vec<u32>,
    choice: Choice<'_>,
    until: Until,
) -> Trajectories {
    run((policy, params), tape, env, contexts, choice, until, None, |_| ())
}

/// [`play`] to the end, with what the GRU computed kept in `scan`, for
/// [`Network::decisions_known`]; where its variant cannot, `scan` is left empty.
///
/// # Panics
/// As [`play`] does.
pub fn play_and_keep<T: Real>(
    (policy, params): (&Policy, &Params<T>),
    tape: &mut Tape<T>,
    env: &mut dyn Env,
    contexts: Vec<u32>,
    choice: Choice<'_>,
    scan: &mut Scan<T>,
) -> Trajectories {
    run((policy, params), tape, env, contexts, choice, Until::Done, Some(scan), |_| ())
}

/// [`play`], while `see` looks on at each step.
///
/// # Panics
/// As [`play`] does.
pub fn watch<T: Real>(
    (policy, params): (&Policy, &Params<T>),
    tape: &mut Tape<T>,
    env: &mut dyn Env,
    contexts: Vec<u32>,
    choice: Choice<'_>,
    until: Until,
    see: impl FnMut(Moment<'_, '_, T>),
) -> Trajectories {
    run((policy, params), tape, env, contexts, choice, until, None, see)
}

#[expect(clippy::too_many_arguments, reason = "those of `watch`, and one")]
fn run<T: Real>(
    (policy, params): (&Policy, &Params<T>),
    tape: &mut Tape<T>,
    env: &mut dyn Env,
    contexts: Vec<u32>,
    mut choice: Choice<'_>,
    until: Until,
    scan: Option<&mut Scan<T>>,
    mut see: impl FnMut(Moment<'_, '_, T>),
) -> Trajectories {
    let episodes = env.len();
    let mut out = Trajectories { stage: env.stage(), episodes, contexts, ..Trajectories::default() };
    let mut steps = vec![Step::default(); episodes];
    tape.clear();
    {
        let network = policy.on(params.bind(tape));
        let shown = out.contexts();
        let mut tokens = network.prompt(&shown);
        let mut h = network.start(out.stage, &shown);
        let mut scan = scan.and_then(|scan| network.begin(h, scan).then_some(scan));
        while match until {
            Until::Done => !steps.iter().all(|step| step.done),
            Until::Emitted(count) => out.steps < count,
        } {
            let before = h;
            let states = match &mut scan {
                Some(scan) => network.read_on(&tokens, scan),
                None => network.read(&tokens, h),
            };
            h = states.select(0, tokens.shape()[0] - 1);
            let decisions = network.decide(h);
            see(Moment { network: &network, tokens: &tokens, before, states, decisions });
            let actions = choose(&decisions.log_probs.value(), &mut choice);

            out.valid.extend(steps.iter().map(|step| !step.done));
            out.values.extend(decisions.values.value().to_vec().iter().map(|v| v.value()));
            env.step(&actions, &mut steps);
            out.rewards.extend(steps.iter().map(|step| step.reward));
            let read: Vec<u32> = actions.iter().map(|&action| env.token(action)).collect();
            tokens = Tensor::new([1, episodes], read.clone());
            out.tokens.extend(read);
            out.actions.extend(actions);
            out.steps += 1;
        }
    }
    tape.clear();
    out.solved = (0..episodes).map(|i| env.solved(i)).collect();
    out
}

/// (stage, first episode, episodes) of each chunk: every stage's part in the fewest chunks of at most `limit` episodes,
/// of sizes that differ by one at most.
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

fn choose<T: Real>(log_probs: &Tensor<T>, choice: &mut Choice<'_>) -> Vec<u32> {
    let rows = log_probs.to_vec();
    let rows = rows.chunks(log_probs.shape()[1]);
    match choice {
        Choice::Greedy => rows.enumerate().map(|(i, row)| greedy(i, row)).collect(),
        Choice::Sampled(rngs) => {
            assert_eq!(rngs.len(), rows.len(), "play: one generator for each episode");
            rows.zip(rngs.iter_mut()).map(|(row, rng)| draw(row, rng.uniform_f64())).collect()
        }
    }
}

/// The most probable action of `episode`.
///
/// # Panics
/// If a log-probability is NaN.
fn greedy<T: Real>(episode: usize, row: &[T]) -> u32 {
    if let Some(action) = row.iter().position(|log_prob| log_prob.value().is_nan()) {
        panic!("play: the probability of action {action} in episode {episode} is NaN; are all parameters finite?");
    }
    most_probable(row)
}

/// The first of the largest.
pub(crate) fn most_probable<T: Real>(row: &[T]) -> u32 {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as u32
}

/// The action in whose share of [0, 1) the number `u` lies.
pub fn draw<T: Real>(row: &[T], u: f64) -> u32 {
    let mut below = 0.0;
    let reaches = |log_prob: &T| {
        below += log_prob.exp().value();
        u < below
    };
    row.iter().position(reaches).unwrap_or(row.len() - 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_probabilities() {
        let row: Vec<f64> = [0.5, 0.25, 0.25].iter().map(|p: &f64| p.ln()).collect();
        assert_eq!([0.0, 0.49, 0.51, 0.74, 0.76, 0.999].map(|u| draw(&row, u)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(draw(&row, 1.0 - 1e-17), 2);
    }

    #[test]
    #[should_panic(expected = "the probability of action 1 in episode 1 is NaN")]
    fn greedy_probability_nan_is_refused() {
        choose(&Tensor::from([[-0.5, -1.0], [-0.5, f64::NAN]]), &mut Choice::Greedy);
    }

    #[test]
    fn the_first_of_equals_is_greedy() {
        assert_eq!(most_probable(&[-1.0, -0.5, -0.5]), 1);
    }

    #[test]
    fn chunks_are_few_and_alike() {
        assert_eq!(chunks(&[192, 0, 0], 48), [(0, 0, 48), (0, 48, 48), (0, 96, 48), (0, 144, 48)]);
        assert_eq!(chunks(&[32, 0, 49], 48), [(0, 0, 32), (2, 32, 25), (2, 57, 24)]);
        assert_eq!(chunks(&[0, 0, 0], 48), []);
    }
}
