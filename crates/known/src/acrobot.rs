//! Acrobot-v1: swing the free end of two hanging links up, with a motor at the joint between them.
//!
//! Sources: R. Sutton, A. Barto, "Reinforcement Learning: An Introduction" (1998), section 11.3, for the equations of motion;
//! Gymnasium's Acrobot-v1 for its constants, limits and Runge-Kutta steps.

use std::f64::consts::PI;

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

use crate::wrap_angle;

/// The maximum number of steps. Each has a reward of −1, but the one that reaches the goal has 0.
const HORIZON: usize = 500;

/// The task `acrobot`.
#[derive(Clone, Copy, Debug)]
pub struct Acrobot;

impl Task for Acrobot {
    fn spec(&self) -> Spec {
        let actions = ActionSpace::discrete(["TORQUE -1", "TORQUE 0", "TORQUE 1"]);
        Spec::new("acrobot", Space::vector(6), actions, HORIZON)
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, Links::default)
    }
}

#[derive(Default)]
struct Links {
    /// θ₁ from hanging down, θ₂ from the direction of the first link, in rad; dθ₁/dt and dθ₂/dt in rad/s.
    state: [f64; 4],
    taken: usize,
}

impl SingleEnv for Links {
    /// Gymnasium rounds the start to `f32`.
    fn reset(&mut self, rng: &mut Philox) {
        self.state.fill_with(|| f64::from((0.2 * rng.uniform_f64() - 0.1) as f32));
        self.taken = 0;
    }

    fn observe(&self, mut out: Observer<'_>) {
        let [first, second, first_speed, second_speed] = self.state;
        out.vector(&[first.cos(), first.sin(), second.cos(), second.sin(), first_speed, second_speed]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.state = advance(self.state, action.discrete());
        self.taken += 1;
        let terminated = is_above_the_goal(self.state);
        let reward = if terminated { 0.0 } else { -1.0 };
        Step { terminated, truncated: self.taken == HORIZON, ..Step::reward(reward) }
    }
}

/// The state after 0.2 s with a torque of `action` − 1: one step of the classical Runge-Kutta method.
fn advance(state: [f64; 4], action: u32) -> [f64; 4] {
    let (seconds, torque) = (0.2, f64::from(action) - 1.0);
    let slopes_after = |seconds: f64, slopes: [f64; 4]| {
        compute_slopes(std::array::from_fn(|k| state[k] + seconds * slopes[k]), torque)
    };
    let start = compute_slopes(state, torque);
    let middle = slopes_after(seconds / 2.0, start);
    let corrected = slopes_after(seconds / 2.0, middle);
    let end = slopes_after(seconds, corrected);
    let [first, second, first_speed, second_speed] =
        std::array::from_fn(|k| state[k] + seconds / 6.0 * (start[k] + 2.0 * middle[k] + 2.0 * corrected[k] + end[k]));
    let (first_limit, second_limit) = (4.0 * PI, 9.0 * PI);
    [
        wrap_angle(first),
        wrap_angle(second),
        first_speed.clamp(-first_limit, first_limit),
        second_speed.clamp(-second_limit, second_limit),
    ]
}

/// The derivatives of the state. Both links have a mass of 1, a length of 1, their centre of mass in the middle, and a moment of
/// inertia of 1. The names are the book's.
fn compute_slopes([first, second, first_speed, second_speed]: [f64; 4], torque: f64) -> [f64; 4] {
    let gravity = 9.8;
    let (sin, cos) = second.sin_cos();
    let (d1, d2) = (3.5 + cos, 1.25 + 0.5 * cos);
    let phi2 = 0.5 * gravity * (first + second).sin();
    let phi1 = -0.5 * second_speed * second_speed * sin - second_speed * first_speed * sin
        + 1.5 * gravity * first.sin()
        + phi2;
    let pull = torque + d2 / d1 * phi1 - 0.5 * first_speed * first_speed * sin - phi2;
    let second_turn = pull / (1.25 - d2 * d2 / d1);
    let first_turn = -(d2 * second_turn + phi1) / d1;
    [first_speed, second_speed, first_turn, second_turn]
}

/// Returns true if the free end is more than the length of one link above the fixed end.
fn is_above_the_goal([first, second, ..]: [f64; 4]) -> bool {
    -first.cos() - (first + second).cos() > 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::golden::golden_tests!(Acrobot, Links, "acrobot.tsv");

    #[test]
    fn reset_is_rounded_to_f32() {
        let mut links = Links::default();
        links.reset(&mut Philox::new(0));
        assert_eq!(links.state, links.state.map(|x| f64::from(x as f32)));
    }
}
