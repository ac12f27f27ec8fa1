//! A language model of characters: a GRU reads Shakespeare's sonnets and learns to predict the next character.
//!
//! ```sh
//! cargo run --release -p gradus-nn --example characters
//! ```
//!
//! The loss is the mean of −ln p of the right character: ln 55 = 4.01 if all 55 characters are equally probable. The program
//! prints it during training, and then a text that the model writes. The sonnets are in the public domain; the first lines
//! of `data/sonnets.txt` state their source.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::error::Error;

use autograd::{Tape, Var};
use nn::{BoundParams, Builder, Embedding, Grads, Gru, Linear, Optimizer, Params, UpdateRule};
use nn::{clip_global_norm, differentiate};
use tensor::{Tensor, philox::Philox};

type Model = (Embedding, Gru, Linear);

/// Computes the states\[T,B,H\] and the logits\[T,B,V\] of the next characters, from tokens\[T,B\] and h\[B,H\].
fn forward<'t>(model: &Model, weights: BoundParams<'t>, tokens: &Tensor<u32>, h: Var<'t>) -> [Var<'t>; 2] {
    let (embedding, gru, head) = model;
    let states = gru.forward(weights, embedding.forward(weights, tokens), h);
    [states, head.forward(weights, states)]
}

/// Trains for `updates` updates. Returns the last loss, and a text of `length` characters.
fn train(updates: usize, length: usize) -> Result<(f32, String), Box<dyn Error>> {
    let text = include_str!("data/sonnets.txt").split_once("\n\n").expect("an empty line follows the source").1;
    let characters = Vec::from_iter(text.chars().collect::<BTreeSet<char>>());
    let tokens: Vec<u32> = text.chars().map(|c| characters.partition_point(|&other| other < c) as u32).collect();

    let (batch, steps, embedding_size, hidden_size, vocabulary) = (16, 32, 16, 96, characters.len());
    let (mut rng, mut params, mut tape, mut loss) = (Philox::new(1), Params::new(), Tape::new(), 0.0);
    let mut builder = Builder::new(&mut params, 1);
    let embedding = Embedding::new(&mut builder.scope("embedding"), vocabulary, embedding_size);
    let gru = Gru::new(&mut builder.scope("gru"), embedding_size, hidden_size);
    let model = (embedding, gru, Linear::new(&mut builder.scope("head"), hidden_size, vocabulary));
    let (mut optimizer, mut grads) = (Optimizer::new(UpdateRule::adam(), &params), Grads::zeros(&params));
    for update in 1..=updates {
        let starts: Vec<usize> = (0..batch).map(|_| rng.below((tokens.len() - steps) as u32) as usize).collect();
        let read = Tensor::from_fn([steps, batch], |k| tokens[starts[k % batch] + k / batch]);
        let next = Tensor::from_fn([steps, batch], |k| tokens[starts[k % batch] + k / batch + 1]);
        loss = differentiate(&params, &mut tape, &mut grads, |_, weights| {
            let [_, logits] = forward(&model, weights, &read, gru.zero_state(weights, batch));
            logits.cross_entropy(&next)
        })?;
        clip_global_norm(&params, &mut grads, 1.0)?;
        optimizer.step(0.005, &mut params, &grads);
        if update % 100 == 0 {
            println!("update {update:4}  loss {loss:.3}");
        }
    }

    let (mut written, mut token, mut h) = (String::new(), tokens[0], Tensor::zeros([1, hidden_size]));
    for _ in 0..length {
        written.push(characters[token as usize]);
        let tape = Tape::no_grad();
        let [state, logits] = forward(&model, params.bind(&tape), &Tensor::from([[token]]), tape.constant(h));
        let (u, p) = (rng.uniform_f32(), logits.softmax().value().to_vec());
        token = (1..vocabulary).filter(|&k| p[..k].iter().sum::<f32>() <= u).count() as u32; // drawn from p
        h = state.select(0, 0).value();
    }
    Ok((loss, written))
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("\n{}", train(600, 400)?.1);
    Ok(())
}

/// The frequencies of single characters alone give a loss of 3.10.
#[test]
fn train_predicts_better_than_the_frequencies_of_characters() {
    let (loss, written) = train(60, 20).expect("finite numbers");
    assert!(loss < 2.7 && written.chars().count() == 20, "{loss}: {written}");
}
