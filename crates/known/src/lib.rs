//! Known problems, with the dynamics, limits and rewards of their published definitions, so that scores can be compared.
//!
//! Each file names the source of its definition. The tests compare its transitions with those of the original library, which
//! the scripts in `golden` recorded. `record/known` has the settings and the scores.
#![forbid(unsafe_code)]

mod acrobot;
mod autoencode;
mod cards;
mod cartpole;
mod catch;
mod deep_sea;
#[cfg(test)]
mod golden;
mod memory_len;
mod mountain_car;
mod pendulum;
#[cfg(test)]
mod recorded;
mod repeat_first;
mod repeat_previous;

pub use acrobot::Acrobot;
pub use autoencode::Autoencode;
pub use cartpole::CartPole;
pub use catch::Catch;
pub use deep_sea::DeepSea;
pub use memory_len::MemoryLen;
pub use mountain_car::MountainCar;
pub use pendulum::Pendulum;
pub use repeat_first::RepeatFirst;
pub use repeat_previous::RepeatPrevious;

use rl::env::Task;

/// All problems.
pub fn tasks() -> &'static [&'static dyn Task] {
    &[
        &CartPole,
        &Acrobot,
        &MountainCar,
        &Pendulum,
        &Catch,
        &MemoryLen::ALL,
        &DeepSea::TEN,
        &RepeatFirst::EASY,
        &RepeatFirst::MEDIUM,
        &RepeatFirst::HARD,
        &RepeatPrevious::EASY,
        &RepeatPrevious::MEDIUM,
        &RepeatPrevious::HARD,
        &Autoencode::EASY,
        &Autoencode::MEDIUM,
        &Autoencode::HARD,
    ]
}

/// An angle in rad without its whole turns, from −π to π.
fn wrap_angle(angle: f64) -> f64 {
    use std::f64::consts::TAU;
    angle - TAU * (angle / TAU).round_ties_even()
}
