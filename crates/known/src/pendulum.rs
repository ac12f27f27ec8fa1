//! Pendulum-v1: swing a pendulum up and hold it there, with a motor that is too weak to lift it at once.
//!
//! Source: Gymnasium's Pendulum-v1, for its dynamics, constants and limits.

use std::f64::consts::PI;

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

use crate::wrap_angle;

/// The number of steps; no episode ends before.
const HORIZON: usize = 200;

/// The task `pendulum`. Its action is the torque, which is clipped to ±2.
#[derive(Clone, Copy, Debug)]
pub struct Pendulum;

impl Task for Pendulum {
    fn spec(&self) -> Spec {
        Spec::new("pendulum", Space::vector(3), ActionSpace::continuous(1), HORIZON)
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, Rod::default)
    }
}

#[derive(Default)]
struct Rod {
    /// θ from upright in rad, which counts whole turns, and dθ/dt in rad/s.
    state: [f64; 2],
    taken: usize,
}

impl SingleEnv for Rod {
    fn reset(&mut self, rng: &mut Philox) {
        let state = [PI, 1.0].map(|limit| limit * (2.0 * rng.uniform_f64() - 1.0));
        *self = Self { state, taken: 0 };
    }

    fn observe(&self, mut out: Observer<'_>) {
        let [angle, speed] = self.state;
        out.vector(&[angle.cos(), angle.sin(), speed]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        let torque = action.continuous()[0].clamp(-2.0, 2.0);
        let reward = compute_reward(self.state, torque);
        self.state = advance(self.state, torque);
        self.taken += 1;
        Step { truncated: self.taken == HORIZON, ..Step::reward(reward) }
    }
}

/// Minus the cost of a torque in the state before it.
fn compute_reward([angle, speed]: [f64; 2], torque: f64) -> f64 {
    -(wrap_angle(angle).powi(2) + 0.1 * speed * speed + 0.001 * torque * torque)
}

/// The state after 0.05 s. The rod has a mass of 1 kg and a length of 1 m.
fn advance([angle, speed]: [f64; 2], torque: f64) -> [f64; 2] {
    let (gravity, max_speed, seconds) = (10.0, 8.0, 0.05);
    let speed = speed + (1.5 * gravity * angle.sin() + 3.0 * torque) * seconds;
    let speed = speed.clamp(-max_speed, max_speed);
    [angle + speed * seconds, speed]
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::golden::golden_tests!(Pendulum, Rod, "pendulum.tsv");
}
