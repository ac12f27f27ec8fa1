//! The task: episodes of a fixed number of steps, whose right actions follow from three digits.

use peer::{CTX, DIGITS, VOCABULARY};
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

/// Episodes of this many steps.
pub struct Digits(pub usize);

impl Task for Digits {
    fn spec(&self) -> Spec {
        Spec::new("digits", Space::tokens(0..VOCABULARY), ActionSpace::discrete(0..VOCABULARY), self.0)
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Episode { steps: self.0, digits: [0; 3], actions: 0, latest: CTX })
    }
}

/// One episode.
pub struct Episode {
    pub steps: usize,
    pub digits: [u32; 3],
    /// The number of actions so far.
    pub actions: usize,
    pub latest: u32,
}

impl SingleEnv for Episode {
    fn reset(&mut self, rng: &mut Philox) {
        self.digits.fill_with(|| rng.below(DIGITS));
        self.actions = 0;
    }

    fn observe(&self, mut out: Observer<'_>) {
        let [a, b, c] = self.digits;
        if self.actions == 0 { out.tokens(&[a, b, c, CTX]) } else { out.token(self.latest) }
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.latest = action.discrete();
        let right = (self.digits[self.actions % 3] + self.actions as u32) % VOCABULARY as u32;
        self.actions += 1;
        let reward = if self.latest == right { 1.0 / self.steps as f64 } else { 0.0 };
        if self.actions == self.steps { Step::terminated(reward) } else { Step::reward(reward) }
    }
}
