//! Tests of the buffers of a learner: a segment of the same shapes as earlier ones allocates only the list in its metrics.

use allocation_counter::measure;
use nn::{Optimizer, Params, UpdateRule};
use rl::a2c::{Learner, Update};
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use rl::policy::{Architecture, Policy};
use tensor::par::with_threads;
use tensor::philox::Philox;

/// The allocations of an update: the list in [`rl::a2c::Metrics::stages`], which belongs to the caller.
const IN_METRICS: u64 = 1;

/// Episodes of `length` steps that show their latest action, as a token or as a vector.
#[derive(Clone, Copy, Debug)]
struct Echo {
    has_vectors: bool,
    length: usize,
}

impl Task for Echo {
    fn spec(&self) -> Spec {
        let space = if self.has_vectors { Space::vector(3) } else { Space::tokens(["0", "1", "2"]) };
        Spec::new("echo", space, ActionSpace::discrete(["A", "B", "C"]), 1000)
    }

    fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Episode { task: *self, shown: 0, taken: 0 })
    }
}

struct Episode {
    task: Echo,
    shown: u32,
    taken: usize,
}

impl SingleEnv for Episode {
    fn reset(&mut self, rng: &mut Philox) {
        (self.shown, self.taken) = (rng.below(3), 0);
    }

    fn observe(&self, mut out: Observer<'_>) {
        match self.task.has_vectors {
            true => out.vector(&[0.5, f64::from(self.shown), -1.0]),
            false => out.token(self.shown),
        }
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.taken += 1;
        self.shown = action.discrete();
        let reward = f64::from(self.shown);
        if self.taken == self.task.length { Step::terminated(reward) } else { Step::reward(reward) }
    }
}

/// The allocations of each of ten updates of 5 episodes in chunks of 2 or 1.
fn count_allocations(task: Echo, segment: usize, memory: bool, normalize: bool) -> Vec<u64> {
    let gru = Architecture::gru(16);
    let architecture = if memory { gru } else { Architecture { memory: None, encoder_layers: 2, ..gru } };
    let mut params = Params::<f32>::new();
    let policy = Policy::new(&mut params, &task.spec(), architecture, 3);
    let optimizer = Optimizer::new(UpdateRule::rmsprop(), &params);
    let mut learner = Learner::new(policy, params, optimizer);
    let mut update = Update { counts: vec![5], chunk: 2, segment, gamma: 0.9, ..Update::default() };
    (update.normalize_observations, update.normalize_rewards) = (normalize && task.has_vectors, normalize);
    let run = || {
        let mut count = || {
            let info = measure(|| _ = learner.update(&task, &update).expect("finite"));
            update.number += 1;
            info.count_total
        };
        (0..10).map(|_| count()).collect()
    };
    with_threads(1, run).expect("a thread starts")
}

/// Segments of 6 steps in episodes of 3, and segments of 5 steps in episodes that do not end. Whole episodes of 4 steps also
/// allocate their environments anew, since an update may play another task. The second update still enlarges buffers.
#[test]
fn update_from_the_third_on_allocates_only_metrics_and_new_environments() {
    for (length, segment, most) in [(3, 6, IN_METRICS), (900, 5, IN_METRICS), (4, 0, 90)] {
        for (has_vectors, memory) in [(false, true), (true, false), (true, true), (false, false)] {
            for normalize in [false, true] {
                let task = Echo { has_vectors, length };
                let counts = count_allocations(task, segment, memory, normalize);
                assert!(counts[0] > 100, "the counter must count: {counts:?}");
                let case = format!("{task:?}, segment {segment}, memory {memory}, normalize {normalize}");
                let is_steady = counts[2..].iter().all(|&count| count == counts[2]);
                assert!(is_steady && counts[2] <= most, "{case}: at most {most} allocations expected: {counts:?}");
            }
        }
    }
}
