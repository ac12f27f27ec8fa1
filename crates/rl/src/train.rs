//! A training run on `calculator`: updates, validations, the stopping rule, and the test.
//!
//! **The stopping rule.** Every `validate_every` updates, the greedy policy plays `validation_episodes` new episodes of
//! each stage, from the validation stream. The run ends after `patience` consecutive validations in which the exact match of
//! every stage was 1. It does not end before the end of the schedule of the entropy weight β, because until then the policy is
//! right only by small margins. The run also ends after `max_updates`. The test episodes come from a separate stream and are
//! drawn once, after training. Training never uses them.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;

use nn::{Optimizer, Params, Schedule, UpdateRule};
use tensor::Real;

use crate::a2c::{Learner, Metrics, Update};
use crate::config::{Config, OptimizerKind, ScheduleKind};
use crate::curriculum::{Progress, allocate_episodes, compute_shares};
use crate::env::Task;
use crate::evaluate::{EvalStats, TestResult, test_stage, to_stream_word, validate};
use crate::not_finite::NotFinite;
use crate::phase::Phase;
use crate::policy::Policy;
use crate::rollout::Undecided;
use crate::settings::Settings;
use crate::tasks::Calculator;

/// The metrics of an update, and the values of α and β that it used.
#[derive(Clone, Debug)]
pub struct UpdateResult {
    /// Losses, entropy, gradient norm and episodes.
    pub metrics: Metrics,
    /// α, the learning rate.
    pub rate: f64,
    /// β, the weight of the entropy.
    pub entropy_coefficient: f64,
}

/// A learner makes the updates of a run and plays its validations. After each call its parameters and moments are on the
/// host. Therefore checkpoints, tests and resuming do not depend on the device.
pub trait Learn<T: Real>: Send {
    /// The network and its optimiser on the host.
    fn host(&self) -> &Learner<T>;

    /// The network and its optimiser on the host, mutable.
    fn host_mut(&mut self) -> &mut Learner<T>;

    /// Makes one or more updates, at most `limit`; the learner chooses how many it makes together. `update` holds the settings
    /// of the first one. The later ones use the same number of episodes of each stage.
    ///
    /// # Errors
    /// If the first update is not finite. The parameters are then unchanged.
    fn advance(&mut self, task: &dyn Task, update: &Update, limit: usize) -> Result<Vec<UpdateResult>, NotFinite>;

    /// Plays the validation after update number `updates` with the greedy policy. `seed_and_episodes` are the seed and the
    /// number of episodes of each stage.
    ///
    /// # Errors
    /// If the log-probability of an action is NaN.
    fn validate(
        &mut self,
        task: &dyn Task,
        updates: usize,
        seed_and_episodes: (u64, usize),
    ) -> Result<Vec<EvalStats>, Undecided>;
}

impl<T: Real> Learn<T> for Learner<T> {
    fn host(&self) -> &Self {
        self
    }

    fn host_mut(&mut self) -> &mut Self {
        self
    }

    fn advance(&mut self, task: &dyn Task, update: &Update, _: usize) -> Result<Vec<UpdateResult>, NotFinite> {
        let metrics = self.update(task, update)?;
        Ok(Vec::from([UpdateResult { metrics, rate: update.rate, entropy_coefficient: update.entropy }]))
    }

    fn validate(
        &mut self,
        task: &dyn Task,
        updates: usize,
        seed_and_episodes: (u64, usize),
    ) -> Result<Vec<EvalStats>, Undecided> {
        validate(&self.policy, &self.params, task, updates, seed_and_episodes)
    }
}

impl<T: Real, L: Learn<T> + ?Sized> Learn<T> for Box<L> {
    fn host(&self) -> &Learner<T> {
        (**self).host()
    }

    fn host_mut(&mut self) -> &mut Learner<T> {
        (**self).host_mut()
    }

    fn advance(&mut self, task: &dyn Task, update: &Update, limit: usize) -> Result<Vec<UpdateResult>, NotFinite> {
        (**self).advance(task, update, limit)
    }

    fn validate(
        &mut self,
        task: &dyn Task,
        updates: usize,
        seed_and_episodes: (u64, usize),
    ) -> Result<Vec<EvalStats>, Undecided> {
        (**self).validate(task, updates, seed_and_episodes)
    }
}

