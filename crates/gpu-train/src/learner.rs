//! The learner on a GPU: the host's [`Learner`], whose parameters and optimiser an [`Update`] changes.

use nn::{Grads, UpdateRule, Variant};
use rl::a2c::{self, Learner};
use rl::config::{Config, GruVariant, MemoryKind, OptimizerKind};
use rl::env::{Actions, Task};
use rl::evaluate::EvalStats;
use rl::policy::{Memory, Policy};
use rl::rollout::{RolloutError, Undecided};
use rl::settings::Settings;
use rl::tasks::CalculatorStages;
use rl::train::{self, Learn, Run, UpdateResult};
use rl::trajectories::{Ended, Observed, Trajectories};
use rl::{NotFinite, TrainError};
use tensor::philox::Purpose;
use tensor::{CudaError, Device, Real, Tensor};

use crate::episode_record::EpisodeRecord;
use crate::error::GpuTrainError;
use crate::spec::{Sizes, Tables, UpdateSpec, checked_u32};
use crate::update::{self, Update};

/// The number of updates whose metrics the GPU keeps, and so the maximum that runs at once.
const MAX_UPDATES_AT_ONCE: usize = 64;

/// The maximum number of chunks of the batch, unless [`MAX_CHUNK_STEPS`] requires more: about the number of multiprocessors of
/// a large GPU. Gradients are summed per chunk. The number does not depend on the GPU, so all GPUs add in the same order.
const MAX_CHUNKS: usize = 128;

/// The maximum number of steps in a chunk, unless it is one long episode: the rounding error of a running sum grows with its
/// length. The sums of chunks are then added with compensation.
const MAX_CHUNK_STEPS: usize = 512;

/// A learner that trains on a GPU.
pub struct GpuLearner<T: Real> {
    /// The host's learner, in the state after the last update on the GPU.
    pub host: Learner<T>,
    update: Box<dyn Update<T>>,
    /// The state on the GPU, if it is known.
    gpu_state: Option<LearnerState<T>>,
}

/// The state on the GPU: parameters and moments, the number of the next update, and the optimiser's steps.
#[derive(PartialEq)]
struct LearnerState<T: Real> {
    values: [Tensor<T>; 3],
    number: usize,
    steps: u64,
}

impl<T: Real> LearnerState<T> {
    /// The state of the host's learner before the update of this number.
    fn from_learner(learner: &Learner<T>, number: usize) -> Self {
        let mut moments = learner.optimizer.moments().map(|(_, moment)| moment.clone());
        let mut moment = || moments.next().expect("Adam has two moments");
        let values = [learner.params.flat().clone(), moment(), moment()];
        Self { values, number, steps: learner.optimizer.steps() }
    }
}

impl<T: Real> GpuLearner<T> {
    /// Creates a learner on a GPU from the host's learner of a run with these settings, before the first update. Allocates its
    /// memory on the GPU.
    ///
    /// # Errors
    /// If the GPU does not support a setting or the learner's network, a parameter is frozen, the batch does not fit, or the
    /// GPU fails.
    ///
    /// # Panics
    /// If the device is the host.
    pub fn new(
        device: Device,
        config: &Config,
        task: &CalculatorStages,
        host: Learner<T>,
        seed: u64,
    ) -> Result<Self, GpuTrainError> {
        check_settings::<T>(config)?;
        let spec = describe(config, task, &host, seed)?;
        let update = update::create_update(device, &spec)?;
        Ok(Self { host, update, gpu_state: None })
    }

    /// Creates a run of `calculator-stages` on a GPU, before the first update.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// As [`new`](Self::new) and [`Run::new`].
    pub fn run(config: &Config, seed: u64, device: Device) -> Result<Run<T, CalculatorStages, Self>, GpuTrainError> {
        check_settings::<T>(config)?;
        Run::new(config.calculator_stages(), config, seed)
            .with_learner(|task, learner| Self::new(device, config, task, learner, seed))
    }

