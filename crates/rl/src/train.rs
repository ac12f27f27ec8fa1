//! A training run: updates, validations, the stopping rule, and the test.
//!
//! **The stopping rule.** Every `validate_every` updates, the greedy policy plays `validation_episodes` new episodes of
//! each stage, from the validation stream; if the task lists its contexts, it plays each once. The run ends after `patience`
//! consecutive validations in which every episode of every stage was solved. With A2C it does not end before the end of the
//! schedule of the entropy weight β, because until then the policy is right only by small margins. The run also ends after `max_updates`. The test episodes come from a separate stream and are
//! drawn once, after training. Training never uses them.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::marker::PhantomData;

use nn::{Optimizer, Params, Schedule, UpdateRule};
use tensor::Real;

use crate::a2c::{Learner, Metrics, Update};
use crate::config::{Config, CriticKind, Curriculum, MemoryKind, OptimizerKind, ScheduleKind};
use crate::curriculum::{Progress, allocate_episodes, compute_shares};
use crate::distribution::Choice;
use crate::env::{ActionSpace, Space, Spec, Task};
use crate::error::TrainError;
use crate::evaluate::{EvalStats, TestResult, test_stage, to_stream_word, validate};
use crate::model::Model;
use crate::phase::Phase;
use crate::policy::Policy;
use crate::rollout::RolloutError;
use crate::settings::{Setting, Settings};

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
    /// The network.
    type Model: Model<T>;

    /// The network and its optimiser on the host.
    fn host(&self) -> &Learner<T, Self::Model>;

    /// The network and its optimiser on the host, mutable.
    fn host_mut(&mut self) -> &mut Learner<T, Self::Model>;

    /// Makes one or more updates, at most `limit`; the learner chooses how many it makes together. `update` holds the settings
    /// of the first one. The later ones use the same number of episodes of each stage.
    ///
    /// # Errors
    /// If the first update fails. The parameters are then unchanged.
    fn advance(&mut self, task: &dyn Task, update: &Update, limit: usize) -> Result<Vec<UpdateResult>, TrainError>;

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
    ) -> Result<Vec<EvalStats>, RolloutError>;
}

impl<T: Real, M: Model<T>> Learn<T> for Learner<T, M> {
    type Model = M;

    fn host(&self) -> &Self {
        self
    }

    fn host_mut(&mut self) -> &mut Self {
        self
    }

    fn advance(&mut self, task: &dyn Task, update: &Update, _: usize) -> Result<Vec<UpdateResult>, TrainError> {
        let metrics = self.update(task, update)?;
        Ok(Vec::from([UpdateResult { metrics, rate: update.rate, entropy_coefficient: update.entropy }]))
    }

    fn validate(
        &mut self,
        task: &dyn Task,
        updates: usize,
        seed_and_episodes: (u64, usize),
    ) -> Result<Vec<EvalStats>, RolloutError> {
        validate(self.trained(), task, updates, seed_and_episodes)
    }
}

impl<T: Real, L: Learn<T> + ?Sized> Learn<T> for Box<L> {
    type Model = L::Model;

    fn host(&self) -> &Learner<T, L::Model> {
        (**self).host()
    }

    fn host_mut(&mut self) -> &mut Learner<T, L::Model> {
        (**self).host_mut()
    }

    fn advance(&mut self, task: &dyn Task, update: &Update, limit: usize) -> Result<Vec<UpdateResult>, TrainError> {
        (**self).advance(task, update, limit)
    }

    fn validate(
        &mut self,
        task: &dyn Task,
        updates: usize,
        seed_and_episodes: (u64, usize),
    ) -> Result<Vec<EvalStats>, RolloutError> {
        (**self).validate(task, updates, seed_and_episodes)
    }
}

/// A training run: its settings and everything that training changes. `K` is the task. `L` is the learner, by default the one
/// on the host with the network [`Policy`].
pub struct Run<T: Real, K: Task, L: Learn<T> = Learner<T>> {
    /// The task.
    pub task: K,
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
    /// The number of the latest consecutive validations in which every episode of every stage was solved.
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
    /// Every episode of every stage was solved in `patience` consecutive validations, and the schedule of β is over, if A2C is on.
    Solved,
    /// The run made `max_updates` updates.
    OutOfUpdates,
}

