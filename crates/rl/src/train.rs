//! A run on `calculator`: updates, validations, the rule that ends it, and the test.
//!
//! **The rule.** Every `validate_every` updates the greedy policy plays `validation_episodes` fresh episodes of each
//! stage, from the validation stream. The run ends when the exact match of every stage was 1 in `patience` of these in
//! a row and the entropy's weight is at the end of its schedule (before that the policy is right by small margins), or
//! after `max_updates`. The test episodes come from a stream of their own and are drawn once, afterwards:
//! nothing that happens in training looks at them.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;

use nn::{Optimizer, Params, Rule, Schedule};
use tensor::Real;

use crate::a2c::{Learner, Metrics, Update};
use crate::config::{Config, OptimizerKind, ScheduleKind};
use crate::curriculum::{Progress, counts, shares};
use crate::env::Task;
use crate::evaluate::{Figures, Test, test_stage, validate, word};
use crate::not_finite::NotFinite;
use crate::phase::Phase;
use crate::policy::Policy;
use crate::rollout::Undecided;
use crate::settings::Settings;
use crate::tasks::Calculator;

/// The result of an update, and the rates that it used.
#[derive(Clone, Debug)]
pub struct Done {
    /// Losses, entropy, gradient norm and episodes.
    pub metrics: Metrics,
    /// α.
    pub rate: f64,
    /// β.
    pub entropy_coefficient: f64,
}

/// A learner: makes the updates of a run and plays its validations. After each call its parameters and moments are on the host, so
/// that checkpoints, tests and resuming do not depend on the device.
pub trait Learn<T: Real>: Send {
    /// The network and its optimiser on the host.
    fn host(&self) -> &Learner<T>;

    /// The same, for loading and changing.
    fn host_mut(&mut self) -> &mut Learner<T>;

    /// Makes updates: as many as are best made together, at least one and at most `limit`. `update` is the first; the others
    /// divide their episodes among the stages in the same way.
    ///
    /// # Errors
    /// If the first of them is not finite. The parameters are then as they were.
    fn advance(&mut self, task: &dyn Task, update: &Update, limit: usize) -> Result<Vec<Done>, NotFinite>;

    /// Plays the validation that follows the update number `updates`, greedily. `trial` is the seed and the number of episodes of each
    /// stage.
    ///
    /// # Errors
    /// If the log-probability of an action is NaN.
    fn validate(&mut self, task: &dyn Task, updates: usize, trial: (u64, usize)) -> Result<Vec<Figures>, Undecided>;
}

impl<T: Real> Learn<T> for Learner<T> {
    fn host(&self) -> &Self {
        self
    }

    fn host_mut(&mut self) -> &mut Self {
        self
    }

    fn advance(&mut self, task: &dyn Task, update: &Update, _: usize) -> Result<Vec<Done>, NotFinite> {
        let metrics = self.update(task, update)?;
        Ok(Vec::from([Done { metrics, rate: update.rate, entropy_coefficient: update.entropy }]))
    }

    fn validate(&mut self, task: &dyn Task, updates: usize, trial: (u64, usize)) -> Result<Vec<Figures>, Undecided> {
        validate(&self.policy, &self.params, task, updates, trial)
    }
}

impl<T: Real, L: Learn<T> + ?Sized> Learn<T> for Box<L> {
    fn host(&self) -> &Learner<T> {
        (**self).host()
    }

    fn host_mut(&mut self) -> &mut Learner<T> {
        (**self).host_mut()
    }

    fn advance(&mut self, task: &dyn Task, update: &Update, limit: usize) -> Result<Vec<Done>, NotFinite> {
        (**self).advance(task, update, limit)
    }

    fn validate(&mut self, task: &dyn Task, updates: usize, trial: (u64, usize)) -> Result<Vec<Figures>, Undecided> {
        (**self).validate(task, updates, trial)
    }
}

