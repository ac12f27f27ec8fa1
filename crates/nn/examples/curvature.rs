//! The curvature of a loss: the largest eigenvalue λ of its Hessian, computed without building the Hessian.
//!
//! ```sh
//! cargo run --release -p gradus-nn --example curvature
//! ```
//!
//! A GRU reads seven numbers and learns to predict their sum, by plain gradient descent. Along an eigenvector, a step
//! with the learning rate η multiplies the distance to the minimum of a parabola by 1 − η·λ. So descent with η > 2/λ
//! diverges.
//!
//! λ comes from power iteration, u ← H·u / |H·u|, with one Hessian-vector product per iteration. The program prints the
//! loss, λ and 2/λ during training. λ grows until η is about 2/λ, and then stays there.
//!
//! References: Y. LeCun, P. Simard, B. Pearlmutter, "Automatic learning rate maximization by on-line estimation of the
//! Hessian's eigenvectors" (1993); J. Cohen and others, "Gradient descent on neural networks typically occurs at the
//! edge of stability" (2021); B. Parlett, *The Symmetric Eigenvalue Problem*, for the iteration and for |H·u − λ·u| as
//! a bound of its error.

#![forbid(unsafe_code)]

use autograd::{Function, Tape, Unreached, Var};
use nn::derivatives::{gradient, hvp};
use nn::{BoundParams, Builder, Grads, Gru, Linear, Params};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor};

/// Batch size, steps, and hidden size of the GRU.
const SIZES: (usize, usize, usize) = (16, 7, 3);
/// The learning rate.
const RATE: f64 = 0.2;

/// The mean squared error of a GRU with a linear head that predicts the sum of x\[T,B,1\].
struct SumLoss {
    gru: Gru,
    head: Linear,
    x: Tensor<f64>,
}

impl SumLoss {
    fn new() -> (Self, Params<f64>) {
        let (batch, steps, hidden_size) = SIZES;
        let mut params = Params::new();
        let mut builder = Builder::new(&mut params, 1);
        let (gru, head) =
            (Gru::new(&mut builder, 1, hidden_size), Linear::new(&mut builder.scope("head"), hidden_size, 1));
        (Self { gru, head, x: draw(0, &[steps, batch, 1]) }, params)
    }
}

impl Function for SumLoss {
    fn call<'t, T: Real>(&self, tape: &'t Tape<T>, w: &[Var<'t, T>]) -> Var<'t, T> {
        let (w, (batch, steps, hidden_size)) = (BoundParams::from_vars(w), SIZES);
        let (x, h) = (tape.constant(self.x.cast()), tape.constant(Tensor::zeros([batch, hidden_size])));
        let predicted = self.head.forward(w, self.gru.forward(w, x, h).select(0, steps - 1));
        predicted.mse(x.sum_axis(0))
    }
}

/// Draws a tensor uniformly within ±1.
fn draw(episode: u32, shape: &[usize]) -> Tensor<f64> {
    let mut rng = Philox::stream(7, Stream { purpose: Purpose(1), update: 0, episode });
    Tensor::from_fn(shape, |_| 2.0 * rng.uniform_f64() - 1.0)
}

/// Computes the Hessian's eigenvalue of largest absolute value, to nine digits, and its eigenvector.
fn largest_eigenvalue(loss: &SumLoss, params: &Params<f64>) -> Result<(f64, Grads<f64>), Unreached> {
    let mut u = Grads::new(params, draw(1, &[params.size()]));
    for _ in 0..10_000 {
        u.scale(1.0 / u.norm());
        let (_, product) = hvp(loss, params, &u)?;
        let eigenvalue = (u.flat() * product.flat()).sum();
        let residual = Grads::new(params, product.flat() - &(u.flat() * eigenvalue));
        if residual.norm() <= 1e-9 * eigenvalue.abs() {
            return Ok((eigenvalue, u));
        }
        u = product;
    }
    panic!("power iteration did not converge: two eigenvalues have nearly the same absolute value")
}

/// Takes `steps` steps of gradient descent.
fn descend(loss: &SumLoss, params: &mut Params<f64>, steps: usize) -> Result<(), Unreached> {
    for _ in 0..steps {
        let (_, grads) = gradient(loss, params)?;
        let moved = params.flat() - &(grads.flat() * RATE);
        *params.flat_mut() = moved;
    }
    Ok(())
}

fn main() -> Result<(), Unreached> {
    let (loss, mut params) = SumLoss::new();
    println!("{} parameters, learning rate {RATE}\n\nstep      loss          λ        2/λ", params.size());
    for step in (0..=400).step_by(50) {
        let (value, (eigenvalue, _)) = (gradient(&loss, &params)?.0, largest_eigenvalue(&loss, &params)?);
        println!("{step:4}  {value:8.5}   {eigenvalue:8.4}   {:8.4}", 2.0 / eigenvalue);
        descend(&loss, &mut params, 50)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use autograd::derivatives::hessian;
    use autograd::gradcheck;

    use super::*;

    /// The dense Hessian has the same eigenvalue. Repeated squaring gives |A^n|^(1/n) → |λ| (Gelfand's formula).
    #[test]
    fn largest_eigenvalue_matches_the_dense_hessian() {
        let (loss, params) = SumLoss::new();
        let (eigenvalue, u) = largest_eigenvalue(&loss, &params).expect("the loss depends on all");
        let values: Vec<_> = params.handles().map(|param| params.get(param)).collect();
        let h = hessian(&loss, &values);
        let u = u.flat().reshape([params.size(), 1]);
        let residual = &h.matmul(&u) - &(&u * eigenvalue);
        assert!((&residual * &residual).sum().sqrt() < 1e-8 * eigenvalue.abs());

        let (mut power, mut log_norm) = (h, 0.0);
        for n in 0..30 {
            let norm = (&power * &power).sum().sqrt();
            log_norm += norm.ln() / f64::powi(2.0, n);
            power = &power * (1.0 / norm);
            power = power.matmul(&power);
        }
        assert!((log_norm.exp() / eigenvalue.abs() - 1.0).abs() < 1e-8, "{} and {eigenvalue}", log_norm.exp());
    }

    #[test]
    fn descent_reaches_the_edge_of_stability_and_stays_there() {
        let (loss, mut params) = SumLoss::new();
        let used =
            |params: &Params<f64>| RATE * largest_eigenvalue(&loss, params).expect("the loss depends on all").0 / 2.0;
        assert!(used(&params) < 0.5);
        for _ in 0..3 {
            descend(&loss, &mut params, 100).expect("the loss depends on all");
            assert!((used(&params) - 1.0).abs() < 0.2, "{}", used(&params));
        }
    }

    #[test]
    fn sum_loss_passes_the_gradient_checks() {
        let (loss, params) = SumLoss::new();
        let values: Vec<_> = params.handles().map(|param| params.get(param)).collect();
        gradcheck::duals(&loss, &values).assert_ok();
        gradcheck::second_order(&loss, &values).assert_ok();
    }
}