impl<T: Real, K: Task> Run<T, K> {
    /// Creates a run of the network [`Policy`] before its first update.
    ///
    /// # Panics
    /// If the settings do not fit the task, or if `T` rounds a number to zero or out of its range: see
    /// [`check_settings`] and [`Settings::check`].
    #[track_caller]
    pub fn new(task: K, config: &Config, seed: u64) -> Self {
        let (spec, mut params) = (task.spec(), Params::new());
        check_settings(config, &spec, || task.hindsight().is_some()).unwrap_or_else(|error| panic!("Run: {error}"));
        let policy = Policy::new(&mut params, &spec, config.architecture(), seed);
        Self::with_model(task, policy, params, config, seed)
    }
}

impl<T: Real, K: Task, M: Model<T>> Run<T, K, Learner<T, M>> {
    /// Creates a run of any network before its first update. `params` are its parameters. The settings of the group "Model" are
    /// ignored.
    ///
    /// # Panics
    /// As [`new`](Run::new).
    #[track_caller]
    pub fn with_model(task: K, model: M, params: Params<T>, config: &Config, seed: u64) -> Self {
        config.check::<T>().unwrap_or_else(|error| panic!("Run: {error}"));
        let spec = task.spec();
        check_settings(config, &spec, || task.hindsight().is_some()).unwrap_or_else(|error| panic!("Run: {error}"));
        let optimizer = Optimizer::new(optimizer_rule(config), &params);
        let learner = Learner::new(model, params, optimizer);
        let progress = Progress::new(spec.stages);
        let (config, scalar) = (config.clone(), PhantomData);
        Self { task, config, seed, learner, progress, updates: 0, steps: 0, perfect: 0, scalar }
    }

    /// Replaces the learner by the one that `make` builds from it.
    ///
    /// # Errors
    /// If `make` fails.
    pub fn with_learner<L: Learn<T>, E>(
        self,
        make: impl FnOnce(&K, Learner<T, M>) -> Result<L, E>,
    ) -> Result<Run<T, K, L>, E> {
        let Self { task, config, seed, learner, progress, updates, steps, perfect, scalar } = self;
        let learner = make(&task, learner)?;
        Ok(Run { task, config, seed, learner, progress, updates, steps, perfect, scalar })
    }
}

