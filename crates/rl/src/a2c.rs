//! Advantage actor-critic (A2C). The file follows the order of an update:
//!
//! 1. **Divide.** The curriculum sets the number of episodes of each stage. The episodes of a stage are divided into
//!    chunks. The number of chunks depends on the batch alone, not on the number of threads.
//! 2. **Act.** Each chunk plays its episodes with the current policy, without gradients: whole episodes, or a segment of n
//!    steps in episodes that go on in the next update. Episode i of update u draws from the random streams (seed, u, i), on
//!    every thread.
//! 3. **Estimate.** [`compute_advantages`](crate::returns::compute_advantages) computes an advantage Â and a target G for each step, from the rewards and the
//!    critic's values.
//! 4. **Learn.** Each chunk records all its decisions on a tape, as one sequence of known tokens. It reuses the states
//!    that acting computed. Backpropagation starts from the chunk's share of the loss
//!
//!    ```text
//!    L = − 1/B Σ_steps Â·ln π(a)  +  c_v · 1/N Σ_steps (V − G)²  −  β · 1/N Σ_steps H(π)
//!    ```
//!
//!    over B episodes with N valid steps (in segments, over B environments). Â and G are constants here: no gradient flows through them.
//!    If N is known before all chunks have acted, each chunk learns right after it has acted, while its steps are in the cache.
//!    Self-imitation and hindsight, if enabled, add lessons from other episodes, each with a weight beside w_a of this loss: see
//!    [`imitation`](crate::imitation) and [`hindsight`]. If w_a is 0, only they teach. Hindsight's programs are from earlier
//!    updates, so some threads learn from them while others act. A prior adds κ · 1/N Σ_steps KL(π‖q) with the distribution q of
//!    exploration ([`Task::exploration`]); it is learned from the played episodes also if w_a is 0.
//! 5. **Add.** The chunks' gradients are added along a fixed tree, so the sum has the same bytes for any number of threads.
//! 6. **Clip** the norm of the gradient, and **step** the optimiser.
//!
//! Source: V. Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning" (2016), algorithm S3 and section 5.1
//! (entropy), in the synchronous form.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use autograd::{GruStepper, Tape, Var};
use nn::{Grads, Optimizer, Params, SettingRange, check_setting, clip_global_norm, differentiate};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor, par};

use crate::distribution::Choice;
use crate::env::Task;
use crate::error::TrainError;
use crate::evaluate::{self, Trained};
use crate::hindsight::{self, Achieved, Hindsight, ProgramBuffer};
use crate::imitation::{ReplayBatch, ReplayBuffer};
use crate::model::{Decisions, Model, Pass};
use crate::normalize::Statistics;
use crate::not_finite::NotFinite;
use crate::phase::Phase;
use crate::policy::Policy;
use crate::returns::{AdvantageEstimator, Advantages};
use crate::rollout::{Actor, Buffers, Options, RolloutError, Streams, chunks, resized, write_chunks};
use crate::segments::{SavedSegments, Segments};
use crate::trajectories::{LearnBuffers, Trajectories};

/// The settings of one update.
#[derive(Clone, Debug)]
pub struct Update {
    /// The seed of the run.
    pub seed: u64,
    /// u, the number of the update, from 0.
    pub number: u32,
    /// The number of episodes of each stage.
    pub counts: Vec<usize>,
    /// The maximum number of episodes in a chunk.
    pub chunk: usize,
    /// The number of steps of a segment, or 0 to play whole episodes.
    pub segment: usize,
    /// The rule that chooses actions.
    pub choice: Choice,
    /// True to normalise observations that are vectors, by the statistics of earlier updates.
    pub normalize_observations: bool,
    /// True to divide rewards by the deviation of their discounted sums in earlier updates.
    pub normalize_rewards: bool,
    /// γ, the discount factor.
    pub gamma: f64,
    /// The method that estimates the advantages.
    pub estimator: AdvantageEstimator,
    /// True to normalise the advantages of the batch to mean 0 and variance 1.
    pub normalize: bool,
    /// c_v, the weight of the critic's squared error.
    pub value_coefficient: f64,
    /// β, the weight of the entropy.
    pub entropy: f64,
    /// K, the number of successes of each stage to imitate; 0 turns self-imitation off.
    pub imitate: usize,
    /// w, the weight of the imitation loss.
    pub imitation: f64,
    /// w_a, the weight of the loss above; 0 acts and learns nothing from rewards.
    pub a2c: f64,
    /// K, the number of relabelled programs of each stage to learn from; 0 turns hindsight off.
    pub hindsight: usize,
    /// w_h, the weight of the hindsight loss.
    pub hindsight_weight: f64,
    /// κ, the weight of KL(π‖q) in the states in which the policy acts, for the distribution q of [`Task::exploration`].
    pub prior: f64,
    /// The probability that acting erases the state before a step. Learning from such actions with A2C is exact only for 0.
    pub forget: f64,
    /// The maximum norm of the gradient.
    pub clip: f64,
    /// α, the learning rate.
    pub rate: f64,
}

/// 64 episodes of stage 0, and common values for the other settings. Callers change some with `..Update::default()`.
impl Default for Update {
    fn default() -> Self {
        Self {
            seed: 0,
            number: 0,
            counts: alloc::vec![64],
            chunk: 48,
            segment: 0,
            choice: Choice::SAMPLED,
            normalize_observations: false,
            normalize_rewards: false,
            gamma: 1.0,
            estimator: AdvantageEstimator::Gae(1.0),
            normalize: false,
            value_coefficient: 0.5,
            entropy: 0.01,
            imitate: 0,
            imitation: 1.0,
            a2c: 1.0,
            hindsight: 0,
            hindsight_weight: 1.0,
            prior: 0.0,
            forget: 0.0,
            clip: 1.0,
            rate: 3e-3,
        }
    }
}

impl Update {
    /// Returns true if the update learns from the episodes that it plays, and not only from demonstrations.
    fn learns_from_acting(&self) -> bool {
        self.a2c > 0.0 || self.prior > 0.0
    }

    /// Returns true if the update normalises observations or rewards.
    fn needs_statistics(&self) -> bool {
        self.normalize_observations || self.normalize_rewards
    }

