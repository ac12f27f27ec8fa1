//! Loads a trained agent from its checkpoint and lets it act: the twenty lines are `act`.
//!
//! ```sh
//! cargo run --release -p rl --example policy -- runs/NAME/model.safetensors
//! ```
//!
//! The agent of `gradus train` is asked for (a·b+c)−(d·e). Printed are the tool that it takes at each step, how sure
//! it is of it and what reward it still expects, and at the end what a calculator that obeys it has worked out.
//! Without an argument a small agent is trained for a moment, saved in a temporary folder, and loaded from there.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rl::NotFinite;
use rl::agent::{Agent, LoadError};
use rl::config::Config;
use rl::tasks::calculator::machine::State;
use rl::tasks::token;
use rl::train::Run;

/// What is asked for: (a·b+c)−(d·e).
const STAGE: usize = 2;
/// a to e, and the token that ends the context.
const CONTEXT: [u32; 6] = [4, 2, 7, 3, 1, token::CTX];
/// Steps after which an agent that has not answered is stopped.
const PATIENCE: usize = 10;

/// Loads an agent and lets it act until it answers: the tools that it took.
fn act(path: &Path) -> Result<Vec<u32>, LoadError> {
    let agent = Agent::<f32>::load(path)?;
    let mut episode = agent.begin(STAGE, &CONTEXT);
    let mut program = Vec::new();
    while program.len() < PATIENCE && program.last() != Some(&token::ANS) {
        let action = episode.greedy();
        let probability = episode.probabilities()[action as usize];
        println!("{}  {probability:.3}  expects {:6.3}", agent.action_name(action), episode.value());
        program.push(agent.token(action));
        episode.took(action);
    }
    Ok(program)
}

/// What a calculator holds that was given these tools, the answer left out.
fn calculate(program: &[u32]) -> Option<i64> {
    let operands: Vec<i64> = CONTEXT[..5].iter().map(|&digit| digit.into()).collect();
    let mut state = State::default();
    for &tool in program {
        match state.step(tool, &operands, &0) {
            ControlFlow::Continue(next) => state = next,
            ControlFlow::Break(_) => unreachable!("ANS is left out"),
        }
    }
    state.acc
}

/// A small agent that has just solved its task.
fn train() -> Result<Run<f32>, NotFinite> {
    let config = Config { width: 32, batch: 96, validation_episodes: 64, ..Config::default() };
    let mut run = Run::new(&config, 0);
    while run.end().is_none() {
        run.advance()?;
    }
    Ok(run)
}

/// Saves a run's parameters in a temporary folder.
fn save(run: &Run<f32>) -> Result<PathBuf, nn::CheckpointError> {
    let path = std::env::temp_dir().join(format!("gradus-example-{}.safetensors", std::process::id()));
    nn::save(&path, &run.learner.params, None, &BTreeMap::new())?;
    Ok(path)
}

fn main() -> Result<(), Box<dyn Error>> {
    let program = match std::env::args_os().nth(1) {
        Some(path) => act(Path::new(&path))?,
        None => {
            println!("training a small agent; hand over the path of a checkpoint to see another");
            let path = save(&train()?)?;
            let program = act(&path);
            std::fs::remove_file(path)?;
            program?
        }
    };
    match program.strip_suffix(&[token::ANS]).map(calculate) {
        Some(Some(result)) => println!("4·2+7−3·1 = {result}, says the agent"),
        _ => println!("the agent gave no answer"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use token::{ADD, ANS, MUL, RCL, STO, SUB};

    #[test]
    fn a_loaded_agent_works_out_what_it_is_asked_for() {
        let path = save(&train().expect("finite numbers")).expect("a temporary folder");
        let program = act(&path);
        std::fs::remove_file(path).expect("it was written");
        assert_eq!(program.expect("an agent"), [MUL, ADD, STO, MUL, RCL, SUB, ANS]);
        assert_eq!(calculate(&[MUL, ADD, STO, MUL, RCL, SUB]), Some(4 * 2 + 7 - 3));
    }
}
