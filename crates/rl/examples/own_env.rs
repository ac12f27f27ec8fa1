//! Trains an agent on a task of one's own, all of which is in this file: saying three letters backwards.
//!
//! ```sh
//! cargo run --release -p rl --example own_env
//! ```
//!
//! The agent reads three of four letters, then names them in reverse, one by one, seeing nothing but what it said
//! itself: it must keep the letters in its state. Printed is the share of words that it says backwards without a
//! mistake, before and after training, and when each episode is shown another one's word: if that were high too, the
//! task could be done without reading.

#![forbid(unsafe_code)]

use nn::{Optimizer, Params, Rule};
use rl::NotFinite;
use rl::a2c::{Learner, Update};
use rl::env::{Env, Step, Task};
use rl::evaluate::{Test, test_stage};
use rl::policy::Policy;
use tensor::philox::Philox;

/// Letters in a word.
const LENGTH: usize = 3;
/// The letters; each is a token of its own, and the action of saying it.
const LETTERS: [&str; 4] = ["A", "B", "C", "D"];
/// Updates, of 64 words each.
const UPDATES: u32 = 500;

/// What there is to know before an episode begins.
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

/// Some episodes that run side by side; entry `i` of each list is of episode `i`.
struct Episodes {
    words: Vec<[u32; LENGTH]>,
    /// Letters said so far.
    said: Vec<usize>,
    /// Whether one of them was wrong, which ends the episode.
    wrong: Vec<bool>,
}

impl Episodes {
    fn done(&self, i: usize) -> bool {
        self.wrong[i] || self.said[i] == LENGTH
    }

    /// Says one letter and returns what it earns: a third for each that is right.
    fn say(&mut self, i: usize, letter: u32) -> f64 {
        let wanted = self.words[i][LENGTH - 1 - self.said[i]];
        self.said[i] += 1;
        self.wrong[i] = letter != wanted;
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
            let reward = if self.done(i) { 0.0 } else { self.say(i, action) };
            *out = Step { reward, done: self.done(i) };
        }
    }

    fn solved(&self, episode: usize) -> bool {
        self.said[episode] == LENGTH && !self.wrong[episode]
    }
}

/// The test before training, and after it.
fn train(seed: u64) -> Result<[Test; 2], NotFinite> {
    let mut params = Params::<f32>::new();
    let policy = Policy::new(&mut params, &Backwards, 32, seed);
    let optimizer = Optimizer::new(Rule::adam(), &params);
    let mut learner = Learner::new(policy, params, optimizer);
    let test = |Learner { policy, params, .. }: &Learner<f32>| {
        let test = test_stage(policy, params, &Backwards, 0, (seed, 1000));
        test.map_err(|error| NotFinite::undecided(UPDATES, params, error))
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
    println!("the same, shown another's word    {:.3}", after.shuffled.exact);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_to_say_words_backwards_and_reads_them() {
        let [before, after] = train(0).expect("finite numbers");
        assert!(before.greedy.exact < 0.1, "{}", before.greedy.exact);
        assert!(after.greedy.exact > 0.95, "{}", after.greedy.exact);
        assert!(after.shuffled.exact < 0.1, "{}", after.shuffled.exact);
    }
}
