//! Three training updates of A2C on `calculator` in `f32` by the kernels `portable`, the bits of their results one number a
//! line: the same program runs on several processors, and the lists must be the same.

#![forbid(unsafe_code)]

use rl::{config::Config, train::Run};

fn main() {
    tensor::choose_kernels("portable").expect("they are there on every processor");
    let config = Config { width: 21, batch: 24, chunk: 5, ..Config::default() };
    let mut run = Run::<f32>::new(&config, 7);
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
