//! The hyper-parameters of a training run.

use nn::Variant;

use crate::policy::Architecture;
use crate::returns::AdvantageEstimator;
use crate::settings::{choices, settings};
use crate::tasks::CalculatorStages;
use crate::tasks::calculator_stages::{ActionSet, Rewards};

choices! {
    /// The optimiser.
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
    /// The schedule of the learning rate.
    pub enum ScheduleKind {
        /// Constant.
        Constant = "constant",
        /// A straight line.
        Linear = "linear",
        /// Half a cosine.
        Cosine = "cosine",
    }
}

choices! {
    /// The division of the batch among the stages; see [`compute_shares`](crate::curriculum::compute_shares).
    pub enum Curriculum {
        /// The whole batch on the highest unlocked stage.
        Switch = "switch",
        /// Half on the highest unlocked stage, half in equal parts on all unlocked stages.
        Gate = "gate",
        /// As `gate`, with all stages unlocked from the start.
        Mix = "mix",
        /// All stages from the start; stages with more errors get a larger share.
        Adapt = "adapt",
    }
}

choices! {
    /// The set of actions; see [`ActionSet`].
    pub enum Actions {
        /// The six tools.
        Tools = "tools",
        /// All 18 tokens.
        Tokens = "tokens",
    }
}

choices! {
    /// The position of the reset gate; see [`Variant`].
    pub enum GruVariant {
        /// After the recurrent matrix product, as in PyTorch.
        ResetAfter = "reset-after",
        /// Before the recurrent matrix product.
        ResetBefore = "reset-before",
    }
}

choices! {
    /// The memory of the policy between observations.
    pub enum MemoryKind {
        /// A GRU.
        Gru = "gru",
        /// A GRU, and attention over the tokens of the first observation.
        Attention = "attention",
        /// None: the policy decides by its latest observation alone.
        None = "none",
    }
}

choices! {
    /// The layers of the critic.
    pub enum CriticKind {
        /// Those of the policy, below a head of its own.
        Shared = "shared",
        /// As many of its own.
        Separate = "separate",
    }
}

choices! {
    /// The method that estimates advantages; see [`AdvantageEstimator`].
    pub enum AdvantageKind {
        /// Generalised advantage estimation.
        Gae = "gae",
        /// n-step returns.
        NStep = "steps",
    }
}

fn is_positive(x: &f64) -> bool {
    *x > 0.0 && x.is_finite()
}

fn is_not_negative(x: &f64) -> bool {
    *x >= 0.0 && x.is_finite()
}

/// Rewards are limited so that sums of many rewards are finite.
fn is_reward(x: &f64) -> bool {
    x.abs() <= 1e6
}

fn is_share(x: &f64) -> bool {
    (0.0..=1.0).contains(x)
}

/// Returns true for a valid number of updates or steps.
pub(crate) fn is_count(x: &usize) -> bool {
    (1..=1_000_000_000).contains(x)
}

/// Returns true for a valid number of episodes of a stage: each stage has random streams for 2²⁴ episodes.
pub(crate) fn is_episode_count(x: &usize) -> bool {
    (1..=1 << 24).contains(x)
}

fn is_below_one(x: &f64) -> bool {
    (0.0..1.0).contains(x)
}

