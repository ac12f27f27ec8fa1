//! Trains an agent on a new task that this file defines: to say three letters backwards.
//!
//! ```sh
//! cargo run --release -p gradus-rl --example own_env
//! ```
//!
//! The agent reads a word of three letters out of four, then says the letters in reverse order, one by one. After the word
//! it sees only its own letters, so it must keep the word in its state. The program prints the share of words that
//! the agent says backwards without a mistake, before and after training. It also prints this share if each episode is
//! shown the word of another one. If that share were high as well, the task would not need reading.

#![forbid(unsafe_code)]

use std::error::Error;

use rl::config::Config;
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use rl::evaluate::TestResult;
use rl::train::Run;
use tensor::philox::Philox;

/// Letters in a word.
const LENGTH: usize = 3;
/// The letters. Each letter is one token and one action.
const LETTERS: [&str; 4] = ["A", "B", "C", "D"];

/// The task.
struct Backwards;

impl Task for Backwards {
    fn spec(&self) -> Spec {
        Spec::new("backwards", Space::tokens(LETTERS), ActionSpace::discrete(LETTERS), LENGTH)
            .with_success()
            .with_caveat("Without its context one word in 64 is right.")
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Word { letters: [0; LENGTH], said: Vec::new() })
    }
}

/// One episode.
struct Word {
    letters: [u32; LENGTH],
    /// The letters said so far.
    said: Vec<u32>,
}

impl SingleEnv for Word {
    fn reset(&mut self, rng: &mut Philox) {
        self.letters.fill_with(|| rng.below(LETTERS.len() as u32));
        self.said.clear();
    }

    /// First the word, then each letter that the agent says.
    fn observe(&self, mut out: Observer<'_>) {
        match self.said.last() {
            None => out.tokens(&self.letters),
            Some(&letter) => out.token(letter),
        }
    }

    /// The reward is 1/3 for each right letter. A wrong one ends the episode.
    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.said.push(action.discrete());
        match self.said.len() {
            said if self.said.last() != Some(&self.letters[LENGTH - said]) => Step::terminated(0.0),
            LENGTH => Step::solved(1.0 / 3.0),
            _ => Step::reward(1.0 / 3.0),
        }
    }
}

/// Trains an agent. Returns its test results before and after training.
fn train(seed: u64) -> Result<[TestResult; 2], Box<dyn Error>> {
    let config = Config { width: 32, batch: 64, test_episodes: 1000, max_updates: 600, ..Config::default() };
    let mut run = Run::<f32, _>::new(Backwards, &config, seed);
    let before = run.test()?.remove(0);
    while run.stop_reason().is_none() {
        let report = run.advance()?;
        if let Some(validation) = report.validation {
            println!("update {:3}  exact match {:.3}", report.update, validation[0].exact);
        }
    }
    Ok([before, run.test()?.remove(0)])
}

fn main() -> Result<(), Box<dyn Error>> {
    env::check::check(&Backwards)?;
    let [before, after] = train(0)?;
    println!("exact match before training       {:.3}", before.greedy.exact);
    println!("exact match after training        {:.3}", after.greedy.exact);
    println!("with the word of another episode  {:.3}", after.shuffled.exact);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_backwards_finds_no_broken_promise() {
        assert_eq!(env::check::check(&Backwards), Ok(()));
    }

    #[test]
    fn train_learns_to_say_words_backwards_and_reads_them() {
        let [before, after] = train(0).expect("finite numbers");
        assert!(before.greedy.exact < 0.1, "{}", before.greedy.exact);
        assert!(after.greedy.exact > 0.95, "{}", after.greedy.exact);
        assert!(after.shuffled.exact < 0.1, "{}", after.shuffled.exact);
    }
}