    /// Checks each setting in the precision that the computation uses for it.
    #[track_caller]
    fn check<T: Real>(&self) {
        let check = |name, value, range| check_setting::<T>("update", name, value, range);
        check("rate", self.rate, SettingRange::NOT_NEGATIVE);
        check("value_coefficient", self.value_coefficient, SettingRange::NOT_NEGATIVE);
        check("entropy", self.entropy, SettingRange::NOT_NEGATIVE);
        check("imitation", self.imitation, SettingRange::NOT_NEGATIVE);
        check("a2c", self.a2c, SettingRange::NOT_NEGATIVE);
        check("prior", self.prior, SettingRange::NOT_NEGATIVE);
        check_setting::<f64>("update", "forget", self.forget, SettingRange::UNIT_INTERVAL);
        check("hindsight_weight", self.hindsight_weight, SettingRange::NOT_NEGATIVE);
        if self.clip != f64::INFINITY {
            check("clip", self.clip, SettingRange::POSITIVE);
        }
        check_setting::<f64>("update", "gamma", self.gamma, SettingRange::UNIT_INTERVAL);
        match self.estimator {
            AdvantageEstimator::Gae(lambda) => {
                check_setting::<f64>("update", "lambda", lambda, SettingRange::UNIT_INTERVAL)
            }
            AdvantageEstimator::NStep(count) => {
                assert!(count > 0, "update: n-step returns with 0 steps, expected at least 1")
            }
        }
    }
}

/// The results of an update.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// L, the loss.
    pub loss: f64,
    /// The first term of L.
    pub policy_loss: f64,
    /// The critic's mean squared error, without its weight.
    pub value_loss: f64,
    /// The mean entropy of a decision, in nats, without its weight.
    pub entropy: f64,
    /// The mean of − ln π over the relabelled programs, without its weight; 0 without hindsight.
    pub hindsight_loss: f64,
    /// For each stage: the number of kinds of problem with a known program. Empty without hindsight.
    pub kinds: Vec<usize>,
    /// The norm of the gradient before clipping.
    pub grad_norm: f64,
    /// The mean sum of rewards of an episode. In segments: of the episodes that ended in this update, or 0 if none did.
    pub reward: f64,
    /// N, the number of valid steps of all episodes.
    pub steps: usize,
    /// For each stage: the number of episodes that ended, and the number of solved ones among them. Actions are sampled.
    pub stages: Vec<(usize, usize)>,
}

/// The unweighted terms of the loss of some episodes: sums over their valid steps.
pub struct LossTerms<'t, T: Real> {
    /// − Σ Â·ln π(a)
    pub policy: Var<'t, T>,
    /// Σ (V − G)²
    pub value: Var<'t, T>,
    /// Σ H(π)
    pub entropy: Var<'t, T>,
    /// Σ KL(π‖q), if its weight is not 0.
    pub prior: Option<Var<'t, T>>,
}

impl<'t, T: Real> LossTerms<'t, T> {
    /// Computes the terms from the decisions. Invalid steps have no influence, even if they hold NaN or infinities.
    pub fn compute(decisions: Decisions<'t, T>, played: &Trajectories, estimates: &Advantages) -> Self {
        Self::compute_in(decisions, played, estimates, None, &mut LearnBuffers::default())
    }

    /// Does the same as [`compute`](Self::compute) in buffers that later calls reuse.
    fn compute_in(
        decisions: Decisions<'t, T>,
        played: &Trajectories,
        estimates: &Advantages,
        exploration: Option<&[f64]>,
        buffers: &mut LearnBuffers<T>,
    ) -> Self {
        let tape = decisions.values.tape();
        let LearnBuffers { steps, advantages, targets, chosen, actions: buffers, .. } = buffers;
        let count = played.valid_step_count();
        let row = |x: &[f64], to: &mut Tensor<T>| {
            let valid = x.iter().zip(&played.valid).filter(|(_, valid)| **valid);
            resized(to, [count]).iter_mut().zip(valid).for_each(|(to, (&x, _))| *to = T::from_f64(x));
            tape.constant(to.clone())
        };
        let (advantages, targets) = (row(&estimates.advantages, advantages), row(&estimates.targets, targets));
        let (Decisions { actions, values }, taken) = match count == played.valid.len() {
            true => (decisions, &played.actions),
            false => {
                played.write_valid_step_indices(steps);
                played.write_actions_at(steps.view().as_slice().expect("a whole tensor on the host"), chosen);
                (decisions.at_steps(steps), &*chosen)
            }
        };
        Self {
            policy: -(advantages * actions.log_prob_in(taken, buffers)).sum(),
            value: (values - targets).square().sum(),
            entropy: actions.entropy().sum(),
            prior: exploration.map(|weights| actions.divergence_from(weights).sum()),
        }
    }

    /// w_a·L, for a batch of B = `episodes` episodes with N = `steps` valid steps.
    pub fn loss(&self, update: &Update, episodes: usize, steps: usize) -> Var<'t, T> {
        let (n, weight) = (steps as f64, update.a2c);
        let loss = self.policy.scale(T::from_f64(weight / episodes as f64))
            + self.value.scale(T::from_f64(weight * update.value_coefficient / n))
            + self.entropy.scale(T::from_f64(-weight * update.entropy / n));
        match self.prior {
            Some(prior) => loss + prior.scale(T::from_f64(update.prior / n)),
            None => loss,
        }
    }
}

/// A model with its parameters and optimiser. [`update`](Learner::update) trains it.
pub struct Learner<T: Real, M = Policy> {
    /// The layers of the network.
    pub model: M,
    /// The parameters of the layers.
    pub params: Params<T>,
    /// The optimiser of the parameters.
    pub optimizer: Optimizer<T>,
    /// The earlier successes that self-imitation learns from.
    pub memory: ReplayBuffer,
    /// The programs that hindsight learns from.
    pub programs: ProgramBuffer,
    /// The statistics of earlier updates, for normalisation.
    pub statistics: Statistics,
    /// True if the model reads normalised observations, as in the latest update.
    pub is_normalizing: bool,
    workers: Vec<Worker<T>>,
    tapes: Vec<Tapes<T>>,
    /// The length of the episodes of the latest update, if all were equally long.
    episode_length: Option<usize>,
    lessons: Vec<Lesson<T>>,
    /// The weights of [`Task::exploration`].
    exploration: Vec<f64>,
    /// Gradients of earlier lessons, for later ones.
    spare_grads: Vec<Grads<T>>,
    /// The chunks of the latest update: stage, first episode, number of episodes.
    chunks: Vec<(usize, usize, usize)>,
}

/// The tapes of a thread. All of its chunks use them, so they stay in the cache.
struct Tapes<T: Real> {
    acting: Tape<T>,
    learning: Tape<T>,
}

impl<T: Real> Tapes<T> {
    fn new() -> Self {
        Self { acting: Tape::no_grad(), learning: Tape::new() }
    }
}

/// The worker of one chunk: it plays the chunk's episodes and computes their gradients.
struct Worker<T: Real> {
    segments: Segments,
    /// The index of the chunk's first episode in the batch.
    first: usize,
    streams: Streams,
    buffers: Buffers<T>,
    learn_buffers: LearnBuffers<T>,
    /// The states and gates that the GRU computed during acting.
    stepper: GruStepper<T>,
    played: Trajectories,
    /// The error of acting, if it failed.
    error: Option<RolloutError>,
    estimates: Advantages,
    grads: Grads<T>,
    /// Sums of the policy, value, entropy and prior terms.
    terms: [f64; 4],
    /// N, the number of steps of the batch for which the gradients were computed; `None` before.
    learned: Option<usize>,
    /// The programs that these episodes are demonstrations of.
    achieved: Vec<Achieved>,
}

