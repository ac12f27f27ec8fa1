//! A task of one's own with the whole command line of gradus. `cargo run --release -p gradus --example own_task -- train`
//! trains it; `-- report DIR`, `-- explain DIR`, `-- eval DIR` and the other commands know it, too.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

/// The steps of an episode.
const STEPS: usize = 20;

/// Bring a cart to rest in the middle of a track.
struct Parking;

impl Task for Parking {
    fn spec(&self) -> Spec {
        Spec::new("parking", Space::vector(2), ActionSpace::discrete(["LEFT", "COAST", "RIGHT"]), STEPS)
            .with_caveat("The cart has no friction: the best agent brakes before the middle.")
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, Cart::default)
    }
}

#[derive(Default)]
struct Cart {
    position: f64,
    speed: f64,
    steps: usize,
}

impl SingleEnv for Cart {
    fn reset(&mut self, rng: &mut Philox) {
        *self = Self { position: f64::from(rng.below(2001)) / 1000.0 - 1.0, ..Self::default() };
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.vector(&[self.position, self.speed]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.speed += 0.1 * (f64::from(action.discrete()) - 1.0);
        self.position += self.speed;
        self.steps += 1;
        let reward = -self.position.abs();
        match self.position.abs() {
            2.0.. => Step::terminated(reward - 20.0), // off the track
            _ if self.steps == STEPS => Step::truncated(reward),
            _ => Step::reward(reward),
        }
    }
}

fn main() -> ExitCode {
    gradus::main(&[&Parking])
}
