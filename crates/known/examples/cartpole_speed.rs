//! Measures the speed of small updates: CartPole-v1 at the settings of Stable-Baselines3's A2C, which are 8 environments,
//! segments of 5 steps, two hidden layers of 64 tanh units for the policy and as many for the critic, and RMSprop. Prints steps
//! per CPU second of one thread.
//!
//! `cargo run --release -p gradus-known --example cartpole_speed [STEPS]`
#![forbid(unsafe_code)]

use known::CartPole;
use nn::{Optimizer, Params, UpdateRule};
use rl::a2c::{Learner, Update};
use rl::env::Task;
use rl::policy::{Architecture, Policy};

/// An error with a message for the user.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// The user and system time of this process. Linux counts it in hundredths of a second.
fn cpu_seconds() -> Result<f64, Error> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let times = after_name.split_whitespace().skip(11).take(2);
    Ok(times.map(|ticks| ticks.parse::<f64>()).sum::<Result<f64, _>>()? / 100.0)
}

fn main() -> Result<(), Error> {
    let steps: usize = std::env::args().nth(1).map_or(Ok(250_000), |steps| steps.parse())?;
    let mut params = Params::<f32>::new();
    let architecture =
        Architecture { memory: None, encoder_layers: 2, has_separate_critic: true, ..Architecture::gru(64) };
    let policy = Policy::new(&mut params, &CartPole.spec(), architecture, 0);
    let optimizer = Optimizer::new(UpdateRule::RmsProp { alpha: 0.99, epsilon: 1e-5 }, &params);
    let mut learner = Learner::new(policy, params, optimizer);
    let mut update = Update {
        counts: vec![8],
        chunk: 8,
        segment: 5,
        gamma: 0.99,
        entropy: 0.0,
        clip: 0.5,
        rate: 7e-4,
        ..Update::default()
    };
    tensor::par::with_threads(1, || {
        let start = cpu_seconds()?;
        let (mut taken, mut hash) = (0, 0_u64);
        while taken < steps {
            let metrics = learner.update(&CartPole, &update)?;
            taken += metrics.steps;
            update.number += 1;
            hash = hash.wrapping_mul(31).wrapping_add(metrics.loss.to_bits());
        }
        let seconds = cpu_seconds()? - start;
        println!(
            "{taken} steps in {seconds:.2} CPU seconds: {:.0} steps per CPU second; losses {hash:016x}",
            taken as f64 / seconds
        );
        Ok(())
    })?
}