/// Programs of a stage to draw.
struct Draw<'a> {
    task: &'a dyn Hindsight,
    /// The number of its random stream.
    number: u32,
    stage: usize,
    count: usize,
}

/// What a thread takes from the queue of an update.
enum Job<'a, T: Real> {
    /// Draws programs, and learns from them.
    Study(&'a mut Lesson<T>, Draw<'a>),
    /// Acts in the episodes of a chunk, and learns from them if N is known.
    Act(&'a mut Worker<T>),
}

/// Episodes of one stage to learn from, beside those of the update.
struct Lesson<T: Real> {
    episodes: LessonEpisodes,
    /// The loss of these episodes, before its scale.
    loss: f64,
    grads: Grads<T>,
}

/// The episodes of a [`Lesson`], and with them its loss.
enum LessonEpisodes {
    /// Earlier successes.
    Successes(ReplayBatch),
    /// Relabelled programs.
    Programs(Trajectories),
}

impl<T: Real, M: Model<T>> Learner<T, M> {
    /// Creates a learner.
    pub fn new(model: M, params: Params<T>, optimizer: Optimizer<T>) -> Self {
        let (memory, programs, statistics) = Default::default();
        Self {
            model,
            params,
            optimizer,
            memory,
            programs,
            statistics,
            is_normalizing: false,
            workers: Vec::new(),
            tapes: Vec::new(),
            episode_length: None,
            lessons: Vec::new(),
            exploration: Vec::new(),
            spare_grads: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// The model for evaluation.
    pub fn trained(&self) -> Trained<'_, T, M> {
        let Self { model, params, statistics, is_normalizing, .. } = self;
        Trained { model, params, normalizer: is_normalizing.then_some(&statistics.observations) }
    }

    /// Returns what a resumed run needs of the running episodes; empty unless the last update played segments.
    pub fn save_segments(&self) -> Vec<SavedSegments> {
        self.workers.iter().filter_map(|worker| worker.segments.save()).collect()
    }

    /// Restores running episodes of a run with this seed.
    ///
    /// # Errors
    /// If they are not those of the task or of the model.
    pub fn restore_segments(
        &mut self,
        task: &(impl Task + ?Sized),
        saved: &[SavedSegments],
        seed: u64,
    ) -> Result<(), String> {
        let (mut workers, mut first) = (Vec::new(), 0);
        for saved in saved {
            let segments = Segments::restore(task, saved, seed, first)?;
            let (tape, len) = (Tape::no_grad(), segments.len());
            let start = self.model.start(Pass::new(&self.model, self.params.bind(&tape)), saved.stage, 1);
            let (found, expected) = (saved.carry.states.iter().flatten().map(Vec::len), start.shape()[1]);
            if let Some(found) = found.into_iter().find(|&found| found != expected) {
                return Err(format!("a running episode with a state of {found} numbers, expected {expected}"));
            }
            workers.push(Worker::new(segments, first, &self.params));
            first += len;
        }
        self.workers = workers;
        Ok(())
    }

    /// Makes one update. Parameters and moments change only if it succeeds.
    ///
    /// Whole episodes are those of the given task. Segments go on in the episodes of the update before.
    ///
    /// A program that changes the trajectories between acting and learning calls [`act`](Self::act) and
    /// [`learn`](Self::learn) instead.
    ///
    /// # Errors
    /// If the policy cannot choose an action, if an environment has a fault, or if the loss or a gradient is not finite.
    ///
    /// # Panics
    /// If no stage has an episode, the size of a chunk is 0, or a number of `update` is out of range or not finite. Zero is
    /// allowed for rate and weights. Numbers of `T` may not be rounded to zero or out of their range. A `clip` of ∞ is allowed; it
    /// clips nothing.
    #[track_caller]
    pub fn update(&mut self, task: &(impl Task + ?Sized), update: &Update) -> Result<Metrics, TrainError> {
        self.play(task, update, self.predict_steps(update))?;
        self.learn(update)
    }

    /// N of the next update, if its loss does not need all chunks to have acted and all of its episodes are likely to be equally
    /// long. A chunk then learns right after it has acted, while its steps are in the cache. If N is another number after all,
    /// the chunks learn again: the results are the same.
    fn predict_steps(&self, update: &Update) -> Option<usize> {
        let length = if update.segment > 0 { Some(update.segment) } else { self.episode_length };
        let episodes: usize = update.counts.iter().sum();
        length.filter(|_| !update.normalize && update.learns_from_acting()).map(|length| length * episodes)
    }

    /// Plays the episodes of an update, or their next segments. [`trajectories`](Self::trajectories) has their records.
    ///
    /// # Errors
    /// If the policy cannot choose an action, or if an environment has a fault.
    ///
    /// # Panics
    /// As [`update`](Self::update).
    #[track_caller]
    pub fn act(&mut self, task: &(impl Task + ?Sized), update: &Update) -> Result<(), TrainError> {
        self.play(task, update, None)
    }

    /// Plays the episodes. If N is predicted, each chunk learns from them at once.
    #[track_caller]
    fn play(
        &mut self,
        task: &(impl Task + ?Sized),
        update: &Update,
        predicted: Option<usize>,
    ) -> Result<(), TrainError> {
        assert!(update.counts.iter().any(|&count| count > 0), "update: no stage has an episode: {:?}", update.counts);
        assert!(update.chunk > 0, "update: the chunk size is 0, expected at least 1");
        update.check::<T>();
        evaluate::to_stream_word("episode", update.counts.iter().sum::<usize>() - 1);
        self.divide(task, update);
        self.is_normalizing = update.normalize_observations;
        let hindsight = task.hindsight().filter(|_| update.hindsight > 0);
        let is_known = update.hindsight == 0 || hindsight.is_some();
        assert!(is_known, "update: hindsight = {}, but the task has no Task::hindsight", update.hindsight);
        self.exploration = task.exploration();
        let Self { model, params, workers, tapes, statistics, lessons, spare_grads, programs, exploration, .. } = self;
        let (episodes, exploration) = (update.counts.iter().sum(), &exploration[..]);
        let draws = hindsight.map_or(Vec::new(), |task| {
            let chunks = chunks(&alloc::vec![update.hindsight; update.counts.len()], update.chunk);
            (1..).zip(chunks).map(|(number, (stage, _, count))| Draw { task, number, stage, count }).collect()
        });
        lessons.clear();
        lessons.resize_with(draws.len(), || {
            Lesson::new(LessonEpisodes::Programs(Trajectories::default()), params, spare_grads)
        });
        let lessons = lessons.iter_mut().zip(draws).map(|(lesson, draw)| Job::Study(lesson, draw));
        let jobs = lessons.chain(workers.iter_mut().map(Job::Act));
        par::for_each_with(jobs, tapes, Tapes::new, |tapes, job| match job {
            Job::Study(lesson, Draw { task, number, stage, count }) => {
                let stream = Stream { purpose: Purpose::REPLAY, update: update.number, episode: number };
                let rng = &mut Philox::stream(update.seed, stream);
                let drawn = Phase::Relabel.run(|| programs.sample(task, stage, count, rng));
                lesson.episodes = LessonEpisodes::Programs(drawn);
                lesson.study(model, params, &mut tapes.learning, 1.0);
            }
            Job::Act(worker) => {
                Phase::Act.run(|| worker.act((model, params), &mut tapes.acting, statistics, update, exploration));
                if let Some(hindsight) = hindsight {
                    Phase::Relabel.run(|| worker.relabel(hindsight));
                }
                if let (Some(steps), None) = (predicted, &worker.error) {
                    Phase::Advantages.run(|| worker.estimate(statistics, update));
                    Phase::Learn.run(|| {
                        worker.learn((model, params), &mut tapes.learning, update, exploration, episodes, steps)
                    });
                }
            }
        });
        if let Some(error) = workers.iter_mut().find_map(|worker| worker.error.take()) {
            abandon_segments(workers);
            return Err(TrainError::from_rollout(update.number + 1, params, error));
        }
        workers.iter_mut().flat_map(|worker| worker.achieved.drain(..)).for_each(|achieved| programs.add(achieved));
        Ok(())
    }

    /// The records of the latest [`act`](Self::act), chunk by chunk.
    pub fn trajectories(&mut self) -> impl Iterator<Item = &mut Trajectories> {
        self.workers.iter_mut().map(|worker| &mut worker.played)
    }

    /// Learns from the trajectories of the latest [`act`](Self::act) with the same settings. Parameters and moments change only
    /// if it succeeds.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite.
    ///
    /// # Panics
    /// If there are no trajectories, because `act` was not called or failed.
    #[track_caller]
    pub fn learn(&mut self, update: &Update) -> Result<Metrics, TrainError> {
        let is_played = !self.workers.is_empty() && self.workers.iter().all(|worker| worker.played.episodes > 0);
        assert!(is_played, "learn: there are no trajectories; call act first");
        let Self { model, params, workers, tapes, statistics, exploration, .. } = self;
        let counted: usize = workers.iter().map(|worker| worker.segments.len()).sum();
        let steps = workers.iter().map(|worker| worker.played.valid_step_count()).sum();
        if !update.learns_from_acting() {
            workers.iter_mut().for_each(|worker| worker.terms = [0.0; 4]);
            workers[0].grads.flat_mut().view_mut().fill(T::zero());
        } else if workers.iter().any(|worker| worker.learned != Some(steps)) {
            Phase::Advantages.run(|| {
                workers.iter_mut().for_each(|worker| worker.estimate(statistics, update));
                if update.normalize {
                    normalize(workers);
                }
            });
            par::for_each_with(workers.iter_mut(), tapes, Tapes::new, |Tapes { learning, .. }, worker| {
                Phase::Learn.run(|| worker.learn((model, params), learning, update, exploration, counted, steps));
            });
        }
        let length = workers[0].played.steps;
        self.episode_length = (steps == counted * length).then_some(length);

        let mut metrics = compute_metrics(workers, update, counted, steps);
        if update.learns_from_acting() {
            Phase::Add.run(|| sum_gradients(workers));
        }
        workers.iter_mut().for_each(|worker| worker.learned = None); // the first gradients are sums now
        if update.imitate > 0 {
            self.imitate(update);
        }
        metrics.hindsight_loss = self.add_lessons(update);
        metrics.loss += update.hindsight_weight * metrics.hindsight_loss;
        if update.hindsight > 0 {
            metrics.kinds = self.programs.count_kinds(update.counts.len());
        }
        let Self { params, optimizer, workers, statistics, .. } = self;
        let grads = &mut workers[0].grads;
        match Phase::Clip.run(|| clip_global_norm(params, grads, update.clip)) {
            Ok(norm) if metrics.loss.is_finite() => metrics.grad_norm = norm.value(),
            _ => {
                let error = NotFinite::find(update.number, params, grads);
                abandon_segments(workers);
                return Err(TrainError::NotFinite(error));
            }
        }
        Phase::Step.run(|| optimizer.step(update.rate, params, grads));
        if update.needs_statistics() {
            workers.iter().for_each(|worker| statistics.merge(&worker.played.statistics));
        }
        Ok(metrics)
    }

    /// Adds the successes of this update to the buffer, draws K of each stage, and learns from them.
    fn imitate(&mut self, update: &Update) {
        let Self { model, params, workers, tapes, memory, lessons, spare_grads, .. } = self;
        for worker in workers.iter() {
            memory.add_successes(&worker.played, update.gamma);
        }
        let stream = Stream { purpose: Purpose::REPLAY, update: update.number, episode: 0 };
        let (drawn, programs) =
            (memory.sample(update.imitate, &mut Philox::stream(update.seed, stream)), lessons.len());
        let scale = update.imitation / (update.imitate * drawn.len()) as f64;
        let of_successes = |replay| Lesson::new(LessonEpisodes::Successes(replay), params, spare_grads);
        lessons.extend(drawn.into_iter().map(of_successes));
        par::for_each_with(lessons[programs..].iter_mut(), tapes, Tapes::new, |tapes, lesson| {
            lesson.study(model, params, &mut tapes.learning, scale);
        });
    }

    /// Adds the gradients of the lessons to those of the batch, after all others. Returns the mean hindsight loss.
    fn add_lessons(&mut self, update: &Update) -> f64 {
        let Self { workers, lessons, spare_grads, .. } = self;
        let of_programs = || lessons.iter().filter(|lesson| matches!(lesson.episodes, LessonEpisodes::Programs(_)));
        let count = of_programs().map(|lesson| lesson.played().episodes).sum::<usize>().max(1) as f64;
        let mean = of_programs().fold(0.0, |sum, lesson| sum + lesson.loss) / count;
        Phase::Add.run(|| {
            for lesson in lessons.iter().filter(|lesson| lesson.played().episodes > 0) {
                let factor = match lesson.episodes {
                    LessonEpisodes::Successes(_) => 1.0,
                    LessonEpisodes::Programs(_) => update.hindsight_weight / count,
                };
                workers[0].grads.add_multiple(T::from_f64(factor), &lesson.grads);
            }
        });
        spare_grads.extend(lessons.drain(..).map(|lesson| lesson.grads));
        mean
    }

    /// 1. Creates one worker for each chunk. Workers of earlier updates keep their buffers, and the episodes of their segments.
    fn divide(&mut self, task: &(impl Task + ?Sized), update: &Update) {
        let mut chunks = core::mem::take(&mut self.chunks);
        write_chunks(&update.counts, update.chunk, &mut chunks);
        if update.needs_statistics() && self.statistics == Statistics::default() {
            self.statistics = Statistics::new(task.spec().observation.vector_size());
        }
        self.workers.truncate(chunks.len());
        for (k, &(stage, first, episodes)) in chunks.iter().enumerate() {
            if k == self.workers.len() {
                self.workers.push(Worker::new(Segments::new(task, stage, episodes), first, &self.params));
                continue;
            }
            let worker = &mut self.workers[k];
            if update.segment == 0 || worker.first != first || !worker.segments.fits(stage, episodes) {
                worker.segments = Segments::new(task, stage, episodes);
            }
            worker.first = first;
        }
        self.chunks = chunks;
    }
}

impl<T: Real> Lesson<T> {
    fn new(episodes: LessonEpisodes, params: &Params<T>, spare_grads: &mut Vec<Grads<T>>) -> Self {
        Self { episodes, loss: 0.0, grads: spare_grads.pop().unwrap_or_else(|| Grads::zeros(params)) }
    }

