//! Repeats a workload on one thread: `gradus-instructions NAME COUNT`. `.ci/instructions` counts the instructions.
//!
//! A workload is one update, or one episode, as a user of the library writes it. The numbers of instructions in two runs of
//! different lengths give those of one repetition, without the start of the program.
#![forbid(unsafe_code)]
#![allow(dead_code, unreachable_pub)] // in modules of other programs

extern crate self as peer; // the modules of the peer find their sizes here

#[path = "../../peers/gradus/src/net.rs"]
mod net;
#[path = "../../../crates/rl/examples/own_model.rs"]
mod own_model;
#[path = "../../peers/gradus/src/task.rs"]
mod task;
#[path = "../../peers/common/src/workload.rs"]
mod workload;

use std::env;
use std::error::Error;
use std::sync::Arc;

use nn::{Optimizer, Params, UpdateRule};
use rl::a2c::{Learner, Update};
use rl::agent::Agent;
use rl::config::{Config, MemoryKind};
use rl::env::Task;
use rl::tasks::Expression;
use rl::train::{Learn, Run};

pub use crate::workload::{CTX, DIGITS, STAGES, VOCABULARY};

use crate::net::Net;
use crate::task::Digits;

/// A workload that is repeated a number of times.
type Workload = fn(usize) -> Result<(), Box<dyn Error>>;

/// The workloads by name.
const WORKLOADS: [(&str, Workload); 7] = [
    ("W1", updates_of_the_peers),
    ("W5", episodes_of_the_peers),
    ("gru-on-tokens", |count| {
        let config = Config { width: 32, batch: 48, ..small() };
        repeat(Run::<f32, _>::new(config.calculator_stages(), &config, 0), count)
    }),
    ("attention-and-hindsight", |count| {
        let task = Expression::default();
        let (validate_every, max_updates) = (small().validate_every, small().max_updates);
        let config = Config { width: 32, batch: 48, validate_every, max_updates, ..task.default_config() };
        repeat(Run::<f32, _>::new(task, &config, 0), count)
    }),
    ("memoryless-on-vectors", |count| known_problem("cartpole", count)),
    ("continuous-actions", |count| known_problem("pendulum", count)),
    ("own-model", |count| repeat(own_model::new_run(0), count)),
];

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<_> = env::args().skip(1).collect();
    let [name, count] = &words[..] else {
        return Err(format!("found {} arguments, expected the name of a workload and a count", words.len()).into());
    };
    let names = WORKLOADS.map(|(name, _)| name);
    let workload = WORKLOADS.iter().find(|(other, _)| other == name);
    let (_, work) = workload.ok_or_else(|| format!("there is no workload {name}; the workloads are {names:?}"))?;
    let count = count.parse().map_err(|error| format!("the count {count} is not a number: {error}"))?;
    tensor::par::with_threads(1, || work(count).map_err(|error| error.to_string()))??;
    Ok(())
}

/// Returns the task, the network and the parameters of a workload of the peers, and its batch.
fn peers_workload(name: &str) -> (Digits, Net, Params, usize) {
    let workload = workload::WORKLOADS.iter().find(|workload| workload.name == name).expect("a workload of the peers");
    let mut params = Params::new();
    let net = Net::new(&mut params, workload.hidden_size);
    (Digits(workload.steps), net, params, workload.batch)
}

/// Updates of B=192, T=6, H=96.
fn updates_of_the_peers(count: usize) -> Result<(), Box<dyn Error>> {
    let (task, net, params, batch) = peers_workload("W1");
    let optimizer = Optimizer::new(UpdateRule::adam(), &params);
    let mut learner = Learner::new(net, params, optimizer);
    let mut update = Update { counts: vec![batch], chunk: 96, rate: 3e-4, ..Update::default() };
    for _ in 0..count {
        learner.update(&task, &update)?;
        update.number += 1;
    }
    Ok(())
}

/// Greedy episodes of an agent, of T=7, H=96.
fn episodes_of_the_peers(count: usize) -> Result<(), Box<dyn Error>> {
    let (task, net, params, _) = peers_workload("W5");
    let agent = Agent::new(task.spec(), net, params);
    for _ in 0..count {
        let mut episode = agent.begin(0);
        episode.observe(&[3, 5, 7, CTX]);
        for _ in 1..task.0 {
            let action = episode.greedy();
            episode.observe(&[action]);
        }
        std::hint::black_box(episode.greedy());
    }
    Ok(())
}

/// Settings without validations.
fn small() -> Config {
    Config { validate_every: 1 << 20, max_updates: 1 << 20, ..Config::default() }
}

/// Updates of a policy without memory, in segments of a few episodes.
fn known_problem(name: &str, count: usize) -> Result<(), Box<dyn Error>> {
    let config = Config {
        width: 32,
        encoder_layers: 2,
        memory: MemoryKind::None,
        batch: 8,
        segment: 32,
        normalize_observations: true,
        normalize_rewards: true,
        ..small()
    };
    let task = known::tasks().iter().find(|task| task.spec().name == name);
    let task: Arc<dyn Task> = Arc::new(*task.ok_or_else(|| format!("there is no known problem {name}"))?);
    repeat(Run::<f32, _>::new(task, &config, 0), count)
}

fn repeat<K: Task, L: Learn<f32>>(mut run: Run<f32, K, L>, count: usize) -> Result<(), Box<dyn Error>> {
    for _ in 0..count {
        run.advance()?;
    }
    Ok(())
}
