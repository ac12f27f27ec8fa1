//! Regression: a GRU reads a noisy damped oscillation and predicts its next value at each step.
//!
//! ```sh
//! cargo run --release -p gradus-nn --example oscillation
//! ```
//!
//! The oscillation is x(t) = e^(−d·t)·cos(w·t + p), with d, w and p drawn for each sequence. The GRU reads x(t) with noise
//! of standard deviation 0.1, and predicts x(t + 1) without noise. The loss is the mean squared error. For comparison: to
//! repeat the value just read has an error of about 0.09.

#![forbid(unsafe_code)]

use std::error::Error;
use std::f32::consts::TAU;

use autograd::{Tape, Var};
use nn::{BoundParams, Builder, Grads, Gru, Linear, Optimizer, Params, UpdateRule, clip_global_norm, differentiate};
use tensor::{Tensor, philox::Philox};

/// Steps of a sequence.
const STEPS: usize = 40;
/// Batch size.
const BATCH: usize = 32;

/// Predicts the next values\[T,B,1\] from x\[T,B,1\].
fn predict<'t>((gru, head): &(Gru, Linear), weights: BoundParams<'t>, x: &Tensor) -> Var<'t> {
    let x = weights.tape().constant(x.clone());
    head.forward(weights, gru.forward(weights, x, gru.zero_state(weights, BATCH)))
}

/// Draws noisy values x\[T,B,1\] and the next values\[T,B,1\] without noise.
fn draw(rng: &mut Philox) -> [Tensor; 2] {
    let mut uniform = |low: f32, high: f32| Vec::from_iter((0..BATCH).map(|_| low + (high - low) * rng.uniform_f32()));
    let (d, w, p) = (uniform(0.0, 0.05), uniform(0.3, 0.8), uniform(0.0, TAU));
    let x = |t: usize, b: usize| (-d[b] * t as f32).exp() * (w[b] * t as f32 + p[b]).cos();
    let read = Tensor::from_fn([STEPS, BATCH, 1], |k| x(k / BATCH, k % BATCH) + 0.1 * rng.normal() as f32);
    [read, Tensor::from_fn([STEPS, BATCH, 1], |k| x(k / BATCH + 1, k % BATCH))]
}

/// Trains for `updates` updates. Returns the errors on new sequences: of the model, and of repeating the value just read.
fn train(updates: usize) -> Result<[f32; 2], Box<dyn Error>> {
    let mut params = Params::new();
    let mut builder = Builder::new(&mut params, 1);
    let model = (Gru::new(&mut builder.scope("gru"), 1, 32), Linear::new(&mut builder.scope("head"), 32, 1));
    let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
    let (mut tape, mut grads, mut rng) = (Tape::new(), Grads::zeros(&params), Philox::new(1));
    for update in 0..updates {
        let [x, next] = draw(&mut rng);
        let loss = differentiate(&params, &mut tape, &mut grads, |tape, weights| {
            predict(&model, weights, &x).mse(tape.constant(next))
        })?;
        clip_global_norm(&params, &mut grads, 1.0)?;
        optimizer.step(0.005, &mut params, &grads);
        if update % 100 == 0 {
            println!("update {update:4}  loss {loss:.4}");
        }
    }

    let ([x, next], tape) = (draw(&mut rng), Tape::no_grad());
    let predicted = predict(&model, params.bind(&tape), &x).value();
    println!("\nstep    read  predicted    next");
    for i in (0..STEPS).step_by(4).map(|t| [t, 0, 0]) {
        println!("{:4}  {:6.3}     {:6.3}  {:6.3}", i[0], x.get(&i), predicted.get(&i), next.get(&i));
    }
    Ok([&predicted, &x].map(|y| (y - &next).map(tensor::Map::Square).sum() / next.size() as f32))
}

fn main() -> Result<(), Box<dyn Error>> {
    let [model, repeated] = train(600)?;
    println!("\nmean squared error {model:.4}; of repeating the value just read {repeated:.4}");
    Ok(())
}

#[test]
fn train_error_is_far_below_that_of_repeating_the_value() {
    let [model, repeated] = train(150).expect("finite numbers");
    assert!(model < 0.4 * repeated, "{model} and {repeated}");
}
