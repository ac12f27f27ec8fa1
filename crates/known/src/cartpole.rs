//! CartPole-v1: balance a pole on a cart.
//!
//! Sources: A. Barto, R. Sutton, C. Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems"
//! (1983), for the system; Gymnasium's CartPole-v1 for its constants, limits and Euler steps.

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

/// The maximum number of steps; each has a reward of 1.
const HORIZON: usize = 500;

/// The task `cartpole`.
#[derive(Clone, Copy, Debug)]
pub struct CartPole;

impl Task for CartPole {
    fn spec(&self) -> Spec {
        Spec::new("cartpole", Space::vector(4), ActionSpace::discrete(["LEFT", "RIGHT"]), HORIZON)
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, Cart::default)
    }
}

#[derive(Default)]
struct Cart {
    /// x in m, dx/dt in m/s, θ in rad, dθ/dt in rad/s.
    state: [f64; 4],
    taken: usize,
}

impl SingleEnv for Cart {
    fn reset(&mut self, rng: &mut Philox) {
        self.state.fill_with(|| 0.1 * rng.uniform_f64() - 0.05);
        self.taken = 0;
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.vector(&self.state);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.state = advance(self.state, action.discrete());
        self.taken += 1;
        Step { terminated: has_fallen(self.state), truncated: self.taken == HORIZON, ..Step::reward(1.0) }
    }
}

/// The state after 0.02 s with a push to the left (action 0) or to the right (1).
fn advance(state: [f64; 4], action: u32) -> [f64; 4] {
    let [gravity, pole, total, half_length, seconds] = [9.8, 0.1, 1.1, 0.5, 0.02];
    let force = if action == 1 { 10.0 } else { -10.0 };
    let [x, speed, angle, spin] = state;
    let (sin, cos) = angle.sin_cos();
    let push = (force + pole * half_length * spin * spin * sin) / total;
    let turn = (gravity * sin - cos * push) / (half_length * (4.0 / 3.0 - pole * cos * cos / total));
    let pull = push - pole * half_length * turn * cos / total;
    let slopes = [speed, pull, spin, turn];
    std::array::from_fn(|k| [x, speed, angle, spin][k] + seconds * slopes[k])
}

fn has_fallen([x, _, angle, _]: [f64; 4]) -> bool {
    x.abs() > 2.4 || angle.abs() > 12_f64.to_radians()
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::golden::golden_tests!(CartPole, Cart, "cartpole.tsv");
}
