//! The environment of `tutorial`.

use tensor::philox::Philox;

use crate::STEP_LIMIT;
use crate::machine::{State, reward_hundredths};
use rl::env::{Env, Step, check_reset, check_step};
use rl::tasks::{self, token};

/// One episode.
#[derive(Clone, Debug, Default)]
struct Episode {
    operands: [i64; 5],
    state: State<i64>,
    steps: usize,
    done: bool,
    solved: bool,
}

/// A vector of episodes of one stage.
///
/// An episode earns 0 if its caller stops it after [`crate::EMITTED_TOKENS`] tokens, or if it reaches the step limit.
#[derive(Clone, Debug)]
pub struct TutorialEnv {
    stage: usize,
    /// The context of each episode, `[B, context_len]`.
    contexts: Vec<u32>,
    episodes: Vec<Episode>,
}

impl TutorialEnv {
    /// Creates an environment of `episodes` episodes of `stage`. It must be reset before its first step.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn new(stage: usize, episodes: usize) -> Self {
        let width = tasks::operand_count(stage) + 1;
        Self { stage, contexts: vec![token::CTX; episodes * width], episodes: vec![Episode::default(); episodes] }
    }

    /// Restarts `episode` with operands a to e.
    pub fn start(&mut self, episode: usize, operands: [u32; 5]) {
        let width = self.context_len();
        self.contexts[episode * width..][..width - 1].copy_from_slice(&operands[..width - 1]);
        self.episodes[episode] = Episode { operands: operands.map(i64::from), ..Episode::default() };
    }

    /// The number of tokens that `episode` has taken, including the answer.
    pub fn steps(&self, episode: usize) -> usize {
        self.episodes[episode].steps
    }
}

impl Env for TutorialEnv {
    fn stage(&self) -> usize {
        self.stage
    }

    fn len(&self) -> usize {
        self.episodes.len()
    }

    fn context_len(&self) -> usize {
        tasks::operand_count(self.stage) + 1
    }

    /// Draws all five operands in every stage, although the context may show fewer.
    fn reset(&mut self, rngs: &mut [Philox]) {
        check_reset(self.len(), rngs);
        for (i, rng) in rngs.iter_mut().enumerate() {
            self.start(i, std::array::from_fn(|_| rng.below(10)));
        }
    }

    fn context(&self, episode: usize) -> &[u32] {
        let width = self.context_len();
        &self.contexts[episode * width..][..width]
    }

    fn token(&self, action: u32) -> u32 {
        token::ALL[action as usize]
    }

    fn step(&mut self, actions: &[u32], out: &mut [Step]) {
        check_step(self.len(), actions, out);
        for ((episode, &action), out) in self.episodes.iter_mut().zip(actions).zip(out) {
            let reward = if episode.done { 0.0 } else { episode.advance(self.stage, token::ALL[action as usize]) };
            *out = Step { reward, done: episode.done };
        }
    }

    /// Returns true for an exact match with the *printed* target, which is not the rewarded one. Numbers are compared, not
    /// formulae, so some matches are chance.
    fn solved(&self, episode: usize) -> bool {
        self.episodes[episode].solved
    }
}

impl Episode {
    fn advance(&mut self, stage: usize, token: u32) -> f64 {
        self.steps += 1;
        self.done = token == token::ANS || self.steps == STEP_LIMIT;
        self.state = std::mem::take(&mut self.state).step(stage, token, &self.operands);
        match self.state.last {
            Some(last) if token == token::ANS => {
                self.solved = last == tasks::goal(stage, &self.operands);
                f64::from(reward_hundredths(stage, last, &self.operands)) / 100.0
            }
            _ => 0.0,
        }
    }
}
