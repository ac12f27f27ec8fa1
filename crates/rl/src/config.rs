//! The hyper-parameters of a run.

use nn::Variant;

use crate::returns::Estimator;
use crate::settings::{choices, settings};
use crate::tasks::calculator::{ActionSet, Rewards};

choices! {
    /// Which optimiser.
    pub enum OptimizerKind {
        /// Adam.
        Adam = "adam",
        /// Adam with decoupled weight decay.
        AdamW = "adamw",
        /// Gradient descent with momentum.
        Sgd = "sgd",
        /// RMSprop.
        RmsProp = "rmsprop",
    }
}

choices! {
    /// How a rate changes over a run.
    pub enum ScheduleKind {
        /// It does not.
        Constant = "constant",
        /// Along a straight line.
        Linear = "linear",
        /// Along half a cosine.
        Cosine = "cosine",
    }
}

choices! {
    /// How the batch is divided among the stages; see [`shares`](crate::curriculum::shares).
    pub enum Curriculum {
        /// All of it on the highest unlocked stage.
        Switch = "switch",
        /// Half on the highest unlocked stage, half on all that are unlocked alike.
        Gate = "gate",
        /// As `gate`, with all stages unlocked from the start.
        Mix = "mix",
        /// On all stages from the start, more where more is wrong.
        Adapt = "adapt",
    }
}

choices! {
    /// Which actions there are; see [`ActionSet`].
    pub enum Actions {
        /// The six tools.
        Tools = "tools",
        /// All 18 tokens.
        Tokens = "tokens",
    }
}

choices! {
    /// Where the reset gate acts; see [`Variant`].
    pub enum GruVariant {
        /// After the product with the hidden state.
        ResetAfter = "reset-after",
        /// Before it.
        ResetBefore = "reset-before",
    }
}

choices! {
    /// How advantages are estimated; see [`Estimator`].
    pub enum AdvantageKind {
        /// Generalised advantage estimation.
        Gae = "gae",
        /// n-step returns.
        Steps = "steps",
    }
}

fn positive(x: &f64) -> bool {
    *x > 0.0 && x.is_finite()
}

fn not_negative(x: &f64) -> bool {
    *x >= 0.0 && x.is_finite()
}

/// Sums of many rewards must be finite.
fn reward(x: &f64) -> bool {
    x.abs() <= 1e6
}

fn share(x: &f64) -> bool {
    (0.0..=1.0).contains(x)
}

/// A number of updates or steps.
pub(crate) fn count(x: &usize) -> bool {
    (1..=1_000_000_000).contains(x)
}

/// A number of episodes of a stage: stages have streams of 2²⁴ episodes each.
pub(crate) fn episodes(x: &usize) -> bool {
    (1..=1 << 24).contains(x)
}

fn below_one(x: &f64) -> bool {
    (0.0..1.0).contains(x)
}

