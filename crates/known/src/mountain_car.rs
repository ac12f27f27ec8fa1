//! MountainCar-v0: drive an engine that is too weak up a hill, by swinging in the valley.
//!
//! Sources: A. Moore, "Efficient memory-based learning for robot control" (1990), for the problem; Gymnasium's MountainCar-v0 for
//! its dynamics, constants and limits.

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

/// The maximum number of steps; each has a reward of −1.
const HORIZON: usize = 200;

/// The position of the wall at the left end.
const WALL: f64 = -1.2;

/// The task `mountain-car`.
#[derive(Clone, Copy, Debug)]
pub struct MountainCar;

impl Task for MountainCar {
    fn spec(&self) -> Spec {
        Spec::new("mountain-car", Space::vector(2), ActionSpace::discrete(["LEFT", "COAST", "RIGHT"]), HORIZON)
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, Car::default)
    }
}

#[derive(Default)]
struct Car {
    /// The position, and the distance of the latest step.
    state: [f64; 2],
    taken: usize,
}

impl SingleEnv for Car {
    fn reset(&mut self, rng: &mut Philox) {
        *self = Self { state: [0.2 * rng.uniform_f64() - 0.6, 0.0], taken: 0 };
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.vector(&self.state);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.state = advance(self.state, action.discrete());
        self.taken += 1;
        let [position, speed] = self.state;
        let terminated = position >= 0.5 && speed >= 0.0;
        Step { terminated, truncated: self.taken == HORIZON, ..Step::reward(-1.0) }
    }
}

/// The state after a step to the left (action 0), without engine (1), or to the right (2).
fn advance([position, speed]: [f64; 2], action: u32) -> [f64; 2] {
    let (force, gravity, max_speed) = (0.001, 0.0025, 0.07);
    let pull = (f64::from(action) - 1.0) * force - gravity * (3.0 * position).cos();
    let speed = (speed + pull).clamp(-max_speed, max_speed);
    let position = (position + speed).clamp(WALL, 0.6);
    [position, if position == WALL { speed.max(0.0) } else { speed }]
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::golden::golden_tests!(MountainCar, Car, "mountain_car.tsv");
}
