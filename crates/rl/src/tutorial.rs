//! A run of the tutorial, bug for bug.
//!
//! Its update as its text gives it: contexts enter as one mean over the whole batch; six tokens are sampled and all of
//! them train, whatever came after ANS; the baseline is the sum of all six values.
//!
//! ```text
//! L = − mean_B( (Σ_t ln π(a_t)) · (R − Σ_t V_t) )  +  0.5 · mean_B (Σ_t V_t − R)²  −  0.01 · mean(H),
//! H = − Σ_a p·ln(p + 1e-9)
//! ```
//!
//! Source: 'How to Build a Model-Native Agent That Learns Internal Planning, Memory, and Multi-Tool Reasoning Through
//! End-to-End Reinforcement Learning', MarkTechPost. What is wrong with it is in [`tasks::tutorial`](crate::tasks::tutorial).

use alloc::vec::Vec;

use autograd::{Tape, Var};
use nn::{Grads, Optimizer, Params, Rule, clip_global_norm};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor};

use crate::a2c::Metrics;
use crate::config::{count, episodes};
use crate::env::Task;
use crate::evaluate::{Figures, validate, word};
use crate::not_finite::NotFinite;
use crate::phase::Phase;
use crate::policy::{Network, Policy, Reading};
use crate::rollout::{self, Choice, Until};
use crate::settings::{Settings, settings};
use crate::tasks::Tutorial;
use crate::tasks::tutorial::EMITTED;
use crate::train::Report;

/// The stages of the six parts of the schedule, each of as many updates as [`TutorialConfig::stage_updates`].
pub const SCHEDULE: [usize; 6] = [0, 0, 0, 1, 1, 2];

settings! {
    /// The hyper-parameters of a run of the tutorial.
    pub struct TutorialConfig {
        /// d, the width of embeddings and GRU.
        width: usize = 96, "whole numbers from 1 to 4096", |&x| (1..=4096).contains(&x);
        /// B, episodes in an update.
        batch: usize = 192, "whole numbers from 1 to 1048576", |&x| (1..=1 << 20).contains(&x);
        /// Updates in each of the six parts of the schedule of stages 0, 0, 0, 1, 1, 2.
        stage_updates: usize = 10, "whole numbers from 1 to 1000000000", count;
        /// α, the learning rate of Adam.
        rate: f64 = 3e-4, "numbers above 0", |&x| x > 0.0 && x.is_finite();
        /// The gradient's norm at most.
        clip: f64 = 1.0, "numbers above 0", |&x| x > 0.0 && x.is_finite();
        /// The weight of the critic's mean squared error.
        value_coefficient: f64 = 0.5, "numbers from 0", |&x| x >= 0.0 && x.is_finite();
        /// The weight of the entropy.
        entropy: f64 = 0.01, "numbers from 0", |&x| x >= 0.0 && x.is_finite();
        /// Updates between evaluations.
        validate_every: usize = 5, "whole numbers from 1 to 1000000000", count;
        /// Episodes of each stage in an evaluation.
        validation_episodes: usize = 128, "whole numbers from 1 to 16777216", episodes;
        /// Episodes of each stage in the final evaluation.
        test_episodes: usize = 1000, "whole numbers from 1 to 16777216", episodes;
    }
}

/// The tutorial's loss and what it is made of.
pub struct TutorialLoss<'t, T: Real> {
    /// L.
    pub loss: Var<'t, T>,
    /// Its first term.
    pub policy: Var<'t, T>,
    /// The critic's mean squared error.
    pub value: Var<'t, T>,
    /// ln π of each action, \[T,B\].
    pub log_probs: Var<'t, T>,
    /// H of each decision, \[T,B\].
    pub entropies: Var<'t, T>,
    /// V of each state, \[T,B\].
    pub values: Var<'t, T>,
}

/// The loss for given contexts\[L,B\], actions\[T,B\] and rewards\[B\].
pub fn loss<'t, T: Real>(
    network: &Network<'_, 't, T>,
    stage: usize,
    contexts: &Tensor<u32>,
    actions: &Tensor<u32>,
    rewards: Var<'t, T>,
    config: &TutorialConfig,
) -> TutorialLoss<'t, T> {
    let (shape, count) = (actions.shape(), actions.size());
    let decisions = network.decisions(stage, contexts, actions);
    let log_probs = decisions.log_probs.gather(&actions.reshape([count, 1])).reshape(shape);
    let p = decisions.log_probs.exp();
    let entropies = (-(p * p.shift(T::of(1e-9)).log()).sum_axis(1)).reshape(shape);
    let values = decisions.values.reshape(shape);

    let baseline = values.sum_axis(0);
    let advantage = (rewards - baseline).detach();
    let policy = -(log_probs.sum_axis(0) * advantage).mean();
    let value = (baseline - rewards).square().mean();
    let loss = policy + value.scale(T::of(config.value_coefficient)) - entropies.mean().scale(T::of(config.entropy));
    TutorialLoss { loss, policy, value, log_probs, entropies, values }
}