    /// Returns the update on the GPU, for inspection.
    pub fn update_mut(&mut self) -> &mut dyn Update<T> {
        &mut *self.update
    }

    /// Runs `updates` updates from `number` on, which counts from 0, with `counts` episodes of each stage. Copies parameters
    /// and optimiser from the host if the GPU's state differs, and updates the state of both.
    ///
    /// # Errors
    /// If the first update was not finite: the parameters are unchanged. If the GPU fails: the error names the update, and the
    /// host's state is unchanged.
    ///
    /// # Panics
    /// If the episodes do not sum to the batch, if there are too many updates at once, or if an update or a step of the
    /// optimiser has a number above 2³² − 1.
    #[track_caller]
    pub fn update(
        &mut self,
        number: usize,
        counts: &[usize],
        updates: usize,
    ) -> Result<Result<Vec<UpdateResult>, NotFinite>, CudaError> {
        let host_state = LearnerState::from_learner(&self.host, number);
        let last = |from: u64| from.saturating_add(updates as u64);
        let updates = checked_u32("updates at once", updates as u64);
        // The last numbers are checked like the first.
        checked_u32("update", last(number as u64));
        checked_u32("steps of the optimiser", last(host_state.steps));
        let (first, steps) =
            (checked_u32("update", number as u64), checked_u32("steps of the optimiser", host_state.steps));
        if self.gpu_state.as_ref() != Some(&host_state) {
            let [p, m, v] = host_state.values.each_ref().map(Tensor::to_vec);
            self.gpu_state = None; // until the copy is complete
            self.update.set_state([&p, &m, &v], first, steps)?;
            self.gpu_state = Some(host_state);
        }
        self.update.set_stage_counts(counts)?;
        let done = self.update.advance(updates)?;
        if done.is_empty() {
            let params = &self.host.params;
            let grads = Grads::new(params, flat(self.update.read_gradients()?, params.flat().device())?);
            return Ok(Err(NotFinite::find(first, params, &grads)));
        }
        self.copy_to_host(number + done.len())?;
        Ok(Ok(done))
    }

    /// Copies parameters and moments to the host.
    fn copy_to_host(&mut self, number: usize) -> Result<(), CudaError> {
        let Learner { params, optimizer, .. } = &mut self.host;
        let device = params.flat().device();
        let [p, m, v] = self.update.read_state()?;
        let steps =
            optimizer.steps() + (number - self.gpu_state.as_ref().map_or(number, |gpu_state| gpu_state.number)) as u64;
        *params.flat_mut() = flat(p, device)?;
        optimizer.restore(steps, Vec::from([flat(m, device)?, flat(v, device)?]));
        self.gpu_state = Some(LearnerState::from_learner(&self.host, number));
        Ok(())
    }
}

/// The GPU's own settings, seed and update number apply, not the arguments. If the GPU fails, methods panic with the error's
/// text, and [`tensor::catch_cuda_error`] turns the panic into the error again.
impl<T: Real> Learn<T> for GpuLearner<T> {
    type Model = Policy;

    fn host(&self) -> &Learner<T> {
        &self.host
    }

    fn host_mut(&mut self) -> &mut Learner<T> {
        &mut self.host
    }

    fn advance(&mut self, _: &dyn Task, update: &a2c::Update, limit: usize) -> Result<Vec<UpdateResult>, TrainError> {
        let done = self.update(update.number as usize, &update.counts, limit.clamp(1, MAX_UPDATES_AT_ONCE));
        Ok(done.unwrap_or_else(|error| tensor::raise_cuda_error(error))?)
    }

    fn validate(
        &mut self,
        task: &dyn Task,
        _: usize,
        (_, episodes): (u64, usize),
    ) -> Result<Vec<EvalStats>, RolloutError> {
        let stages = task.spec().stages;
        let played =
            self.update.evaluate(&vec![episodes; stages]).unwrap_or_else(|error| tensor::raise_cuda_error(error));
        let part = |stage, first, count| to_trajectories(&played, stage, [stage * episodes, first], count);
        (0..stages)
            .map(|stage| EvalStats::from_chunks(stage, episodes, |first, count| part(stage, first, count)))
            .collect()
    }
}

