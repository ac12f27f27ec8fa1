//! Learns to reach goals from what its episodes reached instead, without any reward.
//!
//! ```sh
//! cargo run --release -p gradus-rl --example hindsight
//! ```
//!
//! Eight bits and a goal of eight bits are shown. An action flips one bit, or says that the goal is reached; flips are not
//! shown. If episodes act at random, almost none reaches its goal, so a reward for it teaches nothing. But each episode reaches
//! some bits, and its flips are right for the problem with those as its goal. The program prints the share of solved test
//! problems after training with hindsight, and after training with the reward alone (A2C).
//!
//! The problem is that of M. Andrychowicz et al., "Hindsight Experience Replay" (2017), section 3.1.

#![forbid(unsafe_code)]

use std::error::Error;

use rl::config::{Config, MemoryKind};
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use rl::hindsight::{Achieved, Hindsight};
use rl::train::Run;
use rl::trajectories::Row;
use tensor::philox::Philox;

const BITS: u32 = 8;
/// The number of actions in an episode: one flip of each bit, and DONE.
const HORIZON: usize = BITS as usize + 1;
/// The action that ends an episode. The others flip the bit with their number.
const DONE: u32 = BITS;
/// The tokens: a bit that is the goal's already, a bit that differs, for each bit, and one for each action.
const TOKENS: u32 = 2 * BITS;

struct Flip;

impl Task for Flip {
    fn spec(&self) -> Spec {
        let actions = || (0..BITS).map(|bit| format!("FLIP {bit}")).chain(["DONE".into()]);
        let bits = (0..BITS).flat_map(|bit| [format!("{bit} is right"), format!("{bit} is wrong")]);
        let tokens = Space::tokens(bits.chain(actions()));
        Spec::new("flip", tokens, ActionSpace::discrete(actions()), HORIZON).with_success()
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Episode { wrong: 0, taken: 0, last: None })
    }

    fn hindsight(&self) -> Option<&dyn Hindsight> {
        Some(self)
    }
}

impl Hindsight for Flip {
    /// Bits that were flipped an odd number of times are those in which start and goal differ. Each is flipped once, in order.
    fn achieved(&self, played: &Row, out: &mut Vec<Achieved>) {
        let flipped = played.actions.discrete().iter().filter(|&&action| action != DONE);
        let wrong = flipped.fold(0_u32, |wrong, bit| wrong ^ 1 << bit);
        let program = (0..BITS).filter(|bit| wrong >> bit & 1 == 1).chain([DONE]);
        out.push(Achieved { stage: 0, kind: wrong.into(), actions: program.collect() });
    }

    fn relabel(&self, achieved: &Achieved, _: &mut Philox) -> Option<Row> {
        Some(Row::from_program(&context(achieved.kind as u32), &achieved.actions, |_, action| [TOKENS + action]))
    }
}

/// The context of a problem in which these bits are wrong.
fn context(wrong: u32) -> Vec<u32> {
    (0..BITS).map(|bit| 2 * bit + (wrong >> bit & 1)).collect()
}

struct Episode {
    /// The bits in which the state differs from the goal.
    wrong: u32,
    /// The number of actions so far.
    taken: usize,
    last: Option<u32>,
}

impl SingleEnv for Episode {
    fn reset(&mut self, rng: &mut Philox) {
        *self = Self { wrong: rng.below(1 << BITS), taken: 0, last: None };
    }

    fn observe(&self, mut out: Observer<'_>) {
        match self.last {
            None => out.tokens(&context(self.wrong)),
            Some(action) => out.token(TOKENS + action),
        }
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        let action = action.discrete();
        self.last = Some(action);
        self.taken += 1;
        match action {
            DONE if self.wrong == 0 => Step::solved(1.0),
            DONE => Step::terminated(0.0),
            bit => {
                self.wrong ^= 1 << bit;
                if self.taken == HORIZON { Step::terminated(0.0) } else { Step::reward(0.0) }
            }
        }
    }
}

/// Trains an agent. Returns the share of test episodes that the greedy agent solves.
fn train(config: &Config) -> Result<f64, Box<dyn Error>> {
    let mut run = Run::<f32, _>::new(Flip, config, 0);
    while run.stop_reason().is_none() {
        run.advance()?;
    }
    Ok(run.test()?[0].greedy.exact)
}

fn main() -> Result<(), Box<dyn Error>> {
    let updates = std::env::args().nth(1).map_or(Ok(400), |count| count.parse())?;
    let config =
        Config { width: 32, batch: 64, memory: MemoryKind::Attention, max_updates: updates, ..Config::default() };
    let hindsight = Config { a2c: 0.0, hindsight: 64, explore: 0.2, ..config.clone() };
    println!("with hindsight: {:.3} of the test problems are solved", train(&hindsight)?);
    println!("with A2C on the reward alone: {:.3}", train(&config)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flip_keeps_every_promise() {
        assert_eq!(env::check::check(&Flip), Ok(()));
    }

    /// A program reaches the goal of its problem if it flips exactly the wrong bits.
    #[test]
    fn relabel_shows_the_bits_that_the_program_flips() {
        let mut achieved = Vec::new();
        let played = Row::from_program(&context(0), &[3, 1, 3, 5, 5, 5, DONE], |_, action| [TOKENS + action]);
        Flip.achieved(&played, &mut achieved);
        assert_eq!(achieved, [Achieved { stage: 0, kind: 0b10_0010, actions: vec![1, 5, DONE] }]);
        let row = Flip.relabel(&achieved[0], &mut Philox::new(0)).expect("nothing is held out");
        assert_eq!(row.tokens[..8], [0, 3, 4, 6, 8, 11, 12, 14]);
        assert_eq!((&row.tokens[8..], &row.ends[..]), (&[TOKENS + 1, TOKENS + 5][..], &[7, 8, 9][..]));
    }

    #[test]
    fn hindsight_solves_what_the_reward_does_not_teach() {
        let config = Config { width: 16, batch: 32, max_updates: 80, test_episodes: 256, ..Config::default() };
        let hindsight = Config {
            memory: MemoryKind::Attention,
            a2c: 0.0,
            hindsight: 32,
            explore: 0.2,
            rate: 0.01,
            ..config.clone()
        };
        let [with, without] = [hindsight, config].map(|config| train(&config).expect("finite"));
        assert!(with > 0.5 && without < 0.1, "{with} {without}");
    }
}
