//! Trains agents on bsuite's catch and memory_len by bsuite's own protocol, and prints their scores.
//!
//! ```sh
//! cargo run --release -p gradus-known --example bsuite
//! ```
//!
//! The protocol judges learning, not only its result: the 10,000 episodes in which the agent learns count from the first to
//! the last, with sampled actions. The regret of an episode is 1 minus its return.
//!
//! - catch: score = clip((1.6 − mean regret)/1.6, 0, 1).
//! - memory_len: one agent for each of 23 lengths. Score = the share of lengths whose mean regret is below 0.75.
//!
//! Source: bsuite 0.3.6, `experiments/catch/analysis.py` and `experiments/memory_len/analysis.py`.

#![forbid(unsafe_code)]

use std::error::Error;

use known::{Catch, MemoryLen};
use rl::config::{Config, MemoryKind};
use rl::env::Task;
use rl::train::Run;

/// The number of episodes in which an agent learns.
const EPISODES: usize = 10_000;

/// bsuite's mean regret of random actions in catch.
const CATCH_BASE: f64 = 1.6;

/// The mean regret below which a length is learned.
const LEARNED: f64 = 0.75;

/// Settings with few episodes in an update, since every episode counts.
fn config(batch: usize) -> Config {
    let max_updates = EPISODES / batch;
    Config {
        width: 32,
        batch,
        gamma: 0.99,
        lambda: 0.9,
        entropy: 0.01,
        rate: 0.005,
        validate_every: max_updates,
        validation_episodes: 1,
        max_updates,
        ..Config::default()
    }
}

/// The mean regret of the training episodes of one agent.
fn train(task: impl Task, config: &Config, seed: u64) -> Result<f64, Box<dyn Error>> {
    let mut run = Run::<f32, _>::new(task, config, seed);
    let mut regret = 0.0;
    for _ in 0..config.max_updates {
        regret += (1.0 - run.advance()?.metrics.reward) / config.max_updates as f64;
    }
    Ok(regret)
}

fn main() -> Result<(), Box<dyn Error>> {
    let catch = Config { memory: MemoryKind::None, ..config(4) };
    let regret = train(Catch, &catch, 0)?;
    println!("catch: mean regret {regret:.3}, score {:.3}", ((CATCH_BASE - regret) / CATCH_BASE).clamp(0.0, 1.0));

    let mut learned = 0;
    for (k, length) in MemoryLen::LENGTHS.iter().enumerate() {
        let regret = train(MemoryLen::new(&MemoryLen::LENGTHS[k..=k]), &config(8), 0)?;
        learned += usize::from(regret < LEARNED);
        println!("memory_len {length:3}: mean regret {regret:.3}");
    }
    println!("memory_len: score {:.3}", learned as f64 / MemoryLen::LENGTHS.len() as f64);
    Ok(())
}
