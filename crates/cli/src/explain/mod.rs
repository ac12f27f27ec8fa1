//! One episode of a trained agent, told: what is known about it here, as lines in [`terminal`] and as a page in [`page`].

pub(crate) mod page;
pub(crate) mod terminal;

use std::cmp::Reverse;

use gpu_train::Run;
use rl::env::Task;
use rl::evaluate::test_stream;
use rl::explain::Explain;
use rl::rollout::{Choice, Undecided};
use rl::trace;
use serde::Serialize;

use crate::folder::{Episode, EpisodeStep};

/// What the figures of a step are.
const LEGEND: [(&str, &str); 5] = [
    ("value", "the return that the critic expects from here on"),
    ("reward", "what the action earned"),
    ("entropy", "−Σ p·ln p of the decision, in nats"),
    (
        "reset",
        "the GRU's gate r when the last token was read, as a mean over its units: near 0 the candidate for the new \
         state comes from the token alone",
    ),
    ("update", "its gate z, likewise: near 1 the old state is kept, near 0 the candidate takes its place"),
];

/// An episode, and where it comes from.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Explained {
    /// The task.
    pub(crate) task: &'static str,
    /// What a reader of its figures must know.
    pub(crate) caveat: &'static str,
    /// The file that the agent was loaded from.
    pub(crate) checkpoint: String,
    /// The seed of what was drawn: the operands of a test episode, and sampled actions.
    pub(crate) seed: u64,
    /// The number of the test episode, unless the operands were given.
    pub(crate) number: Option<u32>,
    /// Whether actions were drawn; the most probable ones otherwise.
    pub(crate) sampled: bool,
    /// The names of the actions.
    pub(crate) actions: Vec<&'static str>,
    /// The episode.
    pub(crate) episode: Episode,
}

/// Which episode is played, and how.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The stage.
    pub(crate) stage: usize,
    /// The operands, if they are given.
    pub(crate) operands: Option<Vec<u32>>,
    /// The number of the test episode whose operands they are otherwise.
    pub(crate) number: u32,
    /// The seed.
    pub(crate) seed: u64,
    /// Whether actions are drawn.
    pub(crate) sampled: bool,
}

impl Explained {
    /// Plays the episode. A test episode is drawn, and sampled, as [`rl::evaluate::test_stage`] does it.
    ///
    /// # Errors
    /// If a decision cannot be made, because a log-probability is NaN.
    pub(crate) fn play(run: &Run<f32>, wanted: Wanted, checkpoint: String) -> std::result::Result<Self, Undecided> {
        let Wanted { stage, operands, number, seed, sampled } = wanted;
        let (task, learner) = (&run.task, run.learner.host());
        let mut rng = [test_stream(seed, stage, number as usize)];
        let mut drawn = task.env(stage, 1);
        drawn.reset(&mut rng);
        let drawn = &drawn.context(0)[..task.operands(stage)];
        let mut env = task.env_on(stage, operands.as_deref().unwrap_or(drawn));
        let choice = if sampled { Choice::Sampled(&mut rng) } else { Choice::Greedy };
        let trace = trace::play(&learner.policy, &learner.params, &mut *env, choice)?;
        Ok(Self {
            task: task.name(),
            caveat: task.caveat(),
            checkpoint,
            seed,
            number: operands.is_none().then_some(number),
            sampled,
            actions: (0..task.actions()).map(|action| task.action_name(action)).collect(),
            episode: Episode::of(task, &trace, 0),
        })
    }

    /// Which episode this is, in words.
    fn title(&self) -> String {
        let Self { task, seed, number, sampled, episode, .. } = self;
        let how = match (sampled, number) {
            (true, _) => format!(", sampled with seed {seed}"),
            (false, None) => ", greedy".to_owned(),
            (false, Some(_)) => format!(", greedy, seed {seed}"),
        };
        let which = number.map_or("operands as given".to_owned(), |number| format!("test episode {number}"));
        format!("{task}, stage {}, {which}{how}", episode.stage)
    }

    /// How it ended, in words.
    fn verdict(&self) -> String {
        let steps = &self.episode.steps;
        let how = match (self.episode.solved, steps.last()) {
            (true, _) => "exact match",
            (false, Some(step)) if step.action == "ANS" => "wrong answer",
            _ => "no answer",
        };
        let total: f64 = steps.iter().map(|step| step.reward).sum();
        let steps = match steps.len() {
            1 => "1 step".to_owned(),
            steps => format!("{steps} steps"),
        };
        format!("{how} after {steps}, rewards add up to {total:.3}")
    }

    /// All actions with their probabilities at a step: the one that was taken, then the others, the best first.
    fn alternatives(&self, step: &EpisodeStep) -> Vec<(&'static str, f64)> {
        let mut all: Vec<_> = self.actions.iter().copied().zip(step.probabilities.iter().copied()).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.sort_by_key(|(name, _)| Reverse(*name == step.action));
        all
    }
}
