//! Environments that play one episode, and their vector.

use alloc::boxed::Box;
use alloc::vec::Vec;

use tensor::philox::Philox;

use super::{Actions, Env, Observations, Observer, Transitions};

/// An action of one episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action<'a> {
    /// The index of the action.
    Discrete(u32),
    /// The numbers of the action, \[D\].
    Continuous(&'a [f64]),
}

impl<'a> Action<'a> {
    /// The index of a discrete action.
    ///
    /// # Panics
    /// If the action is continuous.
    #[track_caller]
    pub fn discrete(self) -> u32 {
        match self {
            Self::Discrete(action) => action,
            Self::Continuous(values) => panic!("discrete: the action is {} numbers", values.len()),
        }
    }

    /// The numbers of a continuous action.
    ///
    /// # Panics
    /// If the action is discrete.
    #[track_caller]
    pub fn continuous(self) -> &'a [f64] {
        match self {
            Self::Discrete(action) => panic!("continuous: the action is the index {action}"),
            Self::Continuous(values) => values,
        }
    }
}

/// The result of one action.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The reward.
    pub reward: f64,
    /// True if the episode ended by the rules of the task.
    pub terminated: bool,
    /// True if the episode was cut off.
    pub truncated: bool,
    /// True if the episode ended with success.
    pub solved: bool,
}

impl Step {
    /// A step after which the episode goes on.
    pub fn reward(reward: f64) -> Self {
        Self { reward, ..Self::default() }
    }

    /// The last step of an episode that ends by the rules of the task.
    pub fn terminated(reward: f64) -> Self {
        Self { reward, terminated: true, ..Self::default() }
    }

    /// The last step of an episode that is cut off.
    pub fn truncated(reward: f64) -> Self {
        Self { reward, truncated: true, ..Self::default() }
    }

    /// The last step of an episode that ends with success.
    pub fn solved(reward: f64) -> Self {
        Self { reward, terminated: true, solved: true, ..Self::default() }
    }
}

/// An environment that plays one episode at a time. [`vector`] makes an [`Env`] of several.
pub trait SingleEnv: Send {
    /// Starts a new episode. All randomness comes from `rng`.
    fn reset(&mut self, rng: &mut Philox);

    /// Writes the present observation. It is called after `reset` and after each `step`, also one that ended the episode.
    fn observe(&self, out: Observer<'_>);

    /// Takes one action. Returns its reward, and whether it ended the episode.
    fn step(&mut self, action: Action<'_>, rng: &mut Philox) -> Step;
}

/// Creates a vector of `episodes` environments, each made by `make`.
pub fn vector<E: SingleEnv + 'static>(episodes: usize, make: impl FnMut() -> E) -> Box<dyn Env> {
    let mut envs = Vec::new();
    envs.resize_with(episodes, make);
    Box::new(Vector(envs))
}

/// Single environments side by side.
struct Vector<E>(Vec<E>);

impl<E: SingleEnv> Env for Vector<E> {
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
        for &i in episodes {
            self.0[i].reset(&mut rngs[i]);
            self.0[i].observe(Observer { observations: out, episode: i });
        }
    }

    fn step(&mut self, episodes: &[usize], actions: &Actions, rngs: &mut [Philox], out: &mut Transitions) {
        for &i in episodes {
            let step = self.0[i].step(actions.get(i), &mut rngs[i]);
            out.rewards[i] = step.reward;
            (out.terminated[i], out.truncated[i], out.solved[i]) = (step.terminated, step.truncated, step.solved);
            self.0[i].observe(Observer { observations: &mut out.observations, episode: i });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{ActionSpace, Space, Spec};
    use alloc::vec;

    /// Adds up its actions, from a random start.
    struct Sum(f64);

    impl SingleEnv for Sum {
        fn reset(&mut self, rng: &mut Philox) {
            self.0 = rng.uniform_f64();
        }
        fn observe(&self, mut out: Observer<'_>) {
            out.vector(&[self.0]);
        }
        fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
            self.0 += action.continuous()[0];
            if self.0 > 5.0 { Step::truncated(self.0) } else { Step::reward(self.0) }
        }
    }

    #[test]
    fn vector_reset_and_step_change_only_the_listed_episodes() {
        let spec = Spec::new("sum", Space::vector(1), ActionSpace::continuous(1), 9);
        let (mut env, mut out) = (vector(3, || Sum(7.0)), Transitions::new(&spec, 3));
        let start = |i: usize| Philox::new(i as u64).uniform_f64();
        let mut rngs: Vec<Philox> = (0..3).map(Philox::new).collect();
        env.reset(&[2, 0], &mut rngs, &mut out.observations);
        assert_eq!([0, 1, 2].map(|i| out.observations.vector(i)[0]), [start(0), 0.0, start(2)]);
        assert_eq!(rngs.iter().map(|rng| rng.words_drawn() > 0).collect::<Vec<_>>(), [true, false, true]);

        let actions = Actions::Continuous { size: 1, values: vec![1.0, 2.0, 6.0] };
        env.step(&[2], &actions, &mut rngs, &mut out);
        assert_eq!(out.rewards[2], start(2) + 6.0);
        assert_eq!((&out.truncated[..], out.is_done(2)), (&[false, false, true][..], true));
        assert!(out.rewards[..2].iter().all(|reward| reward.is_nan()), "{:?}", out.rewards);
        assert_eq!(out.observations.vector(0), [start(0)]);
        assert_eq!(out.observations.vector(2), [start(2) + 6.0]);
    }

    #[test]
    fn step_constructors_set_the_flags_of_their_names() {
        let flags = |step: Step| (step.reward, step.terminated, step.truncated, step.solved);
        assert_eq!(flags(Step::reward(1.0)), (1.0, false, false, false));
        assert_eq!(flags(Step::terminated(1.0)), (1.0, true, false, false));
        assert_eq!(flags(Step::truncated(1.0)), (1.0, false, true, false));
        assert_eq!(flags(Step::solved(1.0)), (1.0, true, false, true));
    }

    #[test]
    #[should_panic(expected = "discrete: the action is 2 numbers")]
    fn action_discrete_of_numbers_panics() {
        Action::Continuous(&[1.0, 2.0]).discrete();
    }

    #[test]
    #[should_panic(expected = "continuous: the action is the index 3")]
    fn action_continuous_of_an_index_panics() {
        Action::Discrete(3).continuous();
    }
}
