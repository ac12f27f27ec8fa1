//! A memory task over segments: the answer needs a token that the policy saw before the segment's start.

use nn::{Optimizer, Params, UpdateRule};
use rl::a2c::{Learner, Update};
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use rl::evaluate::{EvalConfig, evaluate_stage};
use rl::policy::{Architecture, Policy};
use rl::rollout::Carry;
use tensor::philox::{Philox, Purpose};

/// The number of blank steps between the cue and the question.
const BLANKS: u32 = 2;
/// The length of a segment. An episode is two segments: cue, blank; blank, question.
const SEGMENT: usize = 2;

const BLANK: u32 = 2;
const QUESTION: u32 = 3;

/// One of two cues, then blanks, then the question which cue it was.
struct Recall;

struct Cue {
    cue: u32,
    step: u32,
}

impl Task for Recall {
    fn spec(&self) -> Spec {
        let tokens = Space::tokens(["CUE 0", "CUE 1", "BLANK", "QUESTION"]);
        Spec::new("recall", tokens, ActionSpace::discrete(["SAY 0", "SAY 1"]), BLANKS as usize + 2).with_success()
    }

    fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Cue { cue: 0, step: 0 })
    }
}

impl SingleEnv for Cue {
    fn reset(&mut self, rng: &mut Philox) {
        *self = Self { cue: rng.below(2), step: 0 };
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.tokens(&[match self.step {
            0 => self.cue,
            step if step <= BLANKS => BLANK,
            _ => QUESTION,
        }]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.step += 1;
        match self.step {
            step if step <= BLANKS + 1 => Step::reward(0.0),
            _ if action.discrete() == self.cue => Step::solved(1.0),
            _ => Step::terminated(-1.0),
        }
    }
}

/// Trains, and calls `change` on what each segment leaves to the next. Returns the share of solved episodes in the last updates,
/// and the learner.
fn train(change: impl Fn(&mut Carry)) -> (f64, Learner<f32>) {
    const UPDATES: u32 = 240;
    let mut params = Params::<f32>::new();
    let policy = Policy::new(&mut params, &Recall.spec(), Architecture::gru(16), 1);
    let optimizer = Optimizer::new(UpdateRule::adam(), &params);
    let mut learner = Learner::new(policy, params, optimizer);
    let (mut ended, mut solved) = (0, 0);
    for number in 0..UPDATES {
        let update = Update { number, counts: vec![64], segment: SEGMENT, rate: 1e-2, ..Update::default() };
        let metrics = learner.update(&Recall, &update).expect("finite");
        if number >= UPDATES - 40 {
            (ended, solved) = (ended + metrics.stages[0].0, solved + metrics.stages[0].1);
        }
        let mut segments = learner.save_segments();
        segments.iter_mut().for_each(|segments| change(&mut segments.carry));
        learner.restore_segments(&Recall, &segments, update.seed).expect("the same task");
    }
    (solved as f64 / ended as f64, learner)
}

#[test]
fn recall_state_carried_over_segments_is_learned() {
    let (share, learner) = train(|_| ());
    let purpose = Purpose::TEST;
    let config = EvalConfig {
        seed: 7,
        purpose,
        update: 0,
        episodes: 200,
        sampled: false,
        shuffled: false,
        forgetting: false,
        exhaustive: false,
    };
    let exact = evaluate_stage(learner.trained(), &Recall, 0, config).expect("finite").exact;
    assert!(
        share > 0.95 && exact >= 0.98,
        "{share} of the sampled episodes are solved, and {exact} of the greedy ones"
    );
}

/// Without the carried state the policy cannot know the cue. The environments go on as before.
#[test]
fn recall_state_dropped_between_segments_stays_at_chance() {
    let (share, _) = train(|carry| carry.states.fill(None));
    assert!((share - 0.5).abs() < 0.05, "{share} of the episodes are solved");
}
