//! One full training update of A2C on `calculator`, its results one number a line: the same program runs natively and
//! as wasm32, and the two lists are compared.
//!
//! In `f64`, and at a small size: what is compared is whether every step of an update (sampling, returns, both passes,
//! clipping, Adam) does the same everywhere, not how fast it does it.

#![forbid(unsafe_code)]

use rl::{config::Config, train::Run};

fn main() {
    let config =
        Config { width: 12, batch: 24, chunk: 5, validate_every: 1, validation_episodes: 16, ..Config::default() };
    let mut run = Run::<f64>::new(&config, 7);
    let report = run.advance().expect("finite numbers");
    let metrics = report.metrics;
    for number in
        [metrics.loss, metrics.policy_loss, metrics.value_loss, metrics.entropy, metrics.grad_norm, metrics.reward]
    {
        println!("{number:?}");
    }
    for figures in report.validation.expect("one after every update") {
        println!("{:?}\n{:?}", figures.exact, figures.reward);
    }
    for number in run.learner.params.flat().to_vec() {
        println!("{number:?}");
    }
}
