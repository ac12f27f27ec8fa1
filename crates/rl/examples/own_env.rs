//! Trains an agent on a new task that this file defines: to say three letters backwards.
//!
//! ```sh
//! cargo run --release -p gradus-rl --example own_env
//! ```
//!
//! The agent reads a word of three letters out of four, then says the letters in reverse order, one by one. After the word
//! it sees only its own actions, so it must keep the letters in its state. The program prints the share of words that
//! the agent says backwards without a mistake, before and after training. It also prints this share if each episode is
//! shown the word of another one. If that share were high as well, the task would not need reading.

#![forbid(unsafe_code)]

use nn::{Optimizer, Params, UpdateRule};
use rl::NotFinite;
use rl::a2c::{Learner, Update};
use rl::env::{Env, Step, Task};
use rl::evaluate::{TestResult, test_stage};
use rl::policy::Policy;
use tensor::philox::Philox;

/// Letters in a word.
const LENGTH: usize = 3;
/// The letters. Each letter is one token and one action.
const LETTERS: [&str; 4] = ["A", "B", "C", "D"];
/// The number of updates, of 64 words each.
const UPDATES: u32 = 500;

/// The task.
struct Backwards;

impl Task for Backwards {
    fn name(&self) -> &'static str {
        "backwards"
    }

    fn caveat(&self) -> &'static str {
        "Without its context one word in 64 is right."
    }

    fn stages(&self) -> usize {
        1
    }

    fn vocabulary(&self) -> usize {
        LETTERS.len()
    }

    fn actions(&self) -> usize {
        LETTERS.len()
    }

    fn action_name(&self, action: usize) -> &'static str {
        LETTERS[action]
    }

    fn horizon(&self) -> usize {
        LENGTH
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        Box::new(Episodes { words: vec![[0; LENGTH]; episodes], said: vec![0; episodes], wrong: vec![false; episodes] })
    }
}

/// A vector of episodes; entry `i` of each list belongs to episode `i`.
struct Episodes {
    words: Vec<[u32; LENGTH]>,
    /// The number of letters said so far.
    said: Vec<usize>,
    /// True if one letter was wrong, which ends the episode.
    wrong: Vec<bool>,
}

impl Episodes {
    fn is_done(&self, i: usize) -> bool {
        self.wrong[i] || self.said[i] == LENGTH
    }

    /// Says one letter and returns its reward: 1/3 if the letter is right, otherwise 0.
    fn say(&mut self, i: usize, letter: u32) -> f64 {
        let right_letter = self.words[i][LENGTH - 1 - self.said[i]];
        self.said[i] += 1;
        self.wrong[i] = letter != right_letter;
        if self.wrong[i] { 0.0 } else { 1.0 / LENGTH as f64 }
    }
}

impl Env for Episodes {
    fn stage(&self) -> usize {
        0
    }

    fn len(&self) -> usize {
        self.words.len()
    }

    fn context_len(&self) -> usize {
        LENGTH
    }

    fn reset(&mut self, rngs: &mut [Philox]) {
        for (word, rng) in self.words.iter_mut().zip(rngs) {
            word.fill_with(|| rng.below(LETTERS.len() as u32));
        }
        self.said.fill(0);
        self.wrong.fill(false);
    }

    fn context(&self, episode: usize) -> &[u32] {
        &self.words[episode]
    }

    fn token(&self, action: u32) -> u32 {
        action
    }

    fn step(&mut self, actions: &[u32], out: &mut [Step]) {
        for (i, (&action, out)) in actions.iter().zip(out).enumerate() {
            let reward = if self.is_done(i) { 0.0 } else { self.say(i, action) };
            *out = Step { reward, done: self.is_done(i) };
        }
    }

    fn solved(&self, episode: usize) -> bool {
        self.said[episode] == LENGTH && !self.wrong[episode]
    }
}

/// Trains an agent. Returns its test results before and after training.
fn train(seed: u64) -> Result<[TestResult; 2], NotFinite> {
    let mut params = Params::<f32>::new();
    let policy = Policy::new(&mut params, &Backwards, 32, seed);
    let optimizer = Optimizer::new(UpdateRule::adam(), &params);
    let mut learner = Learner::new(policy, params, optimizer);
    let test = |Learner { policy, params, .. }: &Learner<f32>| {
        let test = test_stage(policy, params, &Backwards, 0, (seed, 1000));
        test.map_err(|error| NotFinite::from_undecided(UPDATES, params, error))
    };

    let before = test(&learner)?;
    for number in 0..UPDATES {
        let update = Update { seed, number, rate: 0.005, entropy: 0.2, ..Update::default() };
        let metrics = learner.update(&Backwards, &update)?;
        if (number + 1) % 100 == 0 {
            println!("update {:3}  reward {:.3}  entropy {:.3}", number + 1, metrics.reward, metrics.entropy);
        }
    }
    Ok([before, test(&learner)?])
}

fn main() -> Result<(), NotFinite> {
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
    fn train_learns_to_say_words_backwards_and_reads_them() {
        let [before, after] = train(0).expect("finite numbers");
        assert!(before.greedy.exact < 0.1, "{}", before.greedy.exact);
        assert!(after.greedy.exact > 0.95, "{}", after.greedy.exact);
        assert!(after.shuffled.exact < 0.1, "{}", after.shuffled.exact);
    }
}
