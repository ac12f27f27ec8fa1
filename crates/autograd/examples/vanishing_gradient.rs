//! Shows the gradient of a GRU's states vanish over time, and the update gate keep it alive.
//!
//! ```sh
//! cargo run --release -p gradus-autograd --example vanishing_gradient
//! ```
//!
//! The loss reads the last state only. So the direct gradient ∂L/∂h_t, which is `grad` of the states, is zero at all other steps.
//! The total gradient dL/dh_t, from `gru_state_grads`, flows back through all of them. Each step multiplies its direct path by the
//! update gate z: a bias of −2 closes the gate to about 0.12, a bias of 2 opens it to about 0.88.

#![forbid(unsafe_code)]

use autograd::{Tape, Unreached};
use tensor::Tensor;
use tensor::philox::{Philox, Purpose, Stream};

/// Number of steps, T.
const STEPS: usize = 24;
/// The hidden size, H.
const HIDDEN: usize = 16;
/// Biases of the update gate, one GRU for each.
const BIASES: [f64; 3] = [-2.0, 0.0, 2.0];

/// Returns |∂L/∂h_t| and |dL/dh_t| for each step, as Euclidean norms. L is the sum of the last state.
fn state_grad_norms(bias: f64) -> Result<[Vec<f64>; 2], Unreached> {
    let mut rng = Philox::stream(0, Stream { purpose: Purpose::INIT, update: 0, episode: 0 });
    let mut draw = |shape: &[usize], scale: f64| Tensor::from_fn(shape, |_| scale * rng.normal());
    let tape = Tape::new();
    let gx = tape.constant(draw(&[STEPS, 1, 3 * HIDDEN], 0.5));
    let w_hh = tape.param("w_hh", draw(&[3 * HIDDEN, HIDDEN], 0.5 / (HIDDEN as f64).sqrt()));
    let is_update_gate = |j: usize| (HIDDEN..2 * HIDDEN).contains(&j);
    let b_hh = tape.param("b_hh", Tensor::from_fn([3 * HIDDEN], |j| if is_update_gate(j) { bias } else { 0.0 }));
    let hs = gx.gru(tape.constant(Tensor::zeros([1, HIDDEN])), w_hh, b_hh);
    hs.select(0, STEPS - 1).sum().backward()?;
    let grads = [hs.grad(), hs.gru_state_grads()].map(|grad| grad.expect("the loss reads the last state"));
    let norm = |row: Tensor<f64>| row.to_vec().iter().map(|x| x * x).sum::<f64>().sqrt();
    Ok(grads.map(|grad| (0..STEPS).map(|t| norm(grad.select(0, t))).collect()))
}

fn main() -> Result<(), Unreached> {
    println!("step  |∂L/∂h_t|{}", BIASES.map(|bias| format!("   |dL/dh_t|, bias {bias:2}")).concat());
    let [a, b, c] = BIASES.map(state_grad_norms);
    let ([direct, a], [_, b], [_, c]) = (a?, b?, c?);
    for t in 0..STEPS {
        println!("{:4}  {:9.2}{:20.2e}{:20.2e}{:20.2e}", t + 1, direct[t], a[t], b[t], c[t]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_gradients_vanish_unless_the_update_gate_is_open() {
        let vanished = BIASES.map(|bias| {
            let [direct, total] = state_grad_norms(bias).expect("both parameters are used");
            assert!(direct[..STEPS - 1].iter().all(|&norm| norm == 0.0) && total.iter().all(|&norm| norm > 0.0));
            assert_eq!(direct[STEPS - 1], total[STEPS - 1]);
            total[0] / total[STEPS - 1]
        });
        assert!(vanished[0] < 1e-9 && vanished[1] < 1e-3 && vanished[2] > 0.01, "{vanished:?}");
    }
}
