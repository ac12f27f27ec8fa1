//! Makes three A2C updates on `calculator-stages` in `f32` with the kernels `portable`, and prints the bits of the results, one number
//! per line. The program runs on several processors; their outputs must be equal.

#![forbid(unsafe_code)]

use rl::{config::Config, train::Run};

fn main() {
    tensor::choose_kernels("portable").expect("the portable kernels run on every processor");
    let config = Config { width: 21, batch: 24, chunk: 5, ..Config::default() };
    let mut run = Run::<f32, _>::new(config.calculator_stages(), &config, 7);
    for _ in 0..3 {
        let metrics = run.advance().expect("finite numbers").metrics;
        for number in [metrics.loss, metrics.policy_loss, metrics.value_loss, metrics.entropy, metrics.grad_norm] {
            println!("{:016x}", number.to_bits());
        }
    }
    for number in run.learner.params.flat().to_vec() {
        println!("{:08x}", number.to_bits());
    }
}
