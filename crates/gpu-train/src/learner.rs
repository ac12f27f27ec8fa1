//! The learner on a GPU: the host's [`Learner`], with an [`Update`] that moves its parameters and optimiser.

use nn::{Grads, Rule};
use rl::NotFinite;
use rl::a2c::{self, Learner};
use rl::config::Config;
use rl::env::Task;
use rl::evaluate::Figures;
use rl::policy::Policy;
use rl::rollout::Undecided;
use rl::settings::Settings;
use rl::tasks::Calculator;
use rl::train::{self, Done, Learn, Run};
use rl::trajectories::Trajectories;
use tensor::philox::Purpose;
use tensor::{CudaError, Device, Real, Tensor};

use crate::description::{Description, Sizes, Tables, count};
use crate::refused::Refused;
use crate::results::Played;
use crate::update::{self, Update};

/// Of how many updates the GPU keeps the metrics: so many are done at once at most.
const AT_ONCE: usize = 64;

/// Parts of the batch in which gradients are summed, if these have few steps: about as many as large GPUs have multiprocessors. It does not
/// follow the GPU, so that all GPUs add up in the same order.
const PARTS: usize = 128;

/// How many steps a part has at most, unless it is one long episode: a running sum's rounding error grows with them. Sums of parts are
/// compensated.
const TERMS: usize = 512;

/// A network that learns on a GPU.
pub struct GpuLearner<T: Real> {
    /// The host's learner, in the state after the last update on the GPU.
    pub host: Learner<T>,
    update: Box<dyn Update<T>>,
    /// The state on the GPU: parameters and moments, the number of the next update, the optimiser's steps.
    held: Option<Held<T>>,
}

#[derive(PartialEq)]
struct Held<T: Real> {
    values: [Tensor<T>; 3],
    number: usize,
    steps: u64,
}

impl<T: Real> Held<T> {
    /// What the host holds before the update of this number.
    fn of(learner: &Learner<T>, number: usize) -> Self {
        let mut moments = learner.optimizer.moments().map(|(_, moment)| moment.clone());
        let mut moment = || moments.next().expect("Adam has two moments");
        let values = [learner.params.flat().clone(), moment(), moment()];
        Self { values, number, steps: learner.optimizer.steps() }
    }
}

impl<T: Real> GpuLearner<T> {
    /// A learner on a GPU, made of the host's learner of a run of these settings, before the first update. Allocates its memory on
    /// the GPU.
    ///
    /// # Errors
    /// If the GPU has no kernels for a setting, a parameter is frozen, the batch does not fit, or the GPU fails.
    ///
    /// # Panics
    /// If the device is the host.
    pub fn new(
        device: Device,
        config: &Config,
        task: &Calculator,
        host: Learner<T>,
        seed: u64,
    ) -> Result<Self, Refused> {
        supported::<T>(config, &host)?;
        let update = update::on(device, &describe(config, task, &host, seed))?;
        Ok(Self { host, update, held: None })
    }

    /// A run on a GPU, before the first update.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// As [`new`](Self::new) and [`Run::new`].
    pub fn run(config: &Config, seed: u64, device: Device) -> Result<Run<T, Self>, Refused> {
        Run::new(config, seed).with_learner(|task, learner| Self::new(device, config, task, learner, seed))
    }

    /// The update on the GPU, for inspection.
    pub fn inside(&mut self) -> &mut dyn Update<T> {
        &mut *self.update
    }

    /// Makes `updates` updates from `number` on, which counts from 0, with `counts` episodes of each stage. Copies parameters and
    /// optimiser from the host if the GPU holds others, and moves both.
    ///
    /// # Errors
    /// If the first of them was not finite: the parameters are as they were. If the GPU fails: the error names the update, and the
    /// state on the host is as it was.
    ///
    /// # Panics
    /// If the episodes are not a batch, updates are too many to be done at once, or an update or a step of the optimiser has a
    /// number above 2³² − 1.
    #[track_caller]
    pub fn update(
        &mut self,
        number: usize,
        counts: &[usize],
        updates: usize,
    ) -> Result<Result<Vec<Done>, NotFinite>, CudaError> {
        let there = Held::of(&self.host, number);
        let last = |from: u64| from.saturating_add(updates as u64);
        let updates = count("updates at once", updates as u64);
        // Those that it counts up to are checked with those that it begins with.
        count("update", last(number as u64));
        count("steps of the optimiser", last(there.steps));
        let (first, steps) = (count("update", number as u64), count("steps of the optimiser", there.steps));
        if self.held.as_ref() != Some(&there) {
            let [p, m, v] = there.values.each_ref().map(Tensor::to_vec);
            self.held = None; // until all is there
            self.update.set([&p, &m, &v], first, steps)?;
            self.held = Some(there);
        }
        self.update.divide(counts)?;
        let done = self.update.advance(updates)?;
        if done.is_empty() {
            let params = &self.host.params;
            let grads = Grads::new(params, flat(self.update.gradients()?, params.flat().device())?);
            return Ok(Err(NotFinite::find(first, params, &grads)));
        }
        self.bring(number + done.len())?;
        Ok(Ok(done))
    }

    /// Brings parameters and moments to the host.
    fn bring(&mut self, number: usize) -> Result<(), CudaError> {
        let Learner { params, optimizer, .. } = &mut self.host;
        let device = params.flat().device();
        let [p, m, v] = self.update.state()?;
        let steps = optimizer.steps() + (number - self.held.as_ref().map_or(number, |held| held.number)) as u64;
        *params.flat_mut() = flat(p, device)?;
        optimizer.restore(steps, Vec::from([flat(m, device)?, flat(v, device)?]));
        self.held = Some(Held::of(&self.host, number));
        Ok(())
    }
}

