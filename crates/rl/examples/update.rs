//! Makes one A2C update on `calculator-stages`, and prints the results, one number per line. The program runs natively and as
//! wasm32; a script compares the two outputs.
//!
//! It runs in `f64` and at a small size. The comparison checks that every step of an update (sampling, returns, both
//! passes, clipping, Adam) has the same result on both platforms. It does not measure speed.

#![forbid(unsafe_code)]

use rl::{config::Config, train::Run};

fn main() {
    let config =
        Config { width: 12, batch: 24, chunk: 5, validate_every: 1, validation_episodes: 16, ..Config::default() };
    let mut run = Run::<f64, _>::new(config.calculator_stages(), &config, 7);
    let report = run.advance().expect("finite numbers");
    let metrics = report.metrics;
    for number in
        [metrics.loss, metrics.policy_loss, metrics.value_loss, metrics.entropy, metrics.grad_norm, metrics.reward]
    {
        println!("{number:?}");
    }
    for stats in report.validation.expect("a validation follows every update") {
        println!("{:?}\n{:?}", stats.exact, stats.reward);
    }
    for number in run.learner.params.flat().to_vec() {
        println!("{number:?}");
    }
}
