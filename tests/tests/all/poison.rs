//! Values after an episode's end change nothing, on every path: what an environment writes there, and what a batch holds there.

use nn::{Optimizer, Params, UpdateRule};
use rl::a2c::{Learner, Metrics, Update};
use rl::env::{
    self, Action, ActionSpace, Actions, Env, Observations, Observer, SingleEnv, Space, Spec, Step, Task, Transitions,
};
use rl::policy::{Architecture, Policy};
use rl::trajectories::{Observed, Trajectories};
use tensor::philox::Philox;

/// Episodes of one to three steps, with observations and actions of any kind.
#[derive(Clone, Copy, Debug)]
struct Short {
    vectors: bool,
    continuous: bool,
    /// True if the environment writes faults where an episode has ended.
    poisons: bool,
}

/// Every kind of observation and action.
const KINDS: [Short; 3] = [
    Short { vectors: false, continuous: false, poisons: false },
    Short { vectors: true, continuous: false, poisons: false },
    Short { vectors: true, continuous: true, poisons: false },
];

impl Task for Short {
    fn spec(&self) -> Spec {
        let observation = if self.vectors { Space::vector(3) } else { Space::tokens(0..4) };
        let action = if self.continuous { ActionSpace::continuous(2) } else { ActionSpace::discrete(0..3) };
        Spec::new("short", observation, action, 5)
    }

    fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
        let inner = env::vector(episodes, || Episode { task: *self, length: 0, step: 0 });
        Box::new(Poisoned { inner, task: *self })
    }
}

struct Episode {
    task: Short,
    length: u32,
    step: u32,
}

impl SingleEnv for Episode {
    fn reset(&mut self, rng: &mut Philox) {
        (self.length, self.step) = (1 + rng.below(3), 0);
    }

    fn observe(&self, mut out: Observer<'_>) {
        match self.task.vectors {
            true => out.vector(&[self.step, self.length, 1].map(f64::from)),
            false => out.tokens(&[self.length, self.step][..1 + (self.length % 2) as usize]),
        }
        if !self.task.continuous {
            out.legal(&[true, self.step.is_multiple_of(2), true]);
        }
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.step += 1;
        let reward = match action {
            Action::Discrete(action) => f64::from(action) - 0.4,
            Action::Continuous(x) => -x[0] * x[0] + x[1],
        };
        Step { reward, terminated: self.step == self.length, ..Step::default() }
    }
}

/// Writes faults for every episode that has ended, at its end and at each later step of the others.
struct Poisoned {
    inner: Box<dyn Env>,
    task: Short,
}

impl Env for Poisoned {
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
        self.inner.reset(episodes, rngs, out);
    }

    fn step(&mut self, episodes: &[usize], actions: &Actions, rngs: &mut [Philox], out: &mut Transitions) {
        self.inner.step(episodes, actions, rngs, out);
        if !self.task.poisons {
            return;
        }
        for i in 0..out.rewards.len() {
            let is_stepped = episodes.contains(&i);
            if !is_stepped {
                (out.rewards[i], out.truncated[i], out.solved[i]) = (f64::NAN, true, true);
            }
            if is_stepped && !out.terminated[i] {
                continue;
            }
            match self.task.vectors {
                true => out.observations.set_vector(i, &[f64::NAN; 3]),
                false => out.observations.set_tokens(i, &[99, 0]),
            }
            if !self.task.continuous {
                out.observations.set_legal(i, &[false; 3]);
            }
        }
    }
}

/// Makes two updates in episodes or segments of `segment` steps. `change` may change the record between acting and learning.
fn train(task: Short, segment: usize, change: fn(&mut Trajectories)) -> (Vec<Metrics>, Vec<f64>) {
    let mut params = Params::<f64>::new();
    let policy = Policy::new(&mut params, &task.spec(), Architecture::gru(5), 1);
    let optimizer = Optimizer::new(UpdateRule::adam(), &params);
    let mut learner = Learner::new(policy, params, optimizer);
    let update = |number| {
        let update = Update { number, counts: vec![9], segment, normalize: true, ..Update::default() };
        let update = Update { normalize_observations: task.vectors, normalize_rewards: true, ..update };
        learner.act(&task, &update).expect("no fault");
        assert!(learner.trajectories().any(|played| played.valid.contains(&false)), "a row must end before the others");
        learner.trajectories().for_each(change);
        learner.learn(&update).expect("finite")
    };
    let metrics = (0..2).map(update).collect();
    (metrics, learner.params.flat().to_vec())
}

#[test]
fn update_faults_of_ended_episodes_change_no_byte() {
    for (kind, segment) in KINDS.into_iter().flat_map(|kind| [0, 2].map(|segment| (kind, segment))) {
        let clean = train(kind, segment, |_| ());
        assert_eq!(train(Short { poisons: true, ..kind }, segment, |_| ()), clean, "{kind:?}, segments of {segment}");
    }
}

#[test]
fn update_values_after_the_end_of_a_row_change_no_byte() {
    for (kind, segment) in KINDS.into_iter().flat_map(|kind| [0, 2].map(|segment| (kind, segment))) {
        let clean = train(kind, segment, |_| ());
        assert_eq!(train(kind, segment, poison), clean, "{kind:?}, segments of {segment}");
    }
}

/// Writes NaN, forbidden actions and other tokens after the end of each row.
fn poison(played: &mut Trajectories) {
    let choices = played.legal.len() / played.valid.len();
    for k in (0..played.valid.len()).filter(|&k| !played.valid[k]) {
        (played.rewards[k], played.values[k]) = (f64::NAN, f64::NAN);
        played.legal[k * choices..][..choices].fill(false);
        match &mut played.actions {
            Actions::Discrete(actions) => actions[k] = 2,
            Actions::Continuous { size, values } => values[k * *size..][..*size].fill(f64::NAN),
        }
        if let Observed::Vectors { size, values } = &mut played.observed {
            values[k * *size..][..*size].fill(f64::NAN);
        }
    }
    let last = |i| played.steps_of(i).next_back().expect("a step");
    let lasts: Vec<usize> = (0..played.episodes).map(last).collect();
    if let Observed::Tokens { tokens, ends } = &mut played.observed {
        for (n, token) in tokens.iter_mut().enumerate() {
            let (read, row) = (n / lasts.len(), n % lasts.len());
            if read > ends[lasts[row]] as usize {
                *token = 3 - *token;
            }
        }
    }
}
