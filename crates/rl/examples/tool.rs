//! Trains an agent that asks a tool and uses its answer.
//!
//! ```sh
//! cargo run --release -p gradus-rl --example tool
//! ```
//!
//! A digit is hidden. The agent may say a digit, or ask a tool, whose answer of three tokens has the digit in the middle. Nothing
//! else tells the digit, and the answer is an observation of the environment, not of the action. The program prints the share of
//! episodes in which the greedy agent says the hidden digit. It also trains an agent for which asking is not legal; that agent
//! can only guess, so its share is about 1/10.

#![forbid(unsafe_code)]

use std::error::Error;

use rl::config::Config;
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use rl::train::Run;
use tensor::philox::Philox;

/// The number of digits. Action `DIGITS` asks; the others say a digit.
const DIGITS: u32 = 10;
/// The tokens after the digits.
const START: u32 = DIGITS;
const OPEN: u32 = DIGITS + 1;
const CLOSE: u32 = DIGITS + 2;

/// The task, with or without the tool.
struct HiddenDigit {
    has_tool: bool,
}

impl Task for HiddenDigit {
    fn spec(&self) -> Spec {
        let digits = (0..DIGITS).map(|digit| digit.to_string());
        let tokens = digits.clone().chain(["START", "[", "]"].map(String::from));
        let actions = digits.map(|digit| format!("SAY {digit}")).chain(["ASK".into()]);
        Spec::new("hidden-digit", Space::tokens(tokens), ActionSpace::discrete(actions), 2).with_success()
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        let has_tool = self.has_tool;
        env::vector(episodes, || Episode { digit: 0, has_asked: false, has_tool })
    }
}

struct Episode {
    digit: u32,
    has_asked: bool,
    has_tool: bool,
}

impl SingleEnv for Episode {
    fn reset(&mut self, rng: &mut Philox) {
        (self.digit, self.has_asked) = (rng.below(DIGITS), false);
    }

    fn observe(&self, mut out: Observer<'_>) {
        if self.has_asked {
            out.tokens(&[OPEN, self.digit, CLOSE]);
        } else {
            out.token(START);
        }
        out.legal(&std::array::from_fn::<_, 11, _>(|action| action < 10 || self.has_tool));
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        match action.discrete() {
            DIGITS if !self.has_asked => {
                self.has_asked = true;
                Step::reward(0.0)
            }
            said if said == self.digit => Step::solved(1.0),
            _ => Step::terminated(0.0),
        }
    }
}

/// Trains an agent. Returns the share of test episodes in which the greedy agent says the hidden digit.
fn train(task: HiddenDigit, updates: usize) -> Result<f64, Box<dyn Error>> {
    let config = Config { width: 32, batch: 64, test_episodes: 1000, max_updates: updates, ..Config::default() };
    let mut run = Run::<f32, _>::new(task, &config, 0);
    while run.stop_reason().is_none() {
        run.advance()?;
    }
    println!("{} updates", run.updates);
    Ok(run.test()?[0].greedy.exact)
}

fn main() -> Result<(), Box<dyn Error>> {
    env::check::check(&HiddenDigit { has_tool: true })?;
    println!("exact match with the tool     {:.3}", train(HiddenDigit { has_tool: true }, 600)?);
    println!("exact match without the tool  {:.3}", train(HiddenDigit { has_tool: false }, 200)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_hidden_digit_with_and_without_the_tool_finds_no_broken_promise() {
        for has_tool in [true, false] {
            assert_eq!(env::check::check(&HiddenDigit { has_tool }), Ok(()));
        }
    }

    #[test]
    fn train_learns_to_ask_and_to_use_the_answer() {
        let exact = train(HiddenDigit { has_tool: true }, 600).expect("finite numbers");
        assert!(exact >= 0.99, "{exact}");
    }

    #[test]
    fn train_without_the_tool_guesses() {
        let exact = train(HiddenDigit { has_tool: false }, 200).expect("finite numbers");
        assert!((0.06..0.14).contains(&exact), "{exact}");
    }
}