impl<T: Real, K: Task, L: Learn<T>> Run<T, K, L> {
    /// Returns the reason why the run is over, or `None` if it is not over.
    pub fn stop_reason(&self) -> Option<StopReason> {
        if self.perfect >= self.config.patience && self.updates >= self.config.exploration_updates() {
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
    pub fn advance(&mut self) -> Result<Report, TrainError> {
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
    pub fn advance_up_to(&mut self, limit: usize) -> Result<Vec<Report>, TrainError> {
        let mut reports = self.run_updates(limit)?;
        let last = self.updates == self.config.max_updates;
        if self.updates.is_multiple_of(self.config.validate_every) || last {
            let validation = Some(self.validate()?);
            reports.iter_mut().last().expect("an update was done").validation = validation;
        }
        Ok(reports)
    }

    fn run_updates(&mut self, limit: usize) -> Result<Vec<Report>, TrainError> {
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
    pub fn test(&self) -> Result<Vec<TestResult>, RolloutError> {
        let seed_and_episodes = (self.seed, self.config.test_episodes);
        let test = |stage| test_stage(self.learner.host().trained(), &self.task, stage, seed_and_episodes);
        (0..self.progress.exact.len()).map(test).collect()
    }

    fn next_update(&self) -> Update {
        let Self { config, updates, .. } = self;
        Update {
            seed: self.seed,
            number: to_stream_word("update", *updates),
            counts: allocate_episodes(&compute_shares(config.curriculum, &self.progress), config.batch),
            chunk: config.chunk,
            segment: config.segment,
            choice: Choice::Sampled { epsilon: config.explore, temperature: 1.0 },
            normalize_observations: config.normalize_observations,
            normalize_rewards: config.normalize_rewards,
            gamma: config.gamma,
            estimator: config.estimator(),
            normalize: config.normalize_advantages,
            value_coefficient: config.value_coefficient,
            entropy: entropy_schedule(config).value_at(*updates as u64),
            imitate: config.imitate,
            imitation: config.imitation,
            a2c: config.a2c,
            hindsight: config.hindsight,
            hindsight_weight: config.hindsight_weight,
            prior: config.prior * (1.0 - *updates as f64 / config.max_updates as f64).max(0.0),
            forget: config.forget,
            clip: config.clip,
            rate: rate_schedule(config).value_at(*updates as u64),
        }
    }

    fn validate(&mut self) -> Result<Vec<EvalStats>, TrainError> {
        let Self { updates, seed, config: Config { validation_episodes, .. }, .. } = *self;
        let stats = self.learner.validate(&self.task, updates, (seed, validation_episodes));
        let add_update =
            |error| TrainError::from_rollout(to_stream_word("update", updates), &self.learner.host().params, error);
        let stats = stats.map_err(add_update)?;
        self.record_validation(&stats.iter().map(|stats| stats.exact).collect::<Vec<_>>());
        Ok(stats)
    }

    /// Records the share of solved episodes of each stage in a validation, for the curriculum and the stopping rule.
    pub fn record_validation(&mut self, exact: &[f64]) {
        self.perfect = if exact.iter().all(|&exact| exact == 1.0) { self.perfect + 1 } else { 0 };
        self.progress.record_validation(exact, self.config.unlock);
    }
}

/// Checks that a task can be trained with these settings. `has_hindsight` says whether it has [`Task::hindsight`]; it is called
/// only if the settings need that.
///
/// # Errors
/// If two settings, or a setting and the task, exclude each other.
pub fn check_settings(config: &Config, spec: &Spec, has_hindsight: impl FnOnce() -> bool) -> Result<(), String> {
    let name = &spec.name;
    if config.architecture().memory.is_none() && spec.has_stages_to_tell() {
        return Err(format!("memory = none cannot tell the {} stages of {name} apart; use memory = gru", spec.stages));
    }
    if config.memory == MemoryKind::Attention {
        if !matches!(spec.observation, Space::Tokens { .. }) {
            return Err(format!("memory = attention reads tokens, but {name} observes vectors; use memory = gru"));
        }
        if config.segment > 0 {
            let segment = config.segment;
            return Err(format!(
                "memory = attention plays whole episodes, but segment = {segment}; use segment = 0, or memory = gru"
            ));
        }
    }
    if config.hindsight > 0 && !has_hindsight() {
        let hindsight = config.hindsight;
        return Err(format!(
            "hindsight = {hindsight}, but {name} cannot say what an episode achieved; use hindsight = 0"
        ));
    }
    if config.hindsight > 0 && config.segment > 0 {
        let (hindsight, segment) = (config.hindsight, config.segment);
        return Err(format!(
            "hindsight = {hindsight} relabels whole episodes, but segment = {segment}; use segment = 0"
        ));
    }
    let chooses = matches!(spec.action, ActionSpace::Discrete { .. });
    if config.prior > 0.0 && !chooses {
        return Err(format!("prior = {}, but the actions of {name} are numbers; use prior = 0", config.prior));
    }
    if config.forget > 0.0 && (config.a2c > 0.0 || config.segment > 0) {
        let forget = config.forget;
        return Err(format!(
            "forget = {forget} acts by another policy than A2C learns from; use a2c = 0 and segment = 0, or forget = 0"
        ));
    }
    if config.segment > 0 && spec.stages > 1 && config.curriculum != Curriculum::Mix {
        let (segment, curriculum) = (config.segment, config.curriculum.to_text());
        return Err(format!(
            "segment = {segment} needs the same episodes in each update, but curriculum = {curriculum} moves them \
             between the stages of {name}; use curriculum = mix, or segment = 0"
        ));
    }
    if config.normalize_observations && !matches!(spec.observation, Space::Vector { .. }) {
        return Err(format!("normalize_observations = true, but {name} observes tokens; set it to false"));
    }
    if config.encoder_layers > 1 && !matches!(spec.observation, Space::Vector { .. }) {
        let layers = config.encoder_layers;
        return Err(format!("encoder_layers = {layers}, but {name} observes tokens, which have an embedding; use 1"));
    }
    if config.critic == CriticKind::Separate {
        if !matches!(spec.observation, Space::Vector { .. }) {
            return Err(format!("critic = separate reads vectors, but {name} observes tokens; use critic = shared"));
        }
        if config.architecture().memory.is_some() {
            return Err(
                "critic = separate has no memory, but memory = gru; use memory = none, or critic = shared".into()
            );
        }
    }
    if config.imitate > 0 && !spec.has_success {
        return Err(format!("imitate = {}, but episodes of {name} are never solved; use imitate = 0", config.imitate));
    }
    if let ActionSpace::Continuous { .. } = spec.action
        && config.imitate > 0
    {
        return Err(format!("imitate = {}, but the actions of {name} are numbers; use imitate = 0", config.imitate));
    }
    // A success keeps the numbers of its update, and the running statistics change from update to update.
    let normalized =
        [("normalize_rewards", config.normalize_rewards), ("normalize_observations", config.normalize_observations)];
    if let Some((setting, _)) = normalized.iter().find(|(_, is_on)| config.imitate > 0 && *is_on) {
        return Err(format!(
            "imitate = {}, but {setting} = true gives earlier successes other units than the current episodes; use \
             imitate = 0, or {setting} = false",
            config.imitate
        ));
    }
    Ok(())
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

#[cfg(test)]
mod tests {

    use super::*;
    use crate::config::MemoryKind;
    use crate::test_tasks::Chance;

    #[test]
    fn check_settings_exclusive_settings_are_named_with_a_way_out() {
        let (tokens, numbers) = (Chance::default().spec(), Chance { is_continuous: true, ..Chance::default() }.spec());
        let vectors = Chance { has_vectors: true, ..Chance::default() }.spec();
        let single = Spec { stages: 1, has_success: false, ..tokens.clone() };
        let config = Config::default;
        let hidden = Spec { hides_stage: true, ..tokens.clone() };
        let normalizing = Config { normalize_observations: true, ..config() };
        let memoryless = Config { memory: MemoryKind::None, ..config() };
        let segments = |curriculum| Config { segment: 5, curriculum, ..config() };
        let imitating = Config { imitate: 2, ..config() };
        let attention = Config { memory: MemoryKind::Attention, ..config() };
        let separate = |memory| Config { critic: CriticKind::Separate, memory, ..config() };
        let forgetting = Config { forget: 0.5, ..config() };
        let undecided = Config { prior: 1.0, ..config() };
        let bad = [
            (
                &forgetting,
                &tokens,
                "forget = 0.5 acts by another policy than A2C learns from; use a2c = 0 and segment = 0",
            ),
            (&undecided, &numbers, "prior = 1, but the actions of chance are numbers; use prior = 0"),
            (&memoryless, &tokens, "memory = none cannot tell the 2 stages of chance apart; use memory = gru"),
            (
                &segments(Curriculum::Adapt),
                &tokens,
                "segment = 5 needs the same episodes in each update, but curriculum = adapt",
            ),
            (
                &segments(Curriculum::Gate),
                &tokens,
                "between the stages of chance; use curriculum = mix, or segment = 0",
            ),
            (&normalizing, &tokens, "normalize_observations = true, but chance observes tokens; set it to false"),
            (
                &Config { encoder_layers: 2, ..config() },
                &tokens,
                "encoder_layers = 2, but chance observes tokens, which have an embedding; use 1",
            ),
            (
                &separate(MemoryKind::None),
                &single,
                "critic = separate reads vectors, but chance observes tokens; use critic = shared",
            ),
            (
                &separate(MemoryKind::Gru),
                &vectors,
                "critic = separate has no memory, but memory = gru; use memory = none, or critic = shared",
            ),
            (&attention, &vectors, "memory = attention reads tokens, but chance observes vectors; use memory = gru"),
            (
                &Config { segment: 5, ..attention.clone() },
                &tokens,
                "memory = attention plays whole episodes, but segment = 5; use segment = 0, or memory = gru",
            ),
            (
                &Config { hindsight: 4, ..config() },
                &tokens,
                "hindsight = 4, but chance cannot say what an episode achieved; use hindsight = 0",
            ),
            (&imitating, &single, "imitate = 2, but episodes of chance are never solved; use imitate = 0"),
            (&imitating, &numbers, "imitate = 2, but the actions of chance are numbers; use imitate = 0"),
            (
                &Config { normalize_rewards: true, ..imitating.clone() },
                &tokens,
                "imitate = 2, but normalize_rewards = true gives earlier successes other units",
            ),
            (
                &Config { normalize_observations: true, ..imitating.clone() },
                &vectors,
                "use imitate = 0, or normalize_observations = false",
            ),
        ];
        for (config, spec, expected) in bad {
            let error = check_settings(config, spec, || false).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
        let good = [
            (&config(), &tokens),
            (&memoryless, &single),
            (&memoryless, &hidden),
            (&segments(Curriculum::Mix), &tokens),
            (&segments(Curriculum::Adapt), &single),
            (&normalizing, &vectors),
            (&separate(MemoryKind::None), &Spec { stages: 1, ..vectors.clone() }),
            (&imitating, &tokens),
        ];
        good.iter().for_each(|(config, spec)| check_settings(config, spec, || false).expect("no conflict"));
    }

    #[test]
    #[should_panic(expected = "Run: normalize_observations = true, but chance observes tokens; set it to false")]
    fn run_new_exclusive_settings_panic() {
        let config = Config { normalize_observations: true, ..Config::default() };
        Run::<f32, _>::new(Chance::default(), &config, 1);
    }
}
