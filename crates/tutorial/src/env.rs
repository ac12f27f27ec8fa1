//! The environment of `tutorial`. It is not an [`rl::env::Env`]: its episodes take tokens after their end, as in the original.

use rl::env::Step;
use rl::tasks::{self, token};
use tensor::Tensor;
use tensor::philox::Philox;

use crate::STEP_LIMIT;
use crate::machine::{State, reward_hundredths};

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
    episodes: Vec<Episode>,
}

impl TutorialEnv {
    /// Creates an environment of `episodes` episodes of `stage`. It must be reset before its first step.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn new(stage: usize, episodes: usize) -> Self {
        tasks::operand_count(stage);
        Self { stage, episodes: vec![Episode::default(); episodes] }
    }

    /// Restarts every episode. Draws all five operands in every stage, although the context may show fewer.
    ///
    /// # Panics
    /// If there is not one generator per episode.
    #[track_caller]
    pub fn reset(&mut self, rngs: &mut [Philox]) {
        let (episodes, found) = (self.episodes.len(), rngs.len());
        assert!(found == episodes, "reset: {episodes} episodes, but {found} generators");
        for (i, rng) in rngs.iter_mut().enumerate() {
            self.start(i, std::array::from_fn(|_| rng.below(10)));
        }
    }

    /// Restarts `episode` with operands a to e.
    pub fn start(&mut self, episode: usize, operands: [u32; 5]) {
        self.episodes[episode] = Episode { operands: operands.map(i64::from), ..Episode::default() };
    }

    /// The contexts\[L,B\]: the operands of the stage, then CTX. Each episode gets the context of the episode `shift` places
    /// after it, so 0 gives each its own.
    pub fn contexts(&self, shift: usize) -> Tensor<u32> {
        let (count, episodes) = (tasks::operand_count(self.stage), self.episodes.len());
        Tensor::from_fn([count + 1, episodes], |k| match k / episodes {
            operand if operand < count => self.episodes[(k + shift) % episodes].operands[operand] as u32,
            _ => token::CTX,
        })
    }

    /// Takes one token in each episode, \[B\]. An episode that has ended earns 0 and does not change. A solved episode is an
    /// exact match with the *printed* target, which is not the rewarded one. Numbers are compared, not formulae, so some
    /// matches are chance.
    ///
    /// # Panics
    /// If there is not one token and one result per episode.
    #[track_caller]
    pub fn step(&mut self, tokens: &[u32], out: &mut [Step]) {
        let (episodes, found, room) = (self.episodes.len(), tokens.len(), out.len());
        assert!(
            found == episodes && room == episodes,
            "step: {episodes} episodes, but {found} tokens and room for {room} results"
        );
        for ((episode, &token), out) in self.episodes.iter_mut().zip(tokens).zip(out) {
            let reward = if episode.done { 0.0 } else { episode.advance(self.stage, token) };
            *out = Step { reward, terminated: episode.done, truncated: false, solved: episode.solved };
        }
    }

    /// The number of tokens that `episode` has taken, including the answer.
    pub fn steps(&self, episode: usize) -> usize {
        self.episodes[episode].steps
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