settings! {
    /// The hyper-parameters of a run on `calculator`.
    pub struct Config {
        /// d, the width of embeddings and GRU.
        width: usize = 96, "whole numbers from 1 to 4096", |&x| (1..=4096).contains(&x);
        /// B, episodes in an update; the default curriculum reaches every stage from 4 on.
        batch: usize = 192, "whole numbers from 1 to 1048576", |&x| (1..=1 << 20).contains(&x);
        /// Episodes in a chunk at most: a stage's part of the batch is cut into the fewest chunks of at most this many, whatever the number of threads.
        chunk: usize = 48, "whole numbers from 1 to 1048576", |&x| (1..=1 << 20).contains(&x);
        /// Where the GRU's reset gate acts.
        gru: GruVariant = GruVariant::ResetAfter, "reset-after or reset-before", |_| true;
        /// Which actions there are.
        actions: Actions = Actions::Tools, "tools or tokens", |_| true;
        /// Paid for a correct answer.
        reward_correct: f64 = 1.0, "numbers from -1000000 to 1000000", reward;
        /// Paid for each step by which the goal comes nearer than it was before in the episode; the solver measures it, and 0 turns it off.
        reward_milestone: f64 = 0.25, "numbers from -1000000 to 1000000", reward;
        /// Paid for every step.
        reward_step: f64 = -0.02, "numbers from -1000000 to 1000000", reward;
        /// γ, the discount.
        gamma: f64 = 1.0, "numbers from 0 to 1", share;
        /// How advantages are estimated.
        advantage: AdvantageKind = AdvantageKind::Gae, "gae or steps", |_| true;
        /// λ of generalised advantage estimation.
        lambda: f64 = 1.0, "numbers from 0 to 1", share;
        /// n of n-step returns.
        n_steps: usize = 5, "whole numbers from 1 to 1000000000", count;
        /// Whether advantages are shifted to mean 0 and scaled to variance 1 over the batch.
        normalize_advantages: bool = false, "true or false", |_| true;
        /// c_v, the weight of the critic's mean squared error.
        value_coefficient: f64 = 0.5, "numbers from 0", not_negative;
        /// β, the weight of the entropy, at the first update.
        entropy: f64 = 0.3, "numbers from 0", not_negative;
        /// β at the end of its schedule.
        entropy_final: f64 = 0.0, "numbers from 0", not_negative;
        /// Updates over which β falls along a straight line.
        entropy_updates: usize = 100, "whole numbers from 1 to 1000000000", count;
        /// K, episodes of each stage, out of its last 256 successes, that are imitated in an update; 0 turns self-imitation off.
        imitate: usize = 0, "whole numbers from 0 to 1048576", |&x| x <= 1 << 20;
        /// w, the weight of self-imitation.
        imitation: f64 = 1.0, "numbers from 0", not_negative;
        /// Which optimiser.
        optimizer: OptimizerKind = OptimizerKind::Adam, "adam, adamw, sgd or rmsprop", |_| true;
        /// α, the learning rate at the first update.
        rate: f64 = 0.005, "numbers above 0", positive;
        /// How α changes over `max_updates`.
        rate_schedule: ScheduleKind = ScheduleKind::Constant, "constant, linear or cosine", |_| true;
        /// α at the end of its schedule, if that is linear or cosine.
        rate_final: f64 = 0.0, "numbers from 0", not_negative;
        /// β₁ of Adam, the decay of the first moment.
        beta1: f64 = 0.9, "numbers from 0, below 1", below_one;
        /// β₂ of Adam, the decay of the second moment.
        beta2: f64 = 0.999, "numbers from 0, below 1", below_one;
        /// α of RMSprop, the decay of the second moment.
        smoothing: f64 = 0.99, "numbers from 0, below 1", below_one;
        /// μ of gradient descent.
        momentum: f64 = 0.9, "numbers from 0, below 1", below_one;
        /// ε, added to the root of the second moment.
        epsilon: f64 = 1e-8, "numbers above 0", positive;
        /// λ, the weight decay of adam and adamw; the others have none.
        weight_decay: f64 = 0.0, "numbers from 0", not_negative;
        /// The gradient's norm at most.
        clip: f64 = 1.0, "numbers above 0", positive;
        /// How the batch is divided among the stages.
        curriculum: Curriculum = Curriculum::Mix, "switch, gate, mix or adapt", |_| true;
        /// The exact match at which the next stage unlocks.
        unlock: f64 = 0.95, "numbers from 0 to 1", share;
        /// Updates between validations.
        validate_every: usize = 10, "whole numbers from 1 to 1000000000", count;
        /// Episodes of each stage in a validation.
        validation_episodes: usize = 512, "whole numbers from 1 to 16777216", episodes;
        /// The run ends when β's schedule is over and the exact match of every stage was 1 in this many validations in a row.
        patience: usize = 3, "whole numbers from 1 to 1000000000", count;
        /// The run ends after this many updates in any case.
        max_updates: usize = 1500, "whole numbers from 1 to 1000000000", count;
        /// Episodes of each stage in the test, which is drawn once, after training.
        test_episodes: usize = 3000, "whole numbers from 1 to 16777216", episodes;
    }
}

impl Config {
    /// The rewards of `calculator`.
    pub fn rewards(&self) -> Rewards {
        Rewards { correct: self.reward_correct, milestone: self.reward_milestone, step: self.reward_step }
    }

    /// The actions of `calculator`.
    pub fn action_set(&self) -> ActionSet {
        match self.actions {
            Actions::Tools => ActionSet::Tools,
            Actions::Tokens => ActionSet::Tokens,
        }
    }

    /// How advantages are estimated.
    pub fn estimator(&self) -> Estimator {
        match self.advantage {
            AdvantageKind::Gae => Estimator::Gae(self.lambda),
            AdvantageKind::Steps => Estimator::Steps(self.n_steps),
        }
    }

    /// Where the reset gate acts.
    pub fn variant(&self) -> Variant {
        match self.gru {
            GruVariant::ResetAfter => Variant::ResetAfter,
            GruVariant::ResetBefore => Variant::ResetBefore,
        }
    }
}