settings! {
    /// The hyper-parameters of a run.
    pub struct Config {
        "Model":
        /// H, the hidden size of the GRU. The embeddings have the same size.
        width: usize = 96, "whole numbers from 1 to 4096", |&x| (1..=4096).contains(&x);
        "Rollout":
        /// B, the number of episodes in an update. With 4 or more, the default curriculum reaches every stage.
        batch: usize = 192, "whole numbers from 1 to 1048576", |&x| (1..=1 << 20).contains(&x);
        /// The maximum number of episodes in a chunk. The episodes of a stage are divided into as few chunks as possible, independent of the number of threads.
        chunk: usize = 48, "whole numbers from 1 to 1048576", |&x| (1..=1 << 20).contains(&x);
        "Model":
        /// The position of the GRU's reset gate: after or before the recurrent matrix product.
        gru: GruVariant = GruVariant::ResetAfter, "reset-after or reset-before", |_| true;
        /// The memory between observations: a GRU, a GRU with attention over the tokens of the first observation, or none.
        memory: MemoryKind = MemoryKind::Gru, "gru, attention or none", |_| true;
        /// The number of layers that read a vector. Tokens have an embedding instead.
        encoder_layers: usize = 1, "whole numbers from 1 to 16", |&x| (1..=16).contains(&x);
        /// The critic's layers: shared with the policy, or separate ones that read vectors without memory.
        critic: CriticKind = CriticKind::Shared, "shared or separate", |_| true;
        "Rollout":
        /// ε, the probability of a uniformly random legal action while training acts. The A2C loss is exact only for 0.
        explore: f64 = 0.0, "numbers from 0 to 1", is_share;
        /// The probability that the policy's state is erased before a step while training acts: it then reads its latest observation alone. Needs `a2c = 0`.
        forget: f64 = 0.0, "numbers from 0 to 1", is_share;
        /// n, the number of steps of a segment; 0 plays whole episodes. Episodes go on from one segment to the next.
        segment: usize = 0, "whole numbers from 0 to 1000000", |&x| x <= 1_000_000;
        /// True to normalise observations that are vectors by running statistics.
        normalize_observations: bool = false, "true or false", |_| true;
        /// True to divide rewards by the running deviation of their discounted sums.
        normalize_rewards: bool = false, "true or false", |_| true;
        "Task calculator-stages":
        /// The set of actions: the six tools, or all 18 tokens.
        actions: Actions = Actions::Tools, "tools or tokens", |_| true;
        "Tasks calculator-stages and expression":
        /// Reward for a correct answer.
        reward_correct: f64 = 1.0, "numbers from -1000000 to 1000000", is_reward;
        /// Reward for each step by which the distance to the goal falls below its minimum so far in the episode. The solver computes the distance; 0 turns it off.
        reward_milestone: f64 = 0.25, "numbers from -1000000 to 1000000", is_reward;
        /// Reward for every step.
        reward_step: f64 = -0.02, "numbers from -1000000 to 1000000", is_reward;
        "Task expression-tools":
        /// q, the probability that the call of a tool fails.
        call_failures: f64 = 0.0, "numbers from 0 to 1", is_share;
        "Advantages":
        /// γ, the discount factor.
        gamma: f64 = 1.0, "numbers from 0 to 1", is_share;
        /// The method that estimates advantages: generalised advantage estimation, or n-step returns.
        advantage: AdvantageKind = AdvantageKind::Gae, "gae or steps", |_| true;
        /// λ of generalised advantage estimation.
        lambda: f64 = 1.0, "numbers from 0 to 1", is_share;
        /// n of n-step returns.
        n_steps: usize = 5, "whole numbers from 1 to 1000000000", is_count;
        /// True to normalise the advantages of the batch to mean 0 and variance 1.
        normalize_advantages: bool = false, "true or false", |_| true;
        "Loss":
        /// c_v, the weight of the critic's mean squared error.
        value_coefficient: f64 = 0.5, "numbers from 0", is_not_negative;
        /// β, the weight of the entropy, at the first update.
        entropy: f64 = 0.3, "numbers from 0", is_not_negative;
        /// β at the end of its schedule.
        entropy_final: f64 = 0.0, "numbers from 0", is_not_negative;
        /// The number of updates over which β falls linearly.
        entropy_updates: usize = 100, "whole numbers from 1 to 1000000000", is_count;
        /// K, the number of successes of each stage that an update imitates, drawn from the last 256; 0 turns self-imitation off.
        imitate: usize = 0, "whole numbers from 0 to 1048576", |&x| x <= 1 << 20;
        /// w, the weight of self-imitation.
        imitation: f64 = 1.0, "numbers from 0", is_not_negative;
        /// w_a, the weight of the A2C loss: policy gradient, critic and entropy. 0 learns nothing from rewards.
        a2c: f64 = 1.0, "numbers from 0", is_not_negative;
        /// K, the number of relabelled programs of each stage that an update learns from; 0 turns hindsight off.
        hindsight: usize = 0, "whole numbers from 0 to 1048576", |&x| x <= 1 << 20;
        /// κ, the weight of KL(π‖q) in the states in which training acts, at the first update; it falls linearly to 0 at `max_updates`. q is the task's distribution of exploration. So the policy stays undecided where it has no demonstration.
        prior: f64 = 0.0, "numbers from 0", is_not_negative;
        /// w_h, the weight of the hindsight loss.
        hindsight_weight: f64 = 1.0, "numbers from 0", is_not_negative;
        "Optimiser":
        /// The optimiser.
        optimizer: OptimizerKind = OptimizerKind::Adam, "adam, adamw, sgd or rmsprop", |_| true;
        /// α, the learning rate at the first update.
        rate: f64 = 0.005, "numbers above 0", is_positive;
        /// The schedule of α over `max_updates`.
        rate_schedule: ScheduleKind = ScheduleKind::Constant, "constant, linear or cosine", |_| true;
        /// α at the end of its schedule, if that is linear or cosine.
        rate_final: f64 = 0.0, "numbers from 0", is_not_negative;
        /// β₁ of Adam, the decay of the first moment.
        beta1: f64 = 0.9, "numbers from 0, below 1", is_below_one;
        /// β₂ of Adam, the decay of the second moment.
        beta2: f64 = 0.999, "numbers from 0, below 1", is_below_one;
        /// α of RMSprop, the decay of the second moment.
        smoothing: f64 = 0.99, "numbers from 0, below 1", is_below_one;
        /// μ of gradient descent.
        momentum: f64 = 0.9, "numbers from 0, below 1", is_below_one;
        /// ε, added to the square root of the second moment.
        epsilon: f64 = 1e-8, "numbers above 0", is_positive;
        /// λ, the weight decay of adam and adamw. The other optimisers have none.
        weight_decay: f64 = 0.0, "numbers from 0", is_not_negative;
        /// The maximum norm of the gradient.
        clip: f64 = 1.0, "numbers above 0", is_positive;
        "Task":
        /// The division of the batch among the stages.
        curriculum: Curriculum = Curriculum::Mix, "switch, gate, mix or adapt", |_| true;
        /// The exact match at which the next stage unlocks.
        unlock: f64 = 0.95, "numbers from 0 to 1", is_share;
        "Run":
        /// The number of updates between validations.
        validate_every: usize = 10, "whole numbers from 1 to 1000000000", is_count;
        /// The number of episodes of each stage in a validation. A task that lists its contexts plays each once instead, here and in the test.
        validation_episodes: usize = 512, "whole numbers from 1 to 16777216", is_episode_count;
        /// The run ends after this many consecutive validations with an exact match of 1 in every stage. With A2C it never ends before the schedule of β.
        patience: usize = 3, "whole numbers from 1 to 1000000000", is_count;
        /// The maximum number of updates.
        max_updates: usize = 1500, "whole numbers from 1 to 1000000000", is_count;
        /// The number of episodes of each stage in the test, which is drawn once, after training.
        test_episodes: usize = 3000, "whole numbers from 1 to 16777216", is_episode_count;
    }
}