    fn played(&self) -> &Trajectories {
        match &self.episodes {
            LessonEpisodes::Successes(replay) => &replay.played,
            LessonEpisodes::Programs(played) => played,
        }
    }

    /// Computes the loss of the episodes, and the gradients of `scale` times the loss.
    fn study<M: Model<T>>(&mut self, model: &M, params: &Params<T>, learning: &mut Tape<T>, scale: f64) {
        if self.played().episodes == 0 {
            return;
        }
        let Self { episodes, loss, grads } = self;
        let result = Phase::Imitate.run(|| {
            differentiate(params, learning, grads, |_, weights| {
                let decisions = |played: &Trajectories| played.decisions(model, Pass::new(model, weights), None);
                let sum = match episodes {
                    LessonEpisodes::Successes(replay) => replay.loss(decisions(&replay.played)),
                    LessonEpisodes::Programs(played) => hindsight::loss(played, decisions(played)),
                };
                *loss = sum.value().item().value();
                sum.scale(T::from_f64(scale))
            })
        });
        result.expect("the loss uses every parameter");
    }
}

impl<T: Real> Worker<T> {
    fn new(segments: Segments, first: usize, params: &Params<T>) -> Self {
        Self {
            segments,
            first,
            streams: Streams { env: Vec::new(), actions: Some(Vec::new()) },
            buffers: Buffers::default(),
            learn_buffers: LearnBuffers::default(),
            stepper: GruStepper::default(),
            played: Trajectories::default(),
            error: None,
            estimates: Advantages::default(),
            grads: Grads::zeros(params),
            terms: [0.0; 4],
            learned: None,
            achieved: Vec::new(),
        }
    }