/// A run: everything that training changes. `L` is the learner, by default the host's.
pub struct Run<T: Real, L: Learn<T> = Learner<T>> {
    /// The task.
    pub task: Calculator,
    /// The hyper-parameters.
    pub config: Config,
    /// The seed, from which everything random follows.
    pub seed: u64,
    /// The learner: the network and its optimiser.
    pub learner: L,
    /// Which stages are open, and how well each goes.
    pub progress: Progress,
    /// Updates so far.
    pub updates: usize,
    /// Training steps that counted, so far.
    pub steps: u64,
    /// Validations in a row in which every stage's exact match was 1.
    pub perfect: usize,
    scalar: PhantomData<T>,
}

/// What one update brought.
#[derive(Clone, Debug)]
pub struct Report {
    /// The number of the update, from 1.
    pub update: usize,
    /// α.
    pub rate: f64,
    /// β.
    pub entropy_coefficient: f64,
    /// Stages 0 to `unlocked` were open, where the curriculum is one that unlocks: `switch` or `gate`.
    pub unlocked: usize,
    /// What the update did.
    pub metrics: Metrics,
    /// The figures of each stage, if the update was followed by a validation.
    pub validation: Option<Vec<Figures>>,
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every stage's exact match was 1 in as many validations in a row as the rule asks for, to the end of exploration.
    Solved,
    /// There were as many updates as there may be.
    OutOfUpdates,
}

impl<T: Real> Run<T> {
    /// Before the first update.
    ///
    /// # Panics
    /// If a number of the settings is not finite, or `T` rounds it to zero or out of its range: see
    /// [`Settings::check`].
    #[track_caller]
    pub fn new(config: &Config, seed: u64) -> Self {
        config.check::<T>().unwrap_or_else(|error| panic!("Run: {error}"));
        let (task, policy, params) = network(config, seed);
        let optimizer = Optimizer::new(rule(config), &params);
        let learner = Learner::new(policy, params, optimizer);
        let progress = Progress::new(task.stages());
        let (config, scalar) = (config.clone(), PhantomData);
        Self { task, config, seed, learner, progress, updates: 0, steps: 0, perfect: 0, scalar }
    }

    /// Replaces the learner by one that `make` builds from it.
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
    /// Whether the rule has ended the run, and how.
    pub fn end(&self) -> Option<End> {
        let Config { patience, entropy_updates, .. } = self.config;
        if self.perfect >= patience && self.updates >= entropy_updates {
            Some(End::Solved)
        } else if self.updates >= self.config.max_updates {
            Some(End::OutOfUpdates)
        } else {
            None
        }
    }

    /// One update, and the validation that follows it if it is time for one.
    ///
    /// # Errors
    /// If a log-probability, the loss or a gradient is not finite; the parameters are as they were, or as the last update left
    /// them where the validation after it cannot be played.
    ///
    /// # Panics
    /// If the GPU of the run fails. `tensor::catch_cuda` turns the panic into an error that names the update.
    pub fn advance(&mut self) -> Result<Report, NotFinite> {
        self.advance_by(1).map(|mut reports| reports.pop().expect("one update was done"))
    }

    /// Makes as many updates as the learner makes best together, at most `limit`, and the validation that follows the last of them if
    /// it is time for one. On the host this is one update, on a GPU all up to the next validation.
    ///
    /// # Errors
    /// If the first of them is not finite.
    ///
    /// # Panics
    /// As [`advance`](Self::advance).
    pub fn advance_by(&mut self, limit: usize) -> Result<Vec<Report>, NotFinite> {
        let mut reports = self.updates_by(limit)?;
        let last = self.updates == self.config.max_updates;
        if self.updates.is_multiple_of(self.config.validate_every) || last {
            let validation = Some(self.validate()?);
            reports.iter_mut().last().expect("an update was done").validation = validation;
        }
        Ok(reports)
    }

