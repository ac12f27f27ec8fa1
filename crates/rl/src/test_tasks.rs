//! Tasks for unit tests.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nn::{Optimizer, Params, UpdateRule};
use tensor::Real;
use tensor::philox::{Philox, Purpose, Stream};

use crate::a2c::Learner;
use crate::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use crate::policy::{Architecture, Policy};

/// The generator of number `episode`.
pub(crate) fn rng(episode: u32) -> Philox {
    Philox::stream(9, Stream { purpose: Purpose(256), update: 0, episode })
}

/// An untrained learner with a GRU of width 5. Its parameters are so large that its decisions depend on what it read.
pub(crate) fn learner<T: Real>(task: &impl Task) -> Learner<T> {
    let mut params = Params::new();
    let policy = Policy::new(&mut params, &task.spec(), Architecture::gru(5), 3);
    params.flat_mut().apply(tensor::Map::Scale(T::from_f64(2.0)));
    let optimizer = Optimizer::new(UpdateRule::adam(), &params);
    Learner::new(policy, params, optimizer)
}

/// A task whose episodes pay `pays[action]` and report that they are solved. They end after `ends` actions, or never if `ends`
/// is `None`. The horizon is 3.
#[derive(Clone, Copy)]
pub(crate) struct Endless {
    pub(crate) ends: Option<usize>,
    pub(crate) pays: [f64; 2],
}

impl Task for Endless {
    fn spec(&self) -> Spec {
        Spec::new("endless", Space::tokens(["A", "B"]), ActionSpace::discrete(["A", "B"]), 3).with_success()
    }

    fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || EndlessEpisode { task: *self, taken: 0, shown: 0 })
    }
}

struct EndlessEpisode {
    task: Endless,
    taken: usize,
    shown: u32,
}

impl SingleEnv for EndlessEpisode {
    fn reset(&mut self, _: &mut Philox) {
        (self.taken, self.shown) = (0, 0);
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.tokens(&[self.shown]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.shown = action.discrete();
        self.taken += 1;
        let terminated = self.task.ends.is_some_and(|ends| self.taken >= ends);
        Step { reward: self.task.pays[self.shown as usize], terminated, truncated: false, solved: true }
    }
}

/// A task that has everything: episodes draw in `reset` and in `step`, terminate or are truncated by chance, and reach the
/// horizon of 7. Observations are one to three tokens (two if `is_even`), or vectors of 3 numbers. Three discrete actions, of
/// which some are illegal if `is_masked`, or vectors of 2 numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chance {
    pub(crate) has_vectors: bool,
    pub(crate) is_continuous: bool,
    pub(crate) is_masked: bool,
    pub(crate) is_even: bool,
}

impl Chance {
    /// All kinds of observations and actions.
    pub(crate) fn all() -> Vec<Self> {
        let task = |bits: u32| Self {
            has_vectors: bits & 1 > 0,
            is_continuous: bits & 2 > 0,
            is_masked: bits & 4 > 0,
            is_even: bits & 8 > 0,
        };
        let differs = |task: &Self| !(task.is_continuous && task.is_masked || task.has_vectors && task.is_even);
        (0..16).map(task).filter(differs).collect()
    }
}

impl Task for Chance {
    fn spec(&self) -> Spec {
        let observation = if self.has_vectors { Space::vector(3) } else { Space::tokens(["A", "B", "C", "D"]) };
        let action =
            if self.is_continuous { ActionSpace::continuous(2) } else { ActionSpace::discrete(["A", "B", "C"]) };
        Spec::new("chance", observation, action, 7).with_stages(2).with_success()
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || ChanceEpisode { task: *self, stage, shown: Vec::new(), legal: [true; 3] })
    }
}

struct ChanceEpisode {
    task: Chance,
    stage: usize,
    shown: Vec<u32>,
    legal: [bool; 3],
}

impl ChanceEpisode {
    /// Draws what is shown, and the legal actions.
    fn draw(&mut self, rng: &mut Philox) {
        let count = if self.task.has_vectors {
            3
        } else if self.task.is_even {
            2
        } else {
            1 + rng.below(3)
        };
        self.shown = (0..count).map(|_| rng.below(4)).collect();
        let always = rng.below(3) as usize;
        if self.task.is_masked {
            self.legal = core::array::from_fn(|action| action == always || rng.below(2) == 0);
        }
    }
}

impl SingleEnv for ChanceEpisode {
    fn reset(&mut self, rng: &mut Philox) {
        self.draw(rng);
    }

    fn observe(&self, mut out: Observer<'_>) {
        match self.task.has_vectors {
            true => out.vector(&[0, 1, 2].map(|k| 5.0 + 0.5 * f64::from(self.shown[k]))),
            false => out.tokens(&self.shown),
        }
        if self.task.is_masked {
            out.legal(&self.legal);
        }
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Philox) -> Step {
        let size = match action {
            Action::Discrete(action) => {
                assert!(self.legal[action as usize], "action {action} is not legal: {:?}", self.legal);
                f64::from(action)
            }
            Action::Continuous(values) => values.iter().sum::<f64>().tanh(),
        };
        let reward = size - f64::from(self.shown[0]) + rng.uniform_f64() + self.stage as f64;
        let end = rng.below(8);
        self.draw(rng);
        Step { reward, terminated: end < 2, truncated: end == 2, solved: end == 0 }
    }
}
