//! The adding problem: a GRU remembers two marked numbers of a sequence, and adds them at its end.
//!
//! ```sh
//! cargo run --release -p gradus-nn --example adding
//! ```
//!
//! Each step has a number, uniform between 0 and 1, and a mark. Two numbers are marked: one in each half of the sequence.
//! A number has the mean 1/2 and the variance ∫₀¹ (x − 1/2)² dx = 1/12. They are independent, so their sum has the mean 1
//! and the variance 1/6. The best constant prediction is the mean, with a mean squared error of 1/6 = 0.1667. Lower errors
//! need a memory that lasts for the sequence.
//!
//! References: S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory" (1997), experiment 4, with other ranges; with these:
//! Q. Le, N. Jaitly, G. Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units" (2015).

#![forbid(unsafe_code)]

use std::error::Error;

use autograd::Tape;
use nn::{Builder, Grads, Gru, Linear, Optimizer, Params, UpdateRule, clip_global_norm, differentiate};
use tensor::{Tensor, philox::Philox};

/// Batch size.
const BATCH: usize = 32;

/// Draws inputs\[T,B,2\] and their targets\[B,1\].
fn draw(steps: usize, rng: &mut Philox) -> [Tensor; 2] {
    let half = steps as u32 / 2;
    let marked: Vec<u32> = (0..2 * BATCH as u32).map(|k| rng.below(half) + k % 2 * half).collect();
    let x = Tensor::from_fn([steps, BATCH, 2], |k| {
        let (t, b) = ((k / 2 / BATCH) as u32, k / 2 % BATCH);
        if k % 2 == 0 { rng.uniform_f32() } else { f32::from(marked[2 * b..][..2].contains(&t)) }
    });
    let number = |k: usize| x.get(&[marked[k] as usize, k / 2, 0]);
    let sums = Tensor::from_fn([BATCH, 1], |b| number(2 * b) + number(2 * b + 1));
    [x, sums]
}

/// Trains for `updates` updates on sequences of `steps` numbers. Returns the mean squared error of the last 50 updates.
fn train(steps: usize, updates: usize) -> Result<f32, Box<dyn Error>> {
    let mut params = Params::new();
    let mut builder = Builder::new(&mut params, 1);
    let (gru, head) = (Gru::new(&mut builder.scope("gru"), 2, 32), Linear::new(&mut builder.scope("head"), 32, 1));
    let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
    let (mut tape, mut grads, mut rng) = (Tape::new(), Grads::zeros(&params), Philox::new(1));
    let mut losses = Vec::new();
    for update in 1..=updates {
        let [x, sums] = draw(steps, &mut rng);
        losses.push(differentiate(&params, &mut tape, &mut grads, |tape, weights| {
            let states = gru.forward(weights, tape.constant(x), gru.zero_state(weights, BATCH));
            let sum = head.forward(weights, states.select(0, steps - 1));
            sum.mse(tape.constant(sums))
        })?);
        clip_global_norm(&params, &mut grads, 1.0)?;
        optimizer.step(0.01, &mut params, &grads);
        if update % 100 == 0 {
            println!("update {update:4}  error {:.4}", mean_of_last(50, &losses));
        }
    }
    Ok(mean_of_last(50, &losses))
}

fn mean_of_last(count: usize, losses: &[f32]) -> f32 {
    losses[losses.len() - count..].iter().sum::<f32>() / count as f32
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("error after training {:.4}; the best constant has 0.1667", train(40, 1000)?);
    Ok(())
}

#[test]
fn train_error_is_far_below_the_best_constant() {
    let error = train(20, 300).expect("finite numbers");
    assert!(error < 0.02, "{error}");
}
