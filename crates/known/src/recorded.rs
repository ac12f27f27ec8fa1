//! Episodes that the scripts in `golden` recorded from the original libraries, and their replay.

use rl::env::{self, Action, Actions, Env, Observer, SingleEnv, Spec, Step, Task, Transitions};
use tensor::philox::Philox;

use crate::cards;

/// An episode of the original environment.
pub(crate) struct Recorded<'a> {
    /// The variant of the problem, such as its size.
    pub variant: &'a str,
    /// What the reset drew.
    pub hidden: &'a str,
    /// The first observation.
    first: Vec<f64>,
    /// The steps: action, reward, end and next observation.
    steps: Vec<(u32, f64, &'a str, Vec<f64>)>,
}

/// Reads the episodes of a recording, whose format `golden/record_bsuite.py` describes.
pub(crate) fn read(text: &str) -> Vec<Recorded<'_>> {
    let parse =
        |word: &str| word.parse::<f64>().unwrap_or_else(|_| panic!("{word:?} in a recording, expected a number"));
    let mut episodes: Vec<Recorded> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix("episode ") {
            let (variant, hidden) = head.split_once(' ').unwrap_or((head, ""));
            episodes.push(Recorded { variant, hidden, first: Vec::new(), steps: Vec::new() });
            continue;
        }
        let (step, observation) = line.split_once('=').expect("a line with an observation");
        let observation = observation.split_whitespace().map(parse).collect();
        let episode = episodes.last_mut().expect("an episode before its steps");
        match step.split_whitespace().collect::<Vec<_>>()[..] {
            [] => episode.first = observation,
            [action, reward, end] => {
                episode.steps.push((action.parse().expect("an action"), parse(reward), end, observation));
            }
            _ => panic!("{line:?} in a recording, expected ACTION REWARD END = OBSERVATION"),
        }
    }
    episodes
}

/// An environment whose reset was done by hand.
struct Started<E>(E);

impl<E: SingleEnv> SingleEnv for Started<E> {
    fn reset(&mut self, _: &mut Philox) {}

    fn observe(&self, out: Observer<'_>) {
        self.0.observe(out);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Philox) -> Step {
        self.0.step(action, rng)
    }
}

impl Recorded<'_> {
    /// Takes the recorded actions in `start`, which is our environment after the same reset. Compares observations, rewards
    /// and ends. Returns the number of steps. `expand` makes our numbers or tokens of a recorded observation.
    pub(crate) fn replay<E>(&self, spec: &Spec, start: E, expand: impl Fn(&[f64]) -> Vec<f64>) -> usize
    where
        E: SingleEnv + Clone + 'static,
    {
        let mut env: Box<dyn Env> = env::vector(1, || Started(start.clone()));
        let (mut out, mut rngs) = (Transitions::new(spec, 1), [Philox::new(0)]);
        let place = |step| format!("{} {} {}, step {step}", spec.name, self.variant, self.hidden);
        env.reset(&[0], &mut rngs, &mut out.observations);
        assert_eq!(observed(&out), expand(&self.first), "{}", place(0));
        for (k, (action, reward, end, observation)) in self.steps.iter().enumerate() {
            env.step(&[0], &Actions::Discrete(vec![*action]), &mut rngs, &mut out);
            assert_eq!(observed(&out), expand(observation), "{}", place(k + 1));
            let difference = (out.rewards[0] - reward).abs();
            assert!(difference <= 1e-12 * reward.abs(), "{}: {} and {reward}", place(k + 1), out.rewards[0]);
            let ends = (out.terminated[0], out.truncated[0]);
            assert_eq!(ends, (*end == "terminated", *end == "truncated"), "{}", place(k + 1));
        }
        assert!(out.is_done(0), "{}", place(self.steps.len()));
        self.steps.len()
    }
}

/// Replays the recorded episodes of a card game, whose variants are `levels`. `start` begins a game with a recorded deck. Returns
/// the number of steps.
pub(crate) fn replay_decks<K: Task, E: SingleEnv + Clone + 'static>(
    text: &str,
    levels: &[K],
    start: impl Fn(&K, Vec<u32>) -> E,
) -> usize {
    let replay = |episode: Recorded| {
        let is_level = |(_, spec): &(&K, Spec)| spec.name.ends_with(episode.variant);
        let (level, spec) = levels.iter().map(|level| (level, level.spec())).find(is_level).expect("a level");
        episode.replay(&spec, start(level, cards::parse(episode.hidden)), <[f64]>::to_vec)
    };
    read(text).into_iter().map(replay).sum()
}

/// The numbers or tokens of the observation.
fn observed(out: &Transitions) -> Vec<f64> {
    let tokens = out.observations.tokens(0).iter().copied().map(f64::from);
    tokens.chain(out.observations.vector(0).iter().copied()).collect()
}

/// A vector of `size` numbers: 1 at these indices, 0 elsewhere.
pub(crate) fn expand_ones(size: usize) -> impl Fn(&[f64]) -> Vec<f64> {
    move |indices| {
        let mut values = vec![0.0; size];
        indices.iter().for_each(|&k| values[k as usize] = 1.0);
        values
    }
}