    /// 2. Plays the episodes with sampled actions.
    fn act<M: Model<T>>(
        &mut self,
        (model, params): (&M, &Params<T>),
        acting: &mut Tape<T>,
        statistics: &Statistics,
        update: &Update,
        exploration: &[f64],
    ) {
        self.learned = None;
        let Self { segments, first, streams, buffers, stepper, played, .. } = self;
        let (first, count) = (*first, segments.len());
        let refill = |streams: &mut Vec<Philox>, purpose| {
            let place = |i| Stream { purpose, update: update.number, episode: (first + i) as u32 };
            streams.clear();
            streams.extend((0..count).map(|i| Philox::stream(update.seed, place(i))));
        };
        refill(&mut streams.env, Purpose::OPERANDS);
        refill(streams.actions.get_or_insert_default(), Purpose::ACTIONS);
        let options = Options {
            choice: update.choice,
            normalizer: update.normalize_observations.then_some(&statistics.observations),
            reward_discount: update.normalize_rewards.then_some(update.gamma),
            shuffled: false,
            forget: update.forget,
            exploration,
        };
        let result = match update.segment {
            0 => {
                let actor = Actor { model, episodes: segments.episodes_mut(), streams, options, steps: None };
                actor.play(params, acting, buffers, Some(stepper), |_| (), played)
            }
            steps => {
                if !stepper.is_empty() {
                    *stepper = GruStepper::default();
                }
                segments.play((model, params), acting, buffers, streams, options, steps, update.number, played)
            }
        };
        self.error = result.err().map(|error| error.with_first_episode(first));
        if self.error.is_some() {
            self.played = Trajectories::default();
        }
    }

    /// Collects the programs that the episodes are demonstrations of.
    fn relabel(&mut self, task: &dyn Hindsight) {
        self.achieved.clear();
        for i in 0..self.played.episodes {
            task.achieved(&self.played.row(i), &mut self.achieved);
        }
    }

    /// 3. Computes advantages and targets.
    fn estimate(&mut self, statistics: &Statistics, update: &Update) {
        let scale = |reward| if update.normalize_rewards { statistics.returns.scale(reward) } else { reward };
        self.estimates.compute(&self.played, update.gamma, update.estimator, scale);
    }

