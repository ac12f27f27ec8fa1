//! What learns on a card: [`Learner`]'s parameters and optimiser, moved by a [`tensor::cuda_update`].

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use nn::{Grads, Param, Params, Rule, Schedule};
use tensor::cuda_update::{self as cuda, AdamRule, Description, Judging, Offsets, Played, Sizes, Update};
use tensor::philox::Purpose;
use tensor::{CudaError, Device, Real, Tensor};

use super::Refused;
use crate::a2c::{Learner, Metrics};
use crate::config::Config;
use crate::env::Task;
use crate::evaluate::{CHUNK, Figures};
use crate::not_finite::NotFinite;
use crate::policy::Policy;
use crate::returns::Estimator;
use crate::rollout::{Undecided, chunks};
use crate::settings::Settings;
use crate::tasks::Calculator;
use crate::train;
use crate::trajectories::Trajectories;

/// Of how many updates the card keeps the metrics: so many are done at once at most.
pub(crate) const AT_ONCE: usize = 64;

/// Parts of the batch in which gradients are summed, if these have few steps: about as many as large cards have multiprocessors. It does not
/// follow the card, so that all cards add up in the same order.
const PARTS: usize = 128;

/// How many steps a part has at most, unless it is one long episode: a running sum's rounding error grows with them. Sums of parts are
/// compensated.
const TERMS: usize = 512;

/// What an update on a card did.
#[derive(Clone, Debug)]
pub struct Done {
    /// What the host's learner would say of it.
    pub metrics: Metrics,
    /// α.
    pub rate: f64,
    /// β.
    pub entropy_coefficient: f64,
}

/// Why an update on a card was not done.
#[derive(Clone, Debug, PartialEq)]
pub enum Stopped {
    /// The loss or a gradient is not finite; the parameters are as they were.
    NotFinite(NotFinite),
    /// The card has failed: the error says in which update. What is on the host is as it was.
    Card(CudaError),
}

impl From<CudaError> for Stopped {
    fn from(error: CudaError) -> Self {
        Self::Card(error)
    }
}

/// A network that learns on a card.
pub struct CardLearner<T: Real> {
    update: Box<dyn Update<T>>,
    /// What the card holds: parameters and moments, the number of the next update, the optimiser's steps.
    held: Option<Held<T>>,
    counts: Vec<usize>,
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

impl<T: Real> CardLearner<T> {
    /// Ready for the first update of a run of these settings, whose learner this is, on a device that is a card. Its memory there is
    /// taken.
    ///
    /// # Errors
    /// If a setting is not one that a card has kernels for, a parameter is frozen, the batch does not fit, or the card fails.
    ///
    /// # Panics
    /// If the device is the host.
    pub fn new(
        device: Device,
        config: &Config,
        task: &Calculator,
        learner: &Learner<T>,
        seed: u64,
    ) -> Result<Self, Refused> {
        supported::<T>(config, learner)?;
        let update = cuda::on(device, &describe(config, task, learner, seed))?;
        Ok(Self { update, held: None, counts: Vec::new() })
    }

    /// The update on the card, to be looked into.
    pub fn inside(&mut self) -> &mut dyn Update<T> {
        &mut *self.update
    }

    /// Updates from the one of this number on, which counts from 0, with so many episodes of each stage. Parameters and
    /// optimiser of `learner` are taken if they are not what the card holds, and are moved.
    ///
    /// # Errors
    /// If the first of them was not finite, or the card fails.
    ///
    /// # Panics
    /// If the episodes are not a batch, updates are too many to be done at once, or an update or a step of the optimiser has a
    /// number above 2³² − 1.
    #[track_caller]
    pub fn update(
        &mut self,
        learner: &mut Learner<T>,
        number: usize,
        counts: &[usize],
        updates: usize,
    ) -> Result<Vec<Done>, Stopped> {
        let there = Held::of(learner, number);
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
        if self.counts != counts {
            self.update.divide(counts)?;
            self.counts = counts.to_vec();
        }
        let done = self.update.advance(updates)?;
        if done.is_empty() {
            let grads = Grads::new(&learner.params, flat(self.update.gradients()?, learner.params.flat().device())?);
            return Err(Stopped::NotFinite(NotFinite::find(first, &learner.params, &grads)));
        }
        self.bring(learner, number + done.len())?;
        Ok(done.into_iter().map(|metrics| told(metrics, counts)).collect())
    }