    fn updates_by(&mut self, limit: usize) -> Result<Vec<Report>, NotFinite> {
        let update = self.next_update();
        let to_validation = self.config.validate_every - self.updates % self.config.validate_every;
        let to_end = self.config.max_updates.saturating_sub(self.updates);
        let limit = limit.min(to_validation).min(to_end).max(1);
        let done = Phase::Update.of(|| self.learner.advance(&self.task, &update, limit))?;
        Ok(done.into_iter().map(|done| self.report(done)).collect())
    }

    /// Counts an update.
    fn report(&mut self, Done { metrics, rate, entropy_coefficient }: Done) -> Report {
        self.updates += 1;
        self.steps += metrics.steps as u64;
        let unlocked = self.progress.unlocked;
        Report { update: self.updates, rate, entropy_coefficient, unlocked, metrics, validation: None }
    }

    /// Plays the test episodes of every stage.
    ///
    /// # Errors
    /// If the log-probability of an action is NaN.
    pub fn test(&self) -> Result<Vec<Test>, Undecided> {
        let Learner { policy, params, .. } = self.learner.host();
        let trial = (self.seed, self.config.test_episodes);
        (0..self.task.stages()).map(|stage| test_stage(policy, params, &self.task, stage, trial)).collect()
    }

    fn next_update(&self) -> Update {
        let Self { config, updates, .. } = self;
        Update {
            seed: self.seed,
            number: word("update", *updates),
            counts: counts(&shares(config.curriculum, &self.progress), config.batch),
            chunk: config.chunk,
            gamma: config.gamma,
            estimator: config.estimator(),
            normalize: config.normalize_advantages,
            value_coefficient: config.value_coefficient,
            entropy: entropy(config).at(*updates as u64),
            imitate: config.imitate,
            imitation: config.imitation,
            clip: config.clip,
            rate: rate(config).at(*updates as u64),
        }
    }

    fn validate(&mut self) -> Result<Vec<Figures>, NotFinite> {
        let Self { updates, seed, config: Config { validation_episodes, .. }, .. } = *self;
        let figures = self.learner.validate(&self.task, updates, (seed, validation_episodes));
        let undecided = |error| NotFinite::undecided(word("update", updates), &self.learner.host().params, error);
        let figures = figures.map_err(undecided)?;
        let exact: Vec<f64> = figures.iter().map(|figures| figures.exact).collect();
        self.perfect = if exact.iter().all(|&exact| exact == 1.0) { self.perfect + 1 } else { 0 };
        self.progress.note(&exact, self.config.unlock);
        Ok(figures)
    }
}

/// The task, and a network for it with its initial values.
pub(crate) fn network<T: Real>(config: &Config, seed: u64) -> (Calculator, Policy, Params<T>) {
    let task = Calculator::new(config.action_set(), config.rewards());
    let mut params = Params::new();
    let mut policy = Policy::new(&mut params, &task, config.width, seed);
    policy.rnn = policy.rnn.with_variant(config.variant());
    (task, policy, params)
}

/// The schedule of β.
pub fn entropy(config: &Config) -> Schedule {
    Schedule::Linear { from: config.entropy, to: config.entropy_final, over: config.entropy_updates as u64 }
}

/// The schedule of α.
pub fn rate(config: &Config) -> Schedule {
    let (from, to, over) = (config.rate, config.rate_final, config.max_updates as u64);
    match config.rate_schedule {
        ScheduleKind::Constant => Schedule::Constant(from),
        ScheduleKind::Linear => Schedule::Linear { from, to, over },
        ScheduleKind::Cosine => Schedule::Cosine { from, to, over },
    }
}

fn rule(config: &Config) -> Rule {
    let Config { beta1, beta2, epsilon, weight_decay: decay, momentum, smoothing, .. } = *config;
    match config.optimizer {
        OptimizerKind::Adam => Rule::Adam { beta1, beta2, epsilon, decay, decoupled: false },
        OptimizerKind::AdamW => Rule::Adam { beta1, beta2, epsilon, decay, decoupled: true },
        OptimizerKind::Sgd => Rule::Sgd { momentum },
        OptimizerKind::RmsProp => Rule::RmsProp { alpha: smoothing, epsilon },
    }
}