/// A training run: its settings and everything that training changes. `L` is the learner, by default the one on the host.
pub struct Run<T: Real, L: Learn<T> = Learner<T>> {
    /// The task.
    pub task: Calculator,
    /// The hyper-parameters.
    pub config: Config,
    /// The seed of all random streams.
    pub seed: u64,
    /// The learner: the network and its optimiser.
    pub learner: L,
    /// The unlocked stages, and the exact match of each stage.
    pub progress: Progress,
    /// The number of updates so far.
    pub updates: usize,
    /// The number of valid training steps so far.
    pub steps: u64,
    /// The number of the latest consecutive validations in which the exact match of every stage was 1.
    pub perfect: usize,
    scalar: PhantomData<T>,
}

/// The report of one update.
#[derive(Clone, Debug)]
pub struct Report {
    /// The number of the update, from 1.
    pub update: usize,
    /// α, the learning rate.
    pub rate: f64,
    /// β, the weight of the entropy.
    pub entropy_coefficient: f64,
    /// The highest unlocked stage during the update. Only the curricula `switch` and `gate` use it.
    pub unlocked: usize,
    /// The results of the update.
    pub metrics: Metrics,
    /// The statistics of each stage, if a validation followed the update.
    pub validation: Option<Vec<EvalStats>>,
}

/// The reason why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The exact match of every stage was 1 in `patience` consecutive validations, and the schedule of β is over.
    Solved,
    /// The run made `max_updates` updates.
    OutOfUpdates,
}

impl<T: Real> Run<T> {
    /// Creates a run before its first update.
    ///
    /// # Panics
    /// If a number of the settings is not finite, or if `T` rounds it to zero or out of its range: see
    /// [`Settings::check`].
    #[track_caller]
    pub fn new(config: &Config, seed: u64) -> Self {
        config.check::<T>().unwrap_or_else(|error| panic!("Run: {error}"));
        let (task, policy, params) = build_network(config, seed);
        let optimizer = Optimizer::new(optimizer_rule(config), &params);
        let learner = Learner::new(policy, params, optimizer);
        let progress = Progress::new(task.stages());
        let (config, scalar) = (config.clone(), PhantomData);
        Self { task, config, seed, learner, progress, updates: 0, steps: 0, perfect: 0, scalar }
    }

    /// Replaces the learner by the one that `make` builds from it.
    ///
    /// # Errors
    /// If `make` fails.
    pub fn with_learner<L: Learn<T>, E>(
        self,
        make: impl FnOnce(&Calculator, Learner<T>) -> Result<L, E>,
    ) -> Result<Run<T, L>, E> {
        let Self { task, config, seed, learner, progress, updates, steps, perfect, scalar } = self;
        let learner = make(&task, learner)?;
        Ok(Run { task, config, seed, learner, progress, updates, steps, perfect, scalar })
    }
}

impl<T: Real, L: Learn<T>> Run<T, L> {
    /// Returns the reason why the run is over, or `None` if it is not over.
    pub fn stop_reason(&self) -> Option<StopReason> {
        let Config { patience, entropy_updates, .. } = self.config;
        if self.perfect >= patience && self.updates >= entropy_updates {
            Some(StopReason::Solved)
        } else if self.updates >= self.config.max_updates {
            Some(StopReason::OutOfUpdates)
        } else {
            None
        }
    }

    /// Makes one update, and the validation after it if one is due.
    ///
    /// # Errors
    /// If a log-probability, the loss or a gradient is not finite. If the update fails, the parameters are unchanged. If the
    /// validation fails, the parameters are those after the update.
    ///
    /// # Panics
    /// If the run's GPU fails. `tensor::catch_cuda_error` turns the panic into an error that names the update.
    pub fn advance(&mut self) -> Result<Report, NotFinite> {
        self.advance_up_to(1).map(|mut reports| reports.pop().expect("one update was done"))
    }

    /// Makes one or more updates, at most `limit`, and the validation after the last one if it is due. The host makes one
    /// update per call; a GPU makes all updates up to the next validation.
    ///
    /// # Errors
    /// If the first update is not finite.
    ///
    /// # Panics
    /// As [`advance`](Self::advance).
    pub fn advance_up_to(&mut self, limit: usize) -> Result<Vec<Report>, NotFinite> {
        let mut reports = self.run_updates(limit)?;
        let last = self.updates == self.config.max_updates;
        if self.updates.is_multiple_of(self.config.validate_every) || last {
            let validation = Some(self.validate()?);
            reports.iter_mut().last().expect("an update was done").validation = validation;
        }
        Ok(reports)
    }