    /// Brings parameters and moments to the host.
    fn bring(&mut self, learner: &mut Learner<T>, number: usize) -> Result<(), CudaError> {
        let device = learner.params.flat().device();
        let [p, m, v] = self.update.state()?;
        let steps = learner.optimizer.steps() + (number - self.held.as_ref().map_or(number, |held| held.number)) as u64;
        *learner.params.flat_mut() = flat(p, device)?;
        learner.optimizer.restore(steps, Vec::from([flat(m, device)?, flat(v, device)?]));
        self.held = Some(Held::of(learner, number));
        Ok(())
    }

    /// Plays the validation after the last update, greedily: so many episodes of each stage.
    ///
    /// # Errors
    /// If the log-probability of an action is NaN, or the card fails.
    pub fn validate(&mut self, stages: usize, episodes: usize) -> Result<Result<Vec<Figures>, Undecided>, CudaError> {
        let played = self.update.play(&alloc::vec![episodes; stages])?;
        let stage = |stage: usize| {
            // In parts as the host plays them, so that means are sums of the same order.
            let parts = chunks(&[episodes], CHUNK).into_iter();
            let parts = parts.map(|(_, first, count)| part(&played, stage, [stage * episodes, first], count));
            Ok(Figures::of(stage, parts.collect::<Result<Vec<_>, _>>()?.into_iter()))
        };
        Ok((0..stages).map(stage).collect())
    }
}

/// A count as a GPU holds it.
///
/// # Panics
/// If it is too large.
#[track_caller]
fn count(what: &str, n: u64) -> u32 {
    u32::try_from(n).unwrap_or_else(|_| panic!("{what}: {n}, and a GPU counts up to {}", u32::MAX))
}

/// Numbers as a tensor on a device.
fn flat<T: Real>(numbers: Vec<T>, device: Device) -> Result<Tensor<T>, CudaError> {
    Tensor::new([numbers.len()], numbers).to(device)
}

/// What the card has kernels for.
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
    let Rule::Adam { beta1, beta2, epsilon, decay, decoupled } = optimizer.rule() else {
        unreachable!("others were refused")
    };
    let (lambda, steps) = match config.estimator() {
        Estimator::Gae(lambda) => (lambda, 0),
        // More steps than an episode has are as many as it has.
        Estimator::Steps(count) => (0.0, u32::try_from(count).unwrap_or(u32::MAX)),
    };
    let tables = task.tables();
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
        offsets: offsets(policy, params),
        tables,
        judging: Judging {
            gamma: config.gamma,
            lambda,
            steps,
            normalize: config.normalize_advantages,
            value_coefficient: config.value_coefficient,
        },
        clip: config.clip,
        rule: AdamRule { beta1, beta2, epsilon, decay, decoupled },
        rate: schedule(train::rate(config)),
        entropy: schedule(train::entropy(config)),
        seed,
        trial_purpose: Purpose::VALIDATION.0,
    }
}

/// Where each parameter begins.
fn offsets<T: Real>(policy: &Policy, params: &Params<T>) -> Offsets {
    let at = |param: Param| {
        let before = params.all().take_while(|&other| other != param);
        before.map(|other| params.shape(other).size()).sum()
    };
    let Policy { embedding, stage, rnn, pi, v, .. } = policy;
    Offsets {
        emb: at(embedding.weight),
        stage: at(stage.weight),
        w_ih: at(rnn.weight_ih),
        w_hh: at(rnn.weight_hh),
        b_ih: at(rnn.bias_ih),
        b_hh: at(rnn.bias_hh),
        w_pi: at(pi.weight),
        b_pi: at(pi.bias),
        w_v: at(v.weight),
        b_v: at(v.bias),
    }
}

/// `supported` has seen that the settings from which it comes fit.
fn schedule(schedule: Schedule) -> cuda::Schedule {
    const OVER: &str = "updates of a schedule";
    match schedule {
        Schedule::Constant(value) => cuda::Schedule::Constant(value),
        Schedule::Linear { from, to, over } => cuda::Schedule::Linear { from, to, over: count(OVER, over) },
        Schedule::Cosine { from, to, over } => cuda::Schedule::Cosine { from, to, over: count(OVER, over) },
    }
}

/// Metrics as the host's learner gives them.
fn told(metrics: cuda::Metrics, counts: &[usize]) -> Done {
    let cuda::Metrics { loss, policy_loss, value_loss, entropy, grad_norm, reward, .. } = metrics;
    let steps = metrics.decisions as usize;
    let stages = counts.iter().zip(&metrics.solved).map(|(&count, &solved)| (count, solved as usize)).collect();
    Done {
        metrics: Metrics { loss, policy_loss, value_loss, entropy, grad_norm, reward, steps, stages },
        rate: metrics.rate,
        entropy_coefficient: metrics.entropy_coefficient,
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
