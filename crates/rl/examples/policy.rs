//! Loads a trained agent from its checkpoint and lets it act. The function `act` shows all calls that this needs.
//!
//! ```sh
//! cargo run --release -p gradus-rl --example policy -- runs/NAME/model.safetensors
//! ```
//!
//! The agent of `gradus train` computes (a·b+c)−(d·e). The program prints the tool that the agent takes at each step, its
//! probability, and the return that the agent still expects. At the end it prints the result of a calculator that
//! executed these tools. Without an argument, the program first trains a small agent, saves it in a temporary folder,
//! and loads it from there.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rl::TrainError;
use rl::agent::{Agent, LoadError};
use rl::config::Config;
use rl::tasks::calculator_stages::machine::State;
use rl::tasks::{CalculatorStages, token};
use rl::train::Run;

/// The stage with the goal (a·b+c)−(d·e).
const STAGE: usize = 2;
/// The operands a to e, and the token that ends the context.
const CONTEXT: [u32; 6] = [4, 2, 7, 3, 1, token::CTX];
/// The maximum number of steps. An agent that has not answered by then is stopped.
const MAX_STEPS: usize = 10;

/// Loads an agent and lets it act until it answers. Returns the tools that it took.
fn act(path: &Path) -> Result<Vec<u32>, LoadError> {
    let agent = Agent::<f32>::load(path)?;
    let mut episode = agent.begin(STAGE);
    episode.observe(&CONTEXT);
    let mut program = Vec::new();
    while program.len() < MAX_STEPS && program.last() != Some(&token::ANS) {
        let action = episode.greedy();
        let probability = episode.probabilities()[action as usize];
        let name = agent.spec().action_name(action);
        println!("{name}  {probability:.3}  expects {:6.3}", episode.value());
        let token = agent.spec().token(name).expect("each action has a token");
        program.push(token);
        episode.observe(&[token]);
    }
    Ok(program)
}

/// Executes these tools, without the answer, on a calculator. Returns its accumulator.
fn calculate(program: &[u32]) -> Option<i64> {
    let operands: Vec<i64> = CONTEXT[..5].iter().map(|&digit| digit.into()).collect();
    let mut state = State::default();
    for &tool in program {
        match state.step(tool, &operands, &0) {
            ControlFlow::Continue(next) => state = next,
            ControlFlow::Break(_) => unreachable!("the program has no ANS"),
        }
    }
    state.acc
}

/// Trains a small agent until its run stops.
fn train() -> Result<Run<f32, CalculatorStages>, TrainError> {
    let config = Config { width: 32, batch: 96, validation_episodes: 64, ..Config::default() };
    let mut run = Run::new(config.calculator_stages(), &config, 0);
    while run.stop_reason().is_none() {
        run.advance()?;
    }
    Ok(run)
}

/// Saves a run's parameters in a temporary folder.
fn save(run: &Run<f32, CalculatorStages>) -> Result<PathBuf, nn::CheckpointError> {
    let path = std::env::temp_dir().join(format!("gradus-example-{}.safetensors", std::process::id()));
    nn::save_checkpoint(&path, &run.learner.params, None, &BTreeMap::new())?;
    Ok(path)
}

fn main() -> Result<(), Box<dyn Error>> {
    let program = match std::env::args_os().nth(1) {
        Some(path) => act(Path::new(&path))?,
        None => {
            println!("training a small agent; pass the path of a checkpoint to run another one");
            let path = save(&train()?)?;
            let program = act(&path);
            std::fs::remove_file(path)?;
            program?
        }
    };
    match program.strip_suffix(&[token::ANS]).map(calculate) {
        Some(Some(result)) => println!("the agent's result: 4·2+7−3·1 = {result}"),
        _ => println!("the agent gave no answer"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use token::{ADD, ANS, MUL, RCL, STO, SUB};

    #[test]
    fn act_loaded_agent_computes_the_goal() {
        let path = save(&train().expect("finite numbers")).expect("a temporary folder");
        let program = act(&path);
        std::fs::remove_file(path).expect("save wrote the file");
        assert_eq!(program.expect("an agent"), [MUL, ADD, STO, MUL, RCL, SUB, ANS]);
        assert_eq!(calculate(&[MUL, ADD, STO, MUL, RCL, SUB]), Some(4 * 2 + 7 - 3));
    }
}