/// Moves numbers to a device as a flat tensor.
fn flat<T: Real>(numbers: Vec<T>, device: Device) -> Result<Tensor<T>, CudaError> {
    Tensor::new([numbers.len()], numbers).to(device)
}

/// Checks that the GPU supports all settings.
pub(crate) fn check_settings<T: Real>(config: &Config) -> Result<(), GpuTrainError> {
    let widest = 1024 / size_of::<T>();
    let is_word = |count: usize| u32::try_from(count).is_ok();
    let is_adam = matches!(config.optimizer, OptimizerKind::Adam | OptimizerKind::AdamW);
    let words = || format!("whole numbers up to {}", u32::MAX);
    let conditions: [(&'static str, bool, String); 15] = [
        ("max_updates", is_word(config.max_updates), words()),
        ("entropy_updates", is_word(config.entropy_updates), words()),
        (
            "width",
            config.width.is_multiple_of(32) && config.width <= widest,
            format!("multiples of 32, up to {widest}"),
        ),
        ("memory", config.memory == MemoryKind::Gru, "gru".into()),
        ("gru", config.gru == GruVariant::ResetAfter, "reset-after".into()),
        ("segment", config.segment == 0, "0".into()),
        ("normalize_observations", !config.normalize_observations, "false".into()),
        ("normalize_rewards", !config.normalize_rewards, "false".into()),
        ("optimizer", is_adam, "adam or adamw".into()),
        ("imitate", config.imitate == 0, "0".into()),
        ("a2c", config.a2c == 1.0, "1".into()),
        ("hindsight", config.hindsight == 0, "0".into()),
        ("prior", config.prior == 0.0, "0".into()),
        ("forget", config.forget == 0.0, "0".into()),
        ("explore", config.explore == 0.0, "0".into()),
    ];
    for (name, well, takes) in conditions {
        if !well {
            return Err(GpuTrainError::Setting { name, value: config.get(name).unwrap_or_default(), takes });
        }
    }
    Ok(())
}

/// Describes the updates of a learner, which need not be the one of these settings.
///
/// # Errors
/// If the GPU does not support its network or optimiser, or if a parameter is frozen.
fn describe<T: Real>(
    config: &Config,
    task: &CalculatorStages,
    learner: &Learner<T>,
    seed: u64,
) -> Result<UpdateSpec, GpuTrainError> {
    let Learner { model, params, optimizer, .. } = learner;
    let unsupported = |found| Err(GpuTrainError::Learner { found });
    let Some((embedding, Memory { stage, rnn })) = model.token_gru() else {
        return unsupported("a policy without a token embedding or without memory");
    };
    if rnn.variant != Variant::ResetAfter {
        return unsupported("a reset-before GRU");
    }
    if model.log_std.is_some() {
        return unsupported("a Gaussian head");
    }
    if !matches!(optimizer.rule(), UpdateRule::Adam { .. }) {
        return unsupported("another optimiser");
    }
    if let Some(param) = params.handles().find(|&param| !params.is_trainable(param)) {
        return Err(GpuTrainError::Frozen { parameter: params.name(param).to_string() });
    }
    let Policy { pi, v, .. } = model;
    let parameters = [
        embedding.weight,
        stage.weight,
        rnn.weight_ih,
        rnn.weight_hh,
        rnn.bias_ih,
        rnn.bias_hh,
        pi.weight,
        pi.bias,
        v.weight,
        v.bias,
    ];
    let of_task = task.spec();
    let tables = Tables::from_task(task);
    // The episodes of a chunk: as many as fit into MAX_CHUNK_STEPS steps, but at least one.
    let each = config.batch.div_ceil(MAX_CHUNKS).min(MAX_CHUNK_STEPS / tables.steps()).max(1);
    Ok(UpdateSpec {
        sizes: Sizes {
            hidden_size: config.width,
            vocabulary: of_task.observation.size(),
            actions: of_task.action.size(),
            stages: of_task.stages,
            batch: config.batch,
            chunks: config.batch.div_ceil(each),
            parameters: params.size(),
            eval_episodes: of_task.stages * config.validation_episodes,
            ring: MAX_UPDATES_AT_ONCE,
        },
        offsets: parameters.map(|param| params.offset(param)),
        tables,
        gamma: config.gamma,
        estimator: config.estimator(),
        normalize: config.normalize_advantages,
        value_coefficient: config.value_coefficient,
        clip: config.clip,
        rule: optimizer.rule(),
        rate: train::rate_schedule(config),
        entropy: train::entropy_schedule(config),
        seed,
        eval_purpose: Purpose::VALIDATION.0,
    })
}

/// Converts episodes of one stage of an evaluation to the host's record, without the critic's values. The stage starts at
/// episode `begins` of the evaluation; `first` and `count` select its episodes.
///
/// # Errors
/// If an action could not be chosen: the first such decision.
fn to_trajectories(
    played: &EpisodeRecord,
    stage: usize,
    [begins, first]: [usize; 2],
    count: usize,
) -> Result<Trajectories, RolloutError> {
    let EpisodeRecord { episodes, begin, end, solved, tokens, actions, rewards } = played;
    let all = begins + first..begins + first + count;
    let decisions = |b: usize| (end[b] - begin[b]) as usize;
    let steps = all.clone().map(decisions).max().unwrap_or(0);
    // All contexts of a stage have the same length.
    let context = all.clone().next().map_or(0, |b| begin[b] as usize + 1);
    let contexts: Vec<u32> = (0..context).flat_map(|k| all.clone().map(move |b| tokens[k * episodes + b])).collect();
    let (mut after, mut chosen) = (Vec::new(), Vec::new());
    let mut part = Trajectories { stage, episodes: count, steps, ..Trajectories::default() };
    for (t, b) in (0..steps).flat_map(|t| all.clone().map(move |b| (t, b))) {
        let (valid, at) = (t < decisions(b), (begin[b] as usize + t) * episodes + b);
        if valid && actions[at] == EpisodeRecord::UNDECIDED {
            // One NaN logit makes all log-probabilities NaN.
            return Err(RolloutError::Undecided(Undecided { stage, episode: b - begins, step: t, action: 0 }));
        }
        part.valid.push(valid);
        part.rewards.push(if valid { rewards[at] } else { 0.0 });
        chosen.push(if valid { actions[at] } else { 0 });
        after.push(if t + 1 < decisions(b) { tokens[at + episodes] } else { 0 });
    }
    part.observed = Observed::from_contexts(&contexts, &after, count);
    part.actions = Actions::Discrete(chosen);
    part.bootstrap = vec![0.0; count]; // every episode terminates
    part.solved = solved[all].to_vec();
    let ended = |i| Ended { reward: part.steps_of(i).map(|k| part.rewards[k]).sum(), steps: part.steps_of(i).count() };
    part.ended = (0..count).map(|i| Some(ended(i))).collect();
    Ok(part)
}

#[cfg(test)]
mod tests {
    use nn::{Optimizer, Params};
    use rl::env::{ActionSpace, Space, Spec};
    use rl::policy::Architecture;

    use super::*;

    /// The learner of a task with these spaces, which `calculator-stages` does not have.
    fn learner(observation: Space, action: ActionSpace, memory: Option<Variant>, rule: UpdateRule) -> Learner<f32> {
        let (spec, mut params) = (Spec::new("other", observation, action, 5), Params::new());
        let architecture = Architecture { memory, ..Architecture::gru(32) };
        let model = Policy::new(&mut params, &spec, architecture, 1);
        let optimizer = Optimizer::new(rule, &params);
        Learner::new(model, params, optimizer)
    }

    /// Each case differs from a supported learner in one part.
    #[test]
    fn describe_other_learner_is_refused_by_its_part() {
        let (tokens, tools) = (|| Space::tokens(0..18), || ActionSpace::discrete(0..6));
        let (gru, adam) = (Some(Variant::ResetAfter), UpdateRule::adam);
        let describe = |learner| describe(&Config::default(), &CalculatorStages::default(), &learner, 1);
        assert!(describe(learner(tokens(), tools(), gru, adam())).is_ok());
        let before = Some(Variant::ResetBefore);
        let sgd = UpdateRule::Sgd { momentum: 0.0 };
        let others = [
            (learner(Space::vector(2), tools(), gru, adam()), "without a token embedding"),
            (learner(tokens(), tools(), None, adam()), "without memory"),
            (learner(tokens(), ActionSpace::continuous(6), gru, adam()), "not a Gaussian head"),
            (learner(tokens(), tools(), before, adam()), "not a reset-before GRU"),
            (learner(tokens(), tools(), gru, sgd), "not another optimiser"),
        ];
        for (other, words) in others {
            let refused = describe(other).expect_err(words).to_string();
            assert!(refused.starts_with("a GPU trains only ") && refused.contains(words), "{refused}");
            assert!(refused.ends_with("; compute on the CPU (--device cpu)"), "{refused}");
        }
        let mut frozen = learner(tokens(), tools(), gru, adam());
        let head = frozen.model.pi.weight;
        frozen.params.set_trainable(head, false);
        assert_eq!(describe(frozen).map(drop), Err(GpuTrainError::Frozen { parameter: "pi.weight".into() }));
    }

    /// Episodes 1 and 2 of four are a stage with a context of two tokens. Steps outside of an episode hold 77.
    fn played() -> EpisodeRecord {
        let undefined = 77;
        EpisodeRecord {
            episodes: 4,
            begin: vec![0, 1, 1, 2],
            end: vec![0, 3, 2, 2],
            solved: vec![false, true, false, false],
            tokens: [[undefined, 5, 6, undefined], [undefined, 11, 11, undefined], [undefined, 12, 77, undefined]]
                .concat(),
            actions: [[undefined, 77, 77, 77], [77, 2, 4, 77], [77, 3, 77, 77]].concat(),
            rewards: [[9.0; 4], [9.0, 0.5, -0.25, 9.0], [9.0, 1.0, 9.0, 9.0]].concat(),
        }
    }

    #[test]
    fn to_trajectories_selects_the_episodes_of_a_chunk() {
        let part = to_trajectories(&played(), 1, [1, 0], 2).expect("decided");
        assert_eq!((part.stage, part.episodes, part.steps), (1, 2, 2));
        assert_eq!([part.context(0), part.context(1)], [[5, 11], [6, 11]]);
        assert_eq!(part.observed, Observed::Tokens { tokens: vec![5, 6, 11, 11, 12, 0], ends: vec![1, 1, 2, 2] });
        assert_eq!([part.program(0), part.program(1)], [vec![2, 3], vec![4]]);
        assert_eq!((part.rewards, part.valid), (vec![0.5, -0.25, 1.0, 0.0], vec![true, true, true, false]));
        assert_eq!((part.bootstrap, part.solved), (vec![0.0; 2], vec![true, false]));
        let ended = [(1.5, 2), (-0.25, 1)].map(|(reward, steps)| Some(Ended { reward, steps }));
        assert_eq!(part.ended, ended);
        let last = to_trajectories(&played(), 1, [1, 1], 1).expect("decided");
        assert_eq!((last.context(0), last.program(0)), (vec![6, 11], vec![4]));
    }

    #[test]
    fn to_trajectories_undecided_action_names_the_decision() {
        let mut played = played();
        played.actions[9] = EpisodeRecord::UNDECIDED;
        let error = to_trajectories(&played, 1, [1, 0], 2).expect_err("undecided");
        assert_eq!(error, RolloutError::Undecided(Undecided { stage: 1, episode: 0, step: 1, action: 0 }));
    }
}
