//! Trains a network with one hidden layer to classify points inside and outside a circle, by plain gradient descent.
//!
//! ```sh
//! cargo run --release -p gradus-autograd --example tape
//! ```
//!
//! Uses only `tensor` and `autograd`: no layers, no optimiser, no agent. Prints the loss during training, the class that the
//! network predicts at each point of a grid, and two gradient checks of the training loss. Dual numbers check it exactly;
//! central differences do not use the backward rules.

#![forbid(unsafe_code)]

use autograd::gradcheck::{self, Function, Report};
use autograd::{Tape, Unreached, Var};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor};

/// Side length of the grid of points, which covers the square from −1 to 1.
const SIDE: usize = 13;
/// Number of units in the hidden layer.
const HIDDEN: usize = 8;
/// Number of steps of gradient descent.
const STEPS: usize = 2000;
/// The learning rate.
const RATE: f64 = 0.5;

/// The points x\[N,2\] and their classes\[N,1\]: 1 inside the circle, 0 outside.
struct Circle {
    points: Tensor<f64>,
    classes: Tensor<u32>,
}

impl Circle {
    fn new() -> Self {
        let coordinate = |i: usize| 2.0 * i as f64 / (SIDE - 1) as f64 - 1.0;
        let (row, column) = (|i: usize| coordinate(i / SIDE), |i: usize| coordinate(i % SIDE));
        let count = SIDE * SIDE;
        Self {
            points: Tensor::from_fn([count, 2], |k| if k % 2 == 0 { column(k / 2) } else { row(k / 2) }),
            classes: Tensor::from_fn([count, 1], |i| u32::from(row(i).hypot(column(i)) < 0.75)),
        }
    }

    /// Computes ln p of both classes at each point, \[N,2\], from the weights \[2,H\], \[H\], \[H,2\], \[2\].
    fn log_probs<'t, T: Real>(&self, tape: &'t Tape<T>, weights: &[Var<'t, T>]) -> Var<'t, T> {
        let x = tape.constant(self.points.cast());
        let hidden = (x.matmul(weights[0]) + weights[1]).tanh();
        (hidden.matmul(weights[2]) + weights[3]).log_softmax()
    }
}

/// The loss: the mean of −ln p of the right class. It is generic in the scalar, so training and gradient checks use the same
/// code.
impl Function for Circle {
    fn call<'t, T: Real>(&self, tape: &'t Tape<T>, weights: &[Var<'t, T>]) -> Var<'t, T> {
        -self.log_probs(tape, weights).gather(&self.classes).mean()
    }
}

/// Draws weights from a normal distribution; biases are zero.
fn initial_weights() -> [Tensor<f64>; 4] {
    let mut rng = Philox::stream(0, Stream { purpose: Purpose::INIT, update: 0, episode: 0 });
    let mut draw = |rows, columns| Tensor::from_fn([rows, columns], |_| rng.normal());
    [draw(2, HIDDEN), Tensor::zeros([HIDDEN]), draw(HIDDEN, 2), Tensor::zeros([2])]
}

/// Trains the weights by gradient descent, and returns the loss before each step.
fn train(circle: &Circle, weights: &mut [Tensor<f64>; 4]) -> Result<Vec<f64>, Unreached> {
    let (mut tape, mut losses) = (Tape::new(), Vec::new());
    for _ in 0..STEPS {
        tape.clear();
        let names = ["w1", "b1", "w2", "b2"];
        let on_tape: Vec<_> = names.iter().zip(&*weights).map(|(&name, w)| tape.param(name, w.clone())).collect();
        let loss = circle.call(&tape, &on_tape);
        loss.backward()?;
        losses.push(loss.value().item());
        for (w, var) in weights.iter_mut().zip(on_tape) {
            let gradient = var.grad().expect("backward reached every parameter");
            *w = &*w - &(gradient * RATE);
        }
    }
    Ok(losses)
}

/// Predicts for each point if it is inside the circle.
fn predict(circle: &Circle, weights: &[Tensor<f64>; 4]) -> Vec<bool> {
    let tape = Tape::no_grad();
    let weights: Vec<_> = weights.iter().map(|w| tape.constant(w.clone())).collect();
    circle.log_probs(&tape, &weights).value().to_vec().chunks(2).map(|p| p[1] > p[0]).collect()
}

/// Checks the gradients of the loss at these weights by two methods.
fn check(circle: &Circle, weights: &[Tensor<f64>; 4]) -> [Report; 2] {
    [
        gradcheck::duals(circle, weights),
        gradcheck::central_differences(|tape, weights| circle.call(tape, weights), weights),
    ]
}

fn main() -> Result<(), Unreached> {
    let (circle, mut weights) = (Circle::new(), initial_weights());
    let losses = train(&circle, &mut weights)?;
    for step in (0..STEPS).step_by(STEPS / 5) {
        println!("step {step:4}  loss {:.4}", losses[step]);
    }
    println!("step {STEPS:4}  loss {:.4}\n", losses[STEPS - 1]);
    for row in predict(&circle, &weights).chunks(SIDE) {
        println!("{}", row.iter().map(|&within| if within { " #" } else { " ." }).collect::<String>());
    }
    check(&circle, &weights).iter().for_each(|report| print!("\n{report}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_lowers_the_loss_and_its_gradient_is_right() {
        let (circle, mut weights) = (Circle::new(), initial_weights());
        check(&circle, &weights).iter().for_each(Report::assert_ok);
        let losses = train(&circle, &mut weights).expect("every weight is used");
        let (first, last) = (losses[0], losses[STEPS - 1]);
        assert!(first > 0.6 && last < 0.1, "{first} to {last}");
        let (predicted, classes) = (predict(&circle, &weights), circle.classes.to_vec());
        let right = predicted.iter().zip(classes).filter(|&(&within, class)| within == (class == 1)).count();
        assert!(right >= SIDE * SIDE * 95 / 100, "{right}");
        check(&circle, &weights).iter().for_each(Report::assert_ok);
    }
}