impl Config {
    /// The rewards of the tasks that have milestones.
    pub fn rewards(&self) -> Rewards {
        Rewards { correct: self.reward_correct, milestone: self.reward_milestone, step: self.reward_step }
    }

    /// The actions of `calculator-stages`.
    pub fn action_set(&self) -> ActionSet {
        match self.actions {
            Actions::Tools => ActionSet::Tools,
            Actions::Tokens => ActionSet::Tokens,
        }
    }

    /// The number of updates before which a run does not end: those of the schedule of β, or 0 if A2C is off.
    pub fn exploration_updates(&self) -> usize {
        if self.a2c > 0.0 { self.entropy_updates } else { 0 }
    }

    /// The method that estimates advantages.
    pub fn estimator(&self) -> AdvantageEstimator {
        match self.advantage {
            AdvantageKind::Gae => AdvantageEstimator::Gae(self.lambda),
            AdvantageKind::NStep => AdvantageEstimator::NStep(self.n_steps),
        }
    }

    /// The layers of the network.
    pub fn architecture(&self) -> Architecture {
        Architecture {
            hidden_size: self.width,
            memory: (self.memory != MemoryKind::None).then_some(self.variant()),
            has_attention: self.memory == MemoryKind::Attention,
            encoder_layers: self.encoder_layers,
            has_separate_critic: self.critic == CriticKind::Separate,
        }
    }

    /// The task `calculator-stages` with its settings.
    pub fn calculator_stages(&self) -> CalculatorStages {
        CalculatorStages::new(self.action_set(), self.rewards())
    }

    /// The position of the reset gate.
    pub fn variant(&self) -> Variant {
        match self.gru {
            GruVariant::ResetAfter => Variant::ResetAfter,
            GruVariant::ResetBefore => Variant::ResetBefore,
        }
    }
}