/// Settings, seed and the number of the last update are those of the GPU. If the GPU fails, methods panic with the words of the error,
/// and [`tensor::catch_cuda`] turns the panic into the error again.
impl<T: Real> Learn<T> for GpuLearner<T> {
    fn host(&self) -> &Learner<T> {
        &self.host
    }

    fn host_mut(&mut self) -> &mut Learner<T> {
        &mut self.host
    }

    fn advance(&mut self, _: &dyn Task, update: &a2c::Update, limit: usize) -> Result<Vec<Done>, NotFinite> {
        let done = self.update(update.number as usize, &update.counts, limit.clamp(1, AT_ONCE));
        done.unwrap_or_else(|error| tensor::cuda_failed(error))
    }

    fn validate(&mut self, task: &dyn Task, _: usize, (_, episodes): (u64, usize)) -> Result<Vec<Figures>, Undecided> {
        let stages = task.stages();
        let played = self.update.play(&vec![episodes; stages]).unwrap_or_else(|error| tensor::cuda_failed(error));
        let part = |stage, first, count| part(&played, stage, [stage * episodes, first], count);
        (0..stages).map(|stage| Figures::of_parts(stage, episodes, |first, count| part(stage, first, count))).collect()
    }
}

/// Numbers as a tensor on a device.
fn flat<T: Real>(numbers: Vec<T>, device: Device) -> Result<Tensor<T>, CudaError> {
    Tensor::new([numbers.len()], numbers).to(device)
}

/// What the GPU has kernels for.
fn supported<T: Real>(config: &Config, learner: &Learner<T>) -> Result<(), Refused> {
    let Learner { policy, params, optimizer, .. } = learner;
    let widest = 1024 / size_of::<T>();
    let is_word = |count: usize| u32::try_from(count).is_ok();
    let words = || format!("whole numbers up to {}", u32::MAX);
    let conditions: [(&'static str, bool, String); 6] = [
        ("max_updates", is_word(config.max_updates), words()),
        ("entropy_updates", is_word(config.entropy_updates), words()),
        (
            "width",
            config.width.is_multiple_of(32) && config.width <= widest,
            format!("multiples of 32, up to {widest}"),
        ),
        ("gru", policy.rnn.variant == nn::Variant::ResetAfter, "reset-after".into()),
        ("optimizer", matches!(optimizer.rule(), Rule::Adam { .. }), "adam or adamw".into()),
        ("imitate", config.imitate == 0, "0".into()),
    ];
    for (name, well, takes) in conditions {
        if !well {
            return Err(Refused::Setting { name, value: config.get(name).unwrap_or_default(), takes });
        }
    }
    match params.all().find(|&param| !params.is_trainable(param)) {
        Some(param) => Err(Refused::Frozen { parameter: params.name(param).to_string() }),
        None => Ok(()),
    }
}

fn describe<T: Real>(config: &Config, task: &Calculator, learner: &Learner<T>, seed: u64) -> Description {
    let Learner { policy, params, optimizer, .. } = learner;
    let Policy { embedding, stage, rnn, pi, v, .. } = policy;
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
    let tables = Tables::of(task);
    // As many episodes as have at most TERMS steps; one, however long.
    let each = config.batch.div_ceil(PARTS).min(TERMS / tables.steps()).max(1);
    Description {
        sizes: Sizes {
            hidden: config.width,
            vocabulary: task.vocabulary(),
            actions: task.actions(),
            stages: task.stages(),
            batch: config.batch,
            chunks: config.batch.div_ceil(each),
            parameters: params.size(),
            trial: task.stages() * config.validation_episodes,
            ring: AT_ONCE,
        },
        offsets: parameters.map(|param| params.offset(param)),
        tables,
        gamma: config.gamma,
        estimator: config.estimator(),
        normalize: config.normalize_advantages,
        value_coefficient: config.value_coefficient,
        clip: config.clip,
        rule: optimizer.rule(),
        rate: train::rate(config),
        entropy: train::entropy(config),
        seed,
        trial_purpose: Purpose::VALIDATION.0,
    }
}

/// Some episodes of a stage's trial from the one of this number on, as the host's record: what figures are made of. The stage
/// begins with an episode of the whole trial.
///
/// # Errors
/// If an action could not be chosen: the first of them.
fn part(played: &Played, stage: usize, [begins, first]: [usize; 2], count: usize) -> Result<Trajectories, Undecided> {
    let Played { episodes, begin, end, solved, actions, rewards, .. } = played;
    let decisions = |b: usize| (end[b] - begin[b]) as usize;
    let all = begins + first..begins + first + count;
    let steps = all.clone().map(decisions).max().unwrap_or(0);
    let mut part = Trajectories { stage, episodes: count, steps, ..Trajectories::default() };
    for (t, b) in (0..steps).flat_map(|t| all.clone().map(move |b| (t, b))) {
        let (valid, at) = (t < decisions(b), (begin[b] as usize + t) * episodes + b);
        if valid && actions[at] == Played::UNDECIDED {
            // One logit that is not a number leaves no log-probability that is.
            return Err(Undecided { stage, episode: b - begins, step: t, action: 0 });
        }
        part.valid.push(valid);
        part.actions.push(if valid { actions[at] } else { 0 });
        part.rewards.push(if valid { rewards[at] } else { 0.0 });
    }
    part.solved = solved[all].to_vec();
    Ok(part)
}