    /// 4. Records the decisions on the tape, and backpropagates from this chunk's part of the loss.
    fn learn<M: Model<T>>(
        &mut self,
        (model, params): (&M, &Params<T>),
        learning: &mut Tape<T>,
        update: &Update,
        exploration: &[f64],
        episodes: usize,
        steps: usize,
    ) {
        let Self { played, estimates, stepper, learn_buffers: buffers, grads, terms, learned, .. } = self;
        *learned = Some(steps);
        let loss = differentiate(params, learning, grads, |_, weights| {
            let decisions = played.decisions_in(model, Pass::new(model, weights), Some(stepper), buffers);
            let exploration = (update.prior > 0.0).then_some(exploration);
            let sums = LossTerms::compute_in(decisions, played, estimates, exploration, buffers);
            let number = |sum: Var<'_, T>| sum.value().item().value();
            *terms = [number(sums.policy), number(sums.value), number(sums.entropy), sums.prior.map_or(0.0, number)];
            sums.loss(update, episodes, steps)
        });
        loss.expect("the loss uses every parameter");
    }
}

/// 3. Normalises the advantages of all valid steps of the batch.
fn normalize<T: Real>(workers: &mut [Worker<T>]) {
    let advantages = workers.iter_mut().map(|worker| (&mut worker.estimates.advantages[..], &worker.played.valid[..]));
    standardize(&mut advantages.flat_map(valid_advantages).collect::<Vec<_>>());
}

/// The advantages of the valid steps.
fn valid_advantages<'a>((advantages, valid): (&'a mut [f64], &'a [bool])) -> impl Iterator<Item = &'a mut f64> {
    advantages.iter_mut().zip(valid).filter(|(_, valid)| **valid).map(|(advantage, _)| advantage)
}

/// Shifts these numbers to mean 0 and scales them to variance 1. The variance takes a second pass over the centred numbers,
/// because E\[x²\] − E\[x\]² would cancel for a large mean. Equal numbers become 0.
fn standardize(x: &mut [&mut f64]) {
    let n = x.len() as f64;
    let mean = x.iter().map(|x| **x).sum::<f64>() / n;
    x.iter_mut().for_each(|x| **x -= mean);
    // A large mean is rounded; subtract the remaining mean.
    let remaining_mean = x.iter().map(|x| **x).sum::<f64>() / n;
    x.iter_mut().for_each(|x| **x -= remaining_mean);
    let variance = x.iter().map(|x| **x * **x).sum::<f64>() / n;
    let deviation = Real::sqrt(variance) + 1e-8;
    x.iter_mut().for_each(|x| **x /= deviation);
}

/// Abandons the running episodes of all chunks after an update that failed: they are one segment ahead of the parameters.
fn abandon_segments<T: Real>(workers: &mut [Worker<T>]) {
    workers.iter_mut().for_each(|worker| worker.segments.abandon());
}

/// 5. Adds all gradients to those of the first worker: neighbours first, then pairs of pairs.
fn sum_gradients<T: Real>(workers: &mut [Worker<T>]) {
    let mut distance = 1;
    while distance < workers.len() {
        par::for_each_chunk(workers, 2 * distance, |pair| {
            if let Some((left, [right, ..])) = pair.split_at_mut_checked(distance) {
                left[0].grads.add(&right.grads);
            }
        });
        distance *= 2;
    }
}

/// Computes the metrics of an update. `counted` is B of the loss: the number of episodes or, in segments, of environments.
fn compute_metrics<T: Real>(workers: &[Worker<T>], update: &Update, counted: usize, steps: usize) -> Metrics {
    let sum = |k: usize| workers.iter().map(|worker| worker.terms[k]).sum::<f64>();
    let policy_loss = sum(0) / counted as f64;
    let value_loss = sum(1) / steps as f64;
    let entropy = sum(2) / steps as f64;
    let mut stages = alloc::vec![(0, 0); update.counts.len()];
    for Worker { played, .. } in workers {
        stages[played.stage].0 += played.ended.iter().flatten().count();
        stages[played.stage].1 += played.solved.iter().filter(|&&solved| solved).count();
    }
    let ended: usize = stages.iter().map(|(ended, _)| ended).sum();
    let reward = |played: &Trajectories| match update.segment {
        0 => played.total_reward(),
        _ => played.ended.iter().flatten().fold(0.0, |sum, ended| sum + ended.reward), // the sum of nothing would be −0
    };
    Metrics {
        loss: update.a2c * (policy_loss + update.value_coefficient * value_loss - update.entropy * entropy)
            + update.prior * sum(3) / steps as f64,
        policy_loss,
        value_loss,
        entropy,
        hindsight_loss: 0.0,
        kinds: Vec::new(),
        grad_norm: 0.0,
        reward: workers.iter().map(|worker| reward(&worker.played)).sum::<f64>() / ended.max(1) as f64,
        steps,
        stages,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::env::Actions;
    use crate::test_tasks::{Chance, Endless, learner};
    use crate::trajectories::Observed;

    /// 1 and 2 become −1 and 1, also if a constant is added to both.
    #[test]
    fn standardize_added_constant_changes_nothing() {
        for constant in [0.0, 1e7, 1e9, 2_f64.powi(50)] {
            let mut x = [constant + 1.0, constant + 2.0, constant + 1.0, constant + 2.0];
            standardize(&mut x.iter_mut().collect::<Vec<_>>());
            assert!(x.iter().zip([-1.0, 1.0, -1.0, 1.0]).all(|(x, want)| (x - want).abs() < 1e-7), "{constant}: {x:?}");
        }
        let mut equal = [1e9; 3];
        standardize(&mut equal.iter_mut().collect::<Vec<_>>());
        assert_eq!(equal, [0.0; 3]);
    }

    /// The variance divides by n, not by n − 1.
    #[test]
    fn standardize_variance_divides_by_n() {
        let mut x = [1.0, 2.0, 6.0];
        standardize(&mut x.iter_mut().collect::<Vec<_>>());
        let deviation = Real::sqrt(14.0_f64 / 3.0) + 1e-8;
        assert_eq!(x, [-2.0, -1.0, 3.0].map(|x| x / deviation));
    }

    /// A chunk that learns right after acting predicts N by the episodes of the update before. The single episode of each update
    /// has another length here, so the prediction is wrong: `update` still learns as `act` and `learn` do.
    #[test]
    fn update_wrongly_predicted_number_of_steps_changes_nothing() {
        for task in Chance::all() {
            let (mut at_once, mut apart, mut lengths) = (learner::<f64>(&task), learner::<f64>(&task), Vec::new());
            for number in 0..6 {
                let update = Update { number, counts: alloc::vec![1, 0], ..Update::default() };
                let metrics = at_once.update(&task, &update).expect("finite");
                apart.act(&task, &update).expect("no fault");
                assert_eq!(metrics, apart.learn(&update).expect("finite"), "{task:?}");
                lengths.push(metrics.steps);
            }
            assert!(lengths.windows(2).any(|pair| pair[0] != pair[1]), "no prediction was wrong: {lengths:?}");
            assert_eq!(at_once.params.flat().to_vec(), apart.params.flat().to_vec(), "{task:?}");
        }
    }

    /// In episodes of one step, a constant added to all rewards is a constant in all returns. Normalised advantages do not
    /// depend on it.
    #[test]
    fn update_constant_added_to_all_rewards_changes_no_parameter() {
        let updated = |constant: f64| {
            let task = Endless { ends: Some(1), pays: [constant, constant + 1.0] };
            let mut learner = learner::<f64>(&task);
            let update = Update { normalize: true, value_coefficient: 0.0, ..Update::default() };
            let metrics = learner.update(&task, &update).expect("finite");
            (metrics.policy_loss, metrics.grad_norm, learner.params.flat().to_vec())
        };
        let (loss, norm, params) = updated(0.0);
        assert!(loss.abs() > 1e-3 && norm > 1e-3, "{loss} {norm}");
        for (constant, tolerance) in [(1e7, 1e-7), (1e9, 1e-5)] {
            let got = updated(constant);
            let near = |a: f64, b: f64| (a - b).abs() <= tolerance * b.abs();
            assert!(near(got.0, loss) && near(got.1, norm), "{constant}: {got:?}, not {loss} {norm}");
            assert!(got.2.iter().zip(&params).all(|(&a, &b)| (a - b).abs() <= tolerance), "{constant}");
        }
    }

    /// The terms and gradients of two episodes. The second ends after one step; the outputs after its end are `poison`.
    fn terms_and_gradients(poison: f64) -> Vec<f64> {
        let played = Trajectories {
            episodes: 2,
            steps: 2,
            actions: Actions::Discrete(alloc::vec![0, 1, 1, 0]),
            valid: alloc::vec![true, true, true, false],
            ..Trajectories::default()
        };
        let estimates =
            Advantages { advantages: alloc::vec![0.5, -1.0, 2.0, 0.0], targets: alloc::vec![1.0, 2.0, 3.0, 0.0] };
        let tape = Tape::<f64>::new();
        let log_probs = tape.input(Tensor::from([[-0.5, -0.9], [-1.2, -0.4], [-0.1, -2.4], [poison, poison]]));
        let values = tape.input(Tensor::from([0.25, 0.5, 0.75, poison]));
        let terms = LossTerms::compute(
            Decisions { actions: Distribution::Categorical { log_probs }, values },
            &played,
            &estimates,
        );
        terms.loss(&Update::default(), 2, 3).backward().expect("no parameters");
        let sums = [terms.policy, terms.value, terms.entropy].map(|sum| sum.value().item());
        let [d_log_probs, d_values] = [log_probs, values].map(|x| x.grad().expect("it is reached").to_vec());
        [&sums[..], &d_log_probs, &d_values].concat()
    }

    #[test]
    fn learn_failed_update_leaves_no_running_episodes() {
        let task = Endless { ends: None, pays: [1.0; 2] };
        let mut learner = learner::<f64>(&task);
        let update = |number| Update { counts: alloc::vec![3], segment: 2, number, ..Update::default() };
        learner.update(&task, &update(0)).expect("finite");
        assert_eq!(learner.save_segments().len(), 1);
        learner.act(&task, &update(1)).expect("finite");
        learner.trajectories().for_each(|played| played.rewards.fill(f64::NAN));
        learner.learn(&update(1)).expect_err("NaN");
        assert_eq!(learner.save_segments(), []);
        learner.update(&task, &update(1)).expect("finite");
        let saved = learner.save_segments();
        learner.restore_segments(&task, &saved, 0).expect("its own record");
    }

    #[test]
    #[should_panic(expected = "learn: there are no trajectories; call act first")]
    fn learn_without_act_panics() {
        learner::<f64>(&Endless { ends: Some(1), pays: [0.0; 2] }).learn(&Update::default()).ok();
    }

    #[test]
    fn loss_terms_poison_after_the_end_changes_no_byte() {
        let want = terms_and_gradients(0.0);
        assert!(want.iter().all(|x| x.is_finite()) && want[9..11] == [0.0; 2] && want[14] == 0.0, "{want:?}");
        for poison in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, 1e300] {
            assert_eq!(terms_and_gradients(poison), want, "{poison}");
        }
    }

    #[test]
    fn imitation_gradients_of_all_stages_are_added_with_their_weight_to_the_first_worker() {
        let task = crate::tasks::CalculatorStages::default();
        let mut learner = learner::<f64>(&task);
        let update = Update { counts: alloc::vec![1], imitate: 2, imitation: 0.5, ..Update::default() };
        let solved = Trajectories {
            stage: 0,
            episodes: 1,
            steps: 2,
            observed: Observed::from_contexts(&[1, 2, 3], &[10, 11], 1),
            actions: Actions::Discrete(alloc::vec![0, 1]),
            rewards: alloc::vec![0.0, 2.0],
            values: alloc::vec![0.0; 2],
            valid: alloc::vec![true; 2],
            solved: alloc::vec![true],
            ..Trajectories::default()
        };
        learner.divide(&task, &update);
        learner.memory.add_successes(&solved, update.gamma);
        learner.memory.add_successes(&Trajectories { stage: 1, ..solved }, update.gamma);
        learner.imitate(&update);
        let replays: Vec<ReplayBatch> = learner
            .lessons
            .iter()
            .map(|lesson| match &lesson.episodes {
                LessonEpisodes::Successes(replay) => replay.clone(),
                LessonEpisodes::Programs(_) => unreachable!("hindsight is off"),
            })
            .collect();
        learner.add_lessons(&update);

        let Learner { model, params, workers, .. } = &learner;
        let mut grads = Grads::zeros(params);
        for replay in &replays {
            let mut of_stage = Grads::zeros(params);
            let loss = differentiate(params, &mut Tape::new(), &mut of_stage, |_, weights| {
                let decisions = replay.played.decisions(model, Pass::new(model, weights), None);
                replay.loss(decisions).scale(0.5 / (2.0 * 2.0)) // w/(K·S)
            });
            loss.expect("the loss uses every parameter");
            grads.add(&of_stage);
        }
        assert!(replays.len() == 2 && grads.norm() > 0.0);
        assert_eq!(workers[0].grads.flat().to_vec(), grads.flat().to_vec());
    }

    /// An update of `expression` with A2C, hindsight, or both.
    fn hindsight_update(number: u32, a2c: f64, hindsight: usize) -> Update {
        let choice = Choice::Sampled { epsilon: 0.35, temperature: 1.0 };
        let counts = alloc::vec![20; 3];
        Update { seed: 3, number, counts, choice, chunk: 9, a2c, hindsight, hindsight_weight: 0.5, ..Update::default() }
    }

    /// The gradient of an update is w_a times that of A2C plus w_h/N times that of all programs.
    #[test]
    fn update_hindsight_gradients_are_added_with_their_weight() {
        let task = crate::tasks::Expression::default();
        let gradient = |a2c, hindsight| {
            let mut learner = learner::<f64>(&task);
            learner.act(&task, &hindsight_update(0, a2c, 1)).expect("no fault"); // fills the buffer
            let update = hindsight_update(1, a2c, hindsight);
            learner.act(&task, &update).expect("no fault");
            let programs: Vec<Trajectories> = learner
                .lessons
                .iter()
                .map(|lesson| lesson.played().clone())
                .filter(|played| played.episodes > 0)
                .collect();
            let metrics = learner.learn(&Update { rate: 0.0, clip: f64::INFINITY, ..update }).expect("finite");
            (learner.workers[0].grads.flat().to_vec(), metrics, programs)
        };
        let (of_a2c, _, none) = gradient(1.0, 0);
        let (of_hindsight, metrics, programs) = gradient(0.0, 12);
        assert!(none.is_empty() && programs.len() >= 3, "{}", programs.len());
        let Learner { model, params, .. } = learner::<f64>(&task);
        let (mut want, mut loss) = (Grads::zeros(&params), 0.0);
        let count: usize = programs.iter().map(|played| played.episodes).sum();
        for played in &programs {
            let mut grads = Grads::zeros(&params);
            let sum = differentiate(&params, &mut Tape::new(), &mut grads, |_, weights| {
                hindsight::loss(played, played.decisions(&model, Pass::new(&model, weights), None))
            });
            loss += sum.expect("every parameter is reached") / count as f64;
            want.add(&grads);
        }
        want.scale(0.5 / count as f64);
        let is_near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(want.norm() > 1e-3 && is_near(&of_hindsight, want.flat().to_vec().as_slice()));
        assert!((metrics.hindsight_loss - loss).abs() < 1e-12 && (metrics.loss - 0.5 * loss).abs() < 1e-12);
        assert_eq!((metrics.policy_loss, metrics.value_loss, metrics.entropy), (0.0, 0.0, 0.0));
        let (both, ..) = gradient(2.0, 12);
        let sum: Vec<f64> = of_a2c.iter().zip(&of_hindsight).map(|(a, b)| 2.0 * a + b).collect();
        assert!(is_near(&both, &sum));
    }

    /// Without A2C and lessons there is no gradient, also after an update that had one.
    #[test]
    fn update_without_a2c_and_lessons_has_no_gradient() {
        let task = crate::tasks::Expression::default();
        let mut learner = learner::<f64>(&task);
        let mut norm =
            |number, a2c| learner.update(&task, &hindsight_update(number, a2c, 0)).expect("finite").grad_norm;
        assert!(norm(0, 1.0) > 0.0);
        assert_eq!(norm(1, 0.0), 0.0);
    }

    /// With the prior alone, the loss is the mean divergence from the distribution of exploration, and updates lower it.
    #[test]
    fn update_prior_alone_leads_to_the_distribution_of_exploration() {
        let task = Chance::default();
        let mut learner = learner::<f64>(&task);
        let losses: Vec<f64> = (0..60)
            .map(|number| {
                let update =
                    Update { counts: alloc::vec![8, 8], number, a2c: 0.0, prior: 0.5, rate: 0.01, ..Update::default() };
                let metrics = learner.update(&task, &update).expect("finite");
                let uniform = Real::ln(3.0_f64) - metrics.entropy; // of three actions with equal weights
                assert!((metrics.loss - 0.5 * uniform).abs() < 1e-12 && metrics.grad_norm > 0.0);
                metrics.loss
            })
            .collect();
        assert!(losses[59] < 0.1 * losses[0], "{losses:?}");
    }

    /// The stepper holds the steps of a state that is kept. Learning must not take them for those of a state that was erased.
    #[test]
    fn update_forgetting_leaves_no_steps_of_an_earlier_update() {
        let task = Endless { ends: Some(3), pays: [0.0; 2] };
        let mut learner = learner::<f64>(&task);
        for (number, prior, forget, is_empty) in [(0, 0.0, 0.0, false), (1, 1.0, 0.5, true)] {
            let update = Update { counts: alloc::vec![4], number, a2c: 0.0, prior, forget, ..Update::default() };
            learner.update(&task, &update).expect("finite");
            assert_eq!(learner.workers[0].stepper.is_empty(), is_empty);
        }
    }

    #[test]
    #[should_panic(expected = "update: hindsight = 1, but the task has no Task::hindsight")]
    fn update_hindsight_of_a_task_without_panics() {
        let update = Update { hindsight: 1, counts: alloc::vec![1, 1], ..Update::default() };
        learner::<f64>(&Chance::default()).update(&Chance::default(), &update).ok();
    }

    #[cfg(feature = "rayon")]
    #[test]
    fn update_hindsight_any_number_of_threads_has_the_same_bytes() {
        let task = crate::tasks::Expression::default();
        let run = |threads| {
            let update = || {
                let mut learner = learner::<f32>(&task);
                let metrics: Vec<_> = (0..4)
                    .map(|number| learner.update(&task, &hindsight_update(number, 0.1, 12)).expect("finite"))
                    .collect();
                (metrics, learner.params.to_le_bytes(), learner.programs)
            };
            par::with_threads(threads, update).expect("threads start")
        };
        let one = run(1);
        assert!(one == run(2) && one == run(3));
    }

    #[test]
    fn learn_changed_rewards_are_those_of_a_task_that_pays_them() {
        for ends in [None, Some(2)] {
            for segment in [0, 2] {
                let update = Update { counts: alloc::vec![7], chunk: 3, segment, gamma: 0.5, ..Update::default() };
                let (task, other) = (Endless { ends, pays: [1.0, 2.0] }, Endless { ends, pays: [2.0, 5.0] });
                let [mut changed, mut paid, mut plain] = [(); 3].map(|()| learner::<f32>(&task));
                for number in 0..3 {
                    let update = Update { number, ..update.clone() };
                    changed.act(&task, &update).expect("no fault");
                    for played in changed.trajectories() {
                        played.rewards.iter_mut().for_each(|reward| *reward = 3.0 * *reward - 1.0);
                    }
                    changed.learn(&update).expect("finite");
                    paid.update(&other, &update).expect("finite");
                    plain.update(&task, &update).expect("finite");
                }
                assert_eq!(changed.params.to_le_bytes(), paid.params.to_le_bytes(), "{ends:?} {segment}");
                assert_ne!(changed.params.to_le_bytes(), plain.params.to_le_bytes(), "{ends:?} {segment}");
            }
        }
    }

    #[cfg(feature = "rayon")]
    #[test]
    fn update_any_number_of_threads_has_the_same_bytes() {
        for task in Chance::all() {
            let run = |threads| {
                let update = || {
                    let mut learner = learner::<f32>(&task);
                    let update = |number| Update {
                        number,
                        counts: alloc::vec![6, 5],
                        chunk: 2,
                        segment: 3,
                        normalize_observations: task.has_vectors,
                        normalize_rewards: true,
                        normalize: true,
                        gamma: 0.9,
                        ..Update::default()
                    };
                    let metrics: Vec<_> =
                        (0..4).map(|number| learner.update(&task, &update(number)).expect("finite")).collect();
                    (metrics, learner.params.to_le_bytes(), learner.statistics, learner.workers.len())
                };
                par::with_threads(threads, update).expect("threads start")
            };
            let one = run(1);
            assert!(one.3 == 6 && one.2.returns.count == 4.0 * 3.0 * 11.0, "{:?}", one.2);
            assert!(one == run(2) && one == run(3), "{task:?}");
        }
    }

    /// The first update reads raw numbers, since there are no earlier statistics; the second reads normalised ones.
    #[test]
    fn update_normalization_uses_the_statistics_of_earlier_updates() {
        let task = Chance { has_vectors: true, ..Chance::default() };
        let (mut plain, mut normal) = (learner::<f64>(&task), learner(&task));
        let seen = |learner: &mut Learner<f64>, normalize_observations, number| {
            let update =
                Update { counts: alloc::vec![4], rate: 0.0, number, normalize_observations, ..Update::default() };
            learner.act(&task, &update).expect("no fault");
            let played = learner.trajectories().next().expect("one chunk").clone();
            learner.learn(&update).expect("finite");
            played.row(0).vectors[..3].to_vec()
        };
        let (raw, first) = (seen(&mut plain, false, 0), seen(&mut normal, true, 0));
        assert!(raw.iter().zip(&first).all(|(a, b)| (a - b).abs() < 1e-6), "{raw:?} {first:?}");
        let mut want = seen(&mut plain, false, 1);
        normal.statistics.observations.normalize(&mut want);
        assert_eq!(seen(&mut normal, true, 1), want);
        assert!(normal.trained().normalizer.is_some() && plain.trained().normalizer.is_none());
        assert_eq!(plain.statistics.observations.count, 0.0);
    }
}