    fn run_updates(&mut self, limit: usize) -> Result<Vec<Report>, NotFinite> {
        let update = self.next_update();
        let to_validation = self.config.validate_every - self.updates % self.config.validate_every;
        let to_end = self.config.max_updates.saturating_sub(self.updates);
        let limit = limit.min(to_validation).min(to_end).max(1);
        let done = Phase::Update.run(|| self.learner.advance(&self.task, &update, limit))?;
        Ok(done.into_iter().map(|done| self.count_update(done)).collect())
    }

    /// Adds an update to the counters, and creates its report.
    fn count_update(&mut self, UpdateResult { metrics, rate, entropy_coefficient }: UpdateResult) -> Report {
        self.updates += 1;
        self.steps += metrics.steps as u64;
        let unlocked = self.progress.unlocked;
        Report { update: self.updates, rate, entropy_coefficient, unlocked, metrics, validation: None }
    }

    /// Tests every stage.
    ///
    /// # Errors
    /// If the log-probability of an action is NaN.
    pub fn test(&self) -> Result<Vec<TestResult>, Undecided> {
        let Learner { policy, params, .. } = self.learner.host();
        let seed_and_episodes = (self.seed, self.config.test_episodes);
        (0..self.task.stages()).map(|stage| test_stage(policy, params, &self.task, stage, seed_and_episodes)).collect()
    }

    fn next_update(&self) -> Update {
        let Self { config, updates, .. } = self;
        Update {
            seed: self.seed,
            number: to_stream_word("update", *updates),
            counts: allocate_episodes(&compute_shares(config.curriculum, &self.progress), config.batch),
            chunk: config.chunk,
            gamma: config.gamma,
            estimator: config.estimator(),
            normalize: config.normalize_advantages,
            value_coefficient: config.value_coefficient,
            entropy: entropy_schedule(config).value_at(*updates as u64),
            imitate: config.imitate,
            imitation: config.imitation,
            clip: config.clip,
            rate: rate_schedule(config).value_at(*updates as u64),
        }
    }

    fn validate(&mut self) -> Result<Vec<EvalStats>, NotFinite> {
        let Self { updates, seed, config: Config { validation_episodes, .. }, .. } = *self;
        let stats = self.learner.validate(&self.task, updates, (seed, validation_episodes));
        let undecided =
            |error| NotFinite::from_undecided(to_stream_word("update", updates), &self.learner.host().params, error);
        let stats = stats.map_err(undecided)?;
        self.record_validation(&stats.iter().map(|stats| stats.exact).collect::<Vec<_>>());
        Ok(stats)
    }

    /// Records the exact match of each stage in a validation, for the curriculum and the stopping rule.
    pub fn record_validation(&mut self, exact: &[f64]) {
        self.perfect = if exact.iter().all(|&exact| exact == 1.0) { self.perfect + 1 } else { 0 };
        self.progress.record_validation(exact, self.config.unlock);
    }
}

/// Creates the task, and a policy for it with initialised parameters.
pub(crate) fn build_network<T: Real>(config: &Config, seed: u64) -> (Calculator, Policy, Params<T>) {
    let task = Calculator::new(config.action_set(), config.rewards());
    let mut params = Params::new();
    let mut policy = Policy::new(&mut params, &task, config.width, seed);
    policy.rnn = policy.rnn.with_variant(config.variant());
    (task, policy, params)
}

/// The schedule of the entropy weight β.
pub fn entropy_schedule(config: &Config) -> Schedule {
    Schedule::Linear { from: config.entropy, to: config.entropy_final, over: config.entropy_updates as u64 }
}

/// The schedule of the learning rate α.
pub fn rate_schedule(config: &Config) -> Schedule {
    let (from, to, over) = (config.rate, config.rate_final, config.max_updates as u64);
    match config.rate_schedule {
        ScheduleKind::Constant => Schedule::Constant(from),
        ScheduleKind::Linear => Schedule::Linear { from, to, over },
        ScheduleKind::Cosine => Schedule::Cosine { from, to, over },
    }
}

fn optimizer_rule(config: &Config) -> UpdateRule {
    let Config { beta1, beta2, epsilon, weight_decay: decay, momentum, smoothing, .. } = *config;
    match config.optimizer {
        OptimizerKind::Adam => UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled: false },
        OptimizerKind::AdamW => UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled: true },
        OptimizerKind::Sgd => UpdateRule::Sgd { momentum },
        OptimizerKind::RmsProp => UpdateRule::RmsProp { alpha: smoothing, epsilon },
    }
}