/// A run of the tutorial.
pub struct TutorialRun<T: Real> {
    /// The task.
    pub task: Tutorial,
    /// The hyper-parameters.
    pub config: TutorialConfig,
    /// The seed, from which everything random follows.
    pub seed: u64,
    /// The layers.
    pub policy: Policy,
    /// Their numbers.
    pub params: Params<T>,
    /// Updates so far.
    pub updates: usize,
    /// What moves them.
    pub optimizer: Optimizer<T>,
    grads: Grads<T>,
    acting: Tape<T>,
    learning: Tape<T>,
}

impl<T: Real> TutorialRun<T> {
    /// Before the first update.
    ///
    /// # Panics
    /// If a number of the settings is not finite, or `T` rounds it to zero or out of its range: see [`Settings::check`].
    #[track_caller]
    pub fn new(config: &TutorialConfig, seed: u64) -> Self {
        config.check::<T>().unwrap_or_else(|error| panic!("TutorialRun: {error}"));
        let task = Tutorial;
        let mut params = Params::new();
        let policy = Policy::new(&mut params, &task, config.width, Reading::BatchMean, seed);
        Self {
            task,
            config: config.clone(),
            seed,
            policy,
            updates: 0,
            optimizer: Optimizer::new(Rule::adam(), &params),
            grads: Grads::zeros(&params),
            params,
            acting: Tape::evaluating(),
            learning: Tape::new(),
        }
    }

    /// Whether the schedule is through.
    pub fn is_over(&self) -> bool {
        self.updates >= SCHEDULE.len() * self.config.stage_updates
    }

    /// One update, and the evaluation that follows it if it is time for one.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite; the parameters are as they were.
    pub fn advance(&mut self) -> Result<Report, NotFinite> {
        let stage = SCHEDULE[(self.updates / self.config.stage_updates).min(SCHEDULE.len() - 1)];
        let metrics = Phase::Update.of(|| self.update(stage))?;
        self.updates += 1;
        let due = self.updates.is_multiple_of(self.config.validate_every) || self.is_over();
        let validation = if due { Some(self.validate()?) } else { None };
        Ok(Report {
            update: self.updates,
            rate: self.config.rate,
            entropy_coefficient: self.config.entropy,
            unlocked: stage,
            metrics,
            validation,
        })
    }

    fn update(&mut self, stage: usize) -> Result<Metrics, NotFinite> {
        let number = word("update", self.updates);
        let streams = |purpose| -> Vec<Philox> {
            let stream = |episode| Philox::stream(self.seed, Stream { purpose, update: number, episode });
            (0..word("batch", self.config.batch)).map(stream).collect()
        };
        let mut env = self.task.env(stage, self.config.batch);
        env.reset(&mut streams(Purpose::OPERANDS));
        let (contexts, mut draws) = (rollout::contexts(&*env), streams(Purpose::ACTIONS));
        let (choice, until) = (Choice::Sampled(&mut draws), Until::Emitted(EMITTED));
        let played = Phase::Act
            .of(|| rollout::play(&self.policy, &self.params, &mut self.acting, &mut *env, contexts, choice, until))
            .map_err(|error| NotFinite::undecided(number + 1, &self.params, error))?;
        let mut rewards = alloc::vec![0.0; played.episodes];
        for (k, reward) in played.rewards.iter().enumerate() {
            rewards[k % played.episodes] += reward;
        }

        let mut stages = alloc::vec![(0, 0); self.task.stages()];
        stages[stage] = (played.episodes, played.solved.iter().filter(|&&solved| solved).count());
        let mut metrics = Phase::Learn.of(|| {
            let weights = self.params.bind(&self.learning);
            let network = self.policy.on(weights);
            let targets = self.learning.constant(Tensor::from_fn([played.episodes], |i| T::of(rewards[i])));
            let terms = loss(&network, stage, &played.contexts(), &played.actions(), targets, &self.config);
            terms.loss.backward().expect("the loss uses every parameter");
            self.grads.collect(&self.params, weights);
            let number = |x: Var<'_, T>| x.value().item().value();
            Metrics {
                loss: number(terms.loss),
                policy_loss: number(terms.policy),
                value_loss: number(terms.value),
                entropy: number(terms.entropies.mean()),
                grad_norm: 0.0,
                reward: played.total_reward() / played.episodes as f64,
                steps: played.actions.len(),
                stages,
            }
        });
        self.learning.clear();
        match Phase::Clip.of(|| clip_global_norm(&self.params, &mut self.grads, self.config.clip)) {
            Ok(norm) if metrics.loss.is_finite() => metrics.grad_norm = norm.value(),
            _ => return Err(NotFinite::find(number, &self.params, &self.grads)),
        }
        Phase::Step.of(|| self.optimizer.step(self.config.rate, &mut self.params, &self.grads));
        Ok(metrics)
    }

    fn validate(&self) -> Result<Vec<Figures>, NotFinite> {
        let trial = (self.seed, self.config.validation_episodes, Until::Emitted(EMITTED));
        let figures = validate(&self.policy, &self.params, &self.task, self.updates, trial);
        figures.map_err(|error| NotFinite::undecided(word("update", self.updates), &self.params, error))
    }
}
