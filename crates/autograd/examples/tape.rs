//! The tape alone: a network with one hidden layer learns which points lie within a circle, by plain gradient descent.
//!
//! ```sh
//! cargo run --release -p autograd --example tape
//! ```
//!
//! Uses `tensor` and `autograd` and nothing above them: no layers, no optimiser, no agent. Printed are the loss as it
//! falls, what the network believes at each point of a grid, and two gradient checks of the very loss that is
//! trained: by duals, which are exact, and by central differences, which know nothing of the rules.

#![forbid(unsafe_code)]

use autograd::gradcheck::{self, Function, Report};
use autograd::{Tape, Unreached, Var};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor};

/// The points are a grid of SIDE × SIDE over the square from −1 to 1.
const SIDE: usize = 13;
/// Units in the hidden layer.
const HIDDEN: usize = 8;
/// Steps of gradient descent.
const STEPS: usize = 2000;
/// The learning rate.
const RATE: f64 = 0.5;

/// The points x\[N,2\] and their classes\[N,1\]: 1 within the circle, 0 outside.
struct Circle {
    points: Tensor<f64>,
    classes: Tensor<u32>,
}

impl Circle {
    fn new() -> Self {
        let at = |i: usize| 2.0 * i as f64 / (SIDE - 1) as f64 - 1.0;
        let (row, column) = (|i: usize| at(i / SIDE), |i: usize| at(i % SIDE));
        let count = SIDE * SIDE;
        Self {
            points: Tensor::from_fn([count, 2], |k| if k % 2 == 0 { column(k / 2) } else { row(k / 2) }),
            classes: Tensor::from_fn([count, 1], |i| u32::from(row(i).hypot(column(i)) < 0.75)),
        }
    }

    /// ln p of both classes at each point, \[N,2\], given the weights \[2,H\], \[H\], \[H,2\], \[2\].
    fn log_probs<'t, T: Real>(&self, tape: &'t Tape<T>, weights: &[Var<'t, T>]) -> Var<'t, T> {
        let x = tape.constant(self.points.cast());
        let hidden = (x.matmul(weights[0]) + weights[1]).tanh();
        (hidden.matmul(weights[2]) + weights[3]).log_softmax()
    }
}

/// The loss, −ln p of the right class in the mean, over any scalar: so the same lines are trained and checked.
impl Function for Circle {
    fn call<'t, T: Real>(&self, tape: &'t Tape<T>, weights: &[Var<'t, T>]) -> Var<'t, T> {
        -self.log_probs(tape, weights).gather(&self.classes).mean()
    }
}

/// Weights drawn from a normal distribution, and biases of zero.
fn initial_weights() -> [Tensor<f64>; 4] {
    let mut rng = Philox::stream(0, Stream { purpose: Purpose::INIT, update: 0, episode: 0 });
    let mut draw = |rows, columns| Tensor::from_fn([rows, columns], |_| rng.normal());
    [draw(2, HIDDEN), Tensor::zeros([HIDDEN]), draw(HIDDEN, 2), Tensor::zeros([2])]
}

/// Moves the weights down the slope, and returns the loss before each step.
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
            let slope = var.grad().expect("backward reached every parameter");
            *w = &*w - &(&slope * &Tensor::scalar(RATE));
        }
    }
    Ok(losses)
}

/// Whether each point is taken to lie within the circle.
fn believed(circle: &Circle, weights: &[Tensor<f64>; 4]) -> Vec<bool> {
    let tape = Tape::evaluating();
    let weights: Vec<_> = weights.iter().map(|w| tape.constant(w.clone())).collect();
    circle.log_probs(&tape, &weights).value().to_vec().chunks(2).map(|p| p[1] > p[0]).collect()
}

/// The gradients of the loss at these weights, held against two judges.
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
    for row in believed(&circle, &weights).chunks(SIDE) {
        println!("{}", row.iter().map(|&within| if within { " #" } else { " ." }).collect::<String>());
    }
    check(&circle, &weights).iter().for_each(|report| print!("\n{report}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_falls_and_its_gradient_is_right() {
        let (circle, mut weights) = (Circle::new(), initial_weights());
        check(&circle, &weights).iter().for_each(Report::assert_ok);
        let losses = train(&circle, &mut weights).expect("every weight is used");
        let (first, last) = (losses[0], losses[STEPS - 1]);
        assert!(first > 0.6 && last < 0.1, "{first} to {last}");
        let (believed, classes) = (believed(&circle, &weights), circle.classes.to_vec());
        let right = believed.iter().zip(classes).filter(|&(&within, class)| within == (class == 1)).count();
        assert!(right >= SIDE * SIDE * 95 / 100, "{right}");
        check(&circle, &weights).iter().for_each(Report::assert_ok);
    }
}
