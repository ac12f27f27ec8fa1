//! Advantage actor-critic (A2C). The file follows the order of an update:
//!
//! 1. **Divide.** The curriculum sets the number of episodes of each stage. The episodes of a stage are divided into
//!    chunks. The number of chunks depends on the batch alone, not on the number of threads.
//! 2. **Act.** Each chunk plays its episodes with the current policy, without gradients. Episode i of update u draws
//!    from the random streams (seed, u, i), on every thread.
//! 3. **Estimate.** [`compute_advantages`] computes an advantage Â and a target G for each step, from the rewards and the
//!    critic's values.
//! 4. **Learn.** Each chunk records all its decisions on a tape, as one sequence of known tokens. It reuses the states
//!    that acting computed. Backpropagation starts from the chunk's share of the loss
//!
//!    ```text
//!    L = − 1/B Σ_steps Â·ln π(a)  +  c_v · 1/N Σ_steps (V − G)²  −  β · 1/N Σ_steps H(π)
//!    ```
//!
//!    over B episodes with N valid steps. Â and G are constants here: no gradient flows through them.
//!    Self-imitation, if enabled, adds workers that learn from earlier successes: see [`imitation`](crate::imitation).
//! 5. **Add.** The chunks' gradients are added along a fixed tree, so the sum has the same bytes for any number of threads.
//! 6. **Clip** the norm of the gradient, and **step** the optimiser.
//!
//! Source: V. Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning" (2016), algorithm S3 and section 5.1
//! (entropy), in the synchronous form.

use alloc::vec::Vec;

use autograd::{GruStepper, Tape, Var};
use nn::{Grads, Optimizer, Params, SettingRange, check_setting, clip_global_norm, differentiate};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor, par};

use crate::env::{Env, Task, TimeLimit};
use crate::evaluate;
use crate::imitation::{ReplayBatch, ReplayBuffer};
use crate::not_finite::NotFinite;
use crate::phase::Phase;
use crate::policy::{Decisions, Policy};
use crate::returns::{AdvantageEstimator, Advantages, compute_advantages};
use crate::rollout::{self, Choice, Undecided, chunks};
use crate::trajectories::Trajectories;

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
            gamma: 1.0,
            estimator: AdvantageEstimator::Gae(1.0),
            normalize: false,
            value_coefficient: 0.5,
            entropy: 0.01,
            imitate: 0,
            imitation: 1.0,
            clip: 1.0,
            rate: 3e-3,
        }
    }
}

impl Update {
    /// Checks each setting in the precision that the computation uses for it.
    #[track_caller]
    fn check<T: Real>(&self) {
        let check = |name, value, range| check_setting::<T>("update", name, value, range);
        check("rate", self.rate, SettingRange::NOT_NEGATIVE);
        check("value_coefficient", self.value_coefficient, SettingRange::NOT_NEGATIVE);
        check("entropy", self.entropy, SettingRange::NOT_NEGATIVE);
        check("imitation", self.imitation, SettingRange::NOT_NEGATIVE);
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
    /// The norm of the gradient before clipping.
    pub grad_norm: f64,
    /// The mean sum of rewards of an episode.
    pub reward: f64,
    /// N, the number of valid steps of all episodes.
    pub steps: usize,
    /// For each stage: the number of episodes, and the number of exact matches among them. Actions are sampled.
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
}

impl<'t, T: Real> LossTerms<'t, T> {
    /// Computes the terms from the decisions. Invalid steps have no influence, even if they hold NaN or infinities.
    pub fn compute(decisions: Decisions<'t, T>, played: &Trajectories, estimates: &Advantages) -> Self {
        let (tape, steps) = (decisions.values.tape(), played.valid_step_indices());
        let (k, count) = (steps.to_vec(), steps.size());
        let row = |x: &[f64]| tape.constant(Tensor::from_fn([count], |n| T::from_f64(x[k[n] as usize])));
        let (advantages, targets) = (row(&estimates.advantages), row(&estimates.targets));
        let actions = Tensor::from_fn([count, 1], |n| played.actions[k[n] as usize]);

        let Decisions { log_probs, values } = decisions.at_steps(&steps);
        let chosen = log_probs.gather(&actions).reshape([count]);
        Self {
            policy: -(advantages * chosen).sum(),
            value: (values - targets).square().sum(),
            entropy: log_probs.entropy().sum(),
        }
    }

    /// L, for a batch of B = `episodes` episodes with N = `steps` valid steps.
    pub fn loss(&self, update: &Update, episodes: usize, steps: usize) -> Var<'t, T> {
        let n = steps as f64;
        self.policy.scale(T::from_f64(1.0 / episodes as f64))
            + self.value.scale(T::from_f64(update.value_coefficient / n))
            + self.entropy.scale(T::from_f64(-update.entropy / n))
    }
}

/// A policy with its parameters and optimiser. [`update`](Learner::update) trains it.
pub struct Learner<T: Real> {
    /// The layers of the network.
    pub policy: Policy,
    /// The parameters of the layers.
    pub params: Params<T>,
    /// The optimiser of the parameters.
    pub optimizer: Optimizer<T>,
    /// The earlier successes that self-imitation learns from.
    pub memory: ReplayBuffer,
    workers: Vec<Worker<T>>,
    imitators: Vec<Imitator<T>>,
}

/// The worker of one chunk: it plays the chunk's episodes and computes their gradients. Updates reuse its tapes.
struct Worker<T: Real> {
    env: TimeLimit,
    /// The index of the chunk's first episode in the batch.
    first: usize,
    acting: Tape<T>,
    /// The states and gates that the GRU computed during acting.
    stepper: GruStepper<T>,
    learning: Tape<T>,
    played: Trajectories,
    /// The error of acting, if it failed.
    undecided: Option<Undecided>,
    estimates: Advantages,
    grads: Grads<T>,
    /// The values of the three [`LossTerms`].
    terms: [f64; 3],
}

/// The worker that imitates earlier successes of one stage. Updates reuse its tape.
struct Imitator<T: Real> {
    learning: Tape<T>,
    replay: ReplayBatch,
    grads: Grads<T>,
}

impl<T: Real> Learner<T> {
    /// Creates a learner before its first update.
    pub fn new(policy: Policy, params: Params<T>, optimizer: Optimizer<T>) -> Self {
        Self { policy, params, optimizer, workers: Vec::new(), memory: ReplayBuffer::default(), imitators: Vec::new() }
    }

    /// Makes one update. Episodes end at the task's horizon.
    ///
    /// # Errors
    /// If a log-probability, the loss or a gradient is not finite. The parameters are then unchanged.
    ///
    /// # Panics
    /// - If there are no episodes, or more than 2³² − 1.
    /// - If the chunk size is 0.
    /// - If a rate, weight, clip, γ or λ is not finite or out of its range, before or after it is rounded to `T`.
    ///   A clip of ∞ is allowed; it clips nothing.
    #[track_caller]
    pub fn update(&mut self, task: &dyn Task, update: &Update) -> Result<Metrics, NotFinite> {
        assert!(update.counts.iter().any(|&count| count > 0), "update: no stage has an episode: {:?}", update.counts);
        assert!(update.chunk > 0, "update: the chunk size is 0, expected at least 1");
        update.check::<T>();
        evaluate::to_stream_word("episode", update.counts.iter().sum::<usize>() - 1);
        self.divide(task, update);
        let Self { policy, params, workers, .. } = self;

        par::for_each(workers, |_, worker| Phase::Act.run(|| worker.act(policy, params, update)));
        if let Some(undecided) = workers.iter().find_map(|worker| worker.undecided) {
            return Err(NotFinite::from_undecided(update.number + 1, params, undecided));
        }

        Phase::Advantages.run(|| {
            for worker in workers.iter_mut() {
                worker.estimates = compute_advantages(&worker.played, update.gamma, update.estimator);
            }
            if update.normalize {
                normalize(workers);
            }
        });

        let episodes = workers.iter().map(|worker| worker.played.episodes).sum();
        let steps = workers.iter().map(|worker| worker.played.valid_step_count()).sum();
        let learn = |worker: &mut Worker<T>| worker.learn(policy, params, update, episodes, steps);
        par::for_each(workers, |_, worker| Phase::Learn.run(|| learn(worker)));

        let mut metrics = compute_metrics(workers, update, episodes, steps);
        Phase::Add.run(|| sum_gradients(workers));
        if update.imitate > 0 {
            self.imitate(update);
        }
        let Self { params, optimizer, workers, .. } = self;
        let grads = &mut workers[0].grads;
        match Phase::Clip.run(|| clip_global_norm(params, grads, update.clip)) {
            Ok(norm) if metrics.loss.is_finite() => metrics.grad_norm = norm.value(),
            _ => return Err(NotFinite::find(update.number, params, grads)),
        }
        Phase::Step.run(|| optimizer.step(update.rate, params, grads));
        Ok(metrics)
    }

    /// Learns from earlier successes. Adds the gradients to those of the batch, after all others.
    fn imitate(&mut self, update: &Update) {
        let Self { policy, params, workers, memory, imitators, .. } = self;
        for worker in workers.iter() {
            memory.add_successes(&worker.played, update.gamma);
        }
        let stream = Stream { purpose: Purpose::REPLAY, update: update.number, episode: 0 };
        let replays = memory.sample(update.imitate, &mut Philox::stream(update.seed, stream));
        imitators.truncate(replays.len());
        let scale = T::from_f64(update.imitation / (update.imitate * replays.len().max(1)) as f64);
        for (k, replay) in replays.into_iter().enumerate() {
            match imitators.get_mut(k) {
                Some(imitator) => imitator.replay = replay,
                None => imitators.push(Imitator { learning: Tape::new(), replay, grads: Grads::zeros(params) }),
            }
        }
        par::for_each(imitators, |_, Imitator { learning, replay, grads }| {
            Phase::Imitate.run(|| {
                let loss = differentiate(params, learning, grads, |_, weights| {
                    replay.loss(policy.on(weights).decisions_of(&replay.played)).scale(scale)
                });
                loss.expect("the loss uses every parameter");
            });
        });
        Phase::Add.run(|| {
            for imitator in imitators {
                workers[0].grads.add(&imitator.grads);
            }
        });
    }

    /// 1. Creates one worker for each chunk. Workers of earlier updates keep their tapes.
    fn divide(&mut self, task: &dyn Task, update: &Update) {
        let chunks = chunks(&update.counts, update.chunk);
        self.workers.truncate(chunks.len());
        for (k, &(stage, first, episodes)) in chunks.iter().enumerate() {
            let env = TimeLimit::new(task, stage, episodes);
            match self.workers.get_mut(k) {
                Some(worker) => (worker.env, worker.first) = (env, first),
                None => self.workers.push(Worker {
                    env,
                    first,
                    acting: Tape::no_grad(),
                    stepper: GruStepper::default(),
                    learning: Tape::new(),
                    played: Trajectories::default(),
                    undecided: None,
                    estimates: Advantages::default(),
                    grads: Grads::zeros(&self.params),
                    terms: [0.0; 3],
                }),
            }
        }
    }
}

impl<T: Real> Worker<T> {
    /// 2. Plays the episodes with sampled actions.
    fn act(&mut self, policy: &Policy, params: &Params<T>, update: &Update) {
        let stream = |purpose, i: usize| {
            let episode = (self.first + i) as u32;
            Philox::stream(update.seed, Stream { purpose, update: update.number, episode })
        };
        let streams = |purpose| -> Vec<Philox> { (0..self.env.len()).map(|i| stream(purpose, i)).collect() };
        let (mut operands, mut actions) = (streams(Purpose::OPERANDS), streams(Purpose::ACTIONS));
        self.env.reset(&mut operands);
        let contexts = rollout::contexts(&self.env);
        let choice = Choice::Sampled(&mut actions);
        let Self { acting, env, stepper, .. } = self;
        match rollout::play_with((policy, params), acting, env, contexts, choice, Some(stepper), |_| ()) {
            Ok(played) => (self.played, self.undecided) = (played, None),
            Err(error) => self.undecided = Some(Undecided { episode: self.first + error.episode, ..error }),
        }
    }

    /// 4. Records the decisions on the tape, and backpropagates from this chunk's part of the loss.
    fn learn(&mut self, policy: &Policy, params: &Params<T>, update: &Update, episodes: usize, steps: usize) {
        let Self { played, estimates, stepper, learning, grads, terms, .. } = self;
        let loss = differentiate(params, learning, grads, |_, weights| {
            let network = policy.on(weights);
            let decisions = if stepper.is_empty() {
                network.decisions_of(played)
            } else {
                network.decisions_known(played, stepper)
            };
            let sums = LossTerms::compute(decisions, played, estimates);
            *terms = [&sums.policy, &sums.value, &sums.entropy].map(|sum| sum.value().item().value());
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

/// 5. Adds all gradients to those of the first worker: neighbours first, then pairs of pairs.
fn sum_gradients<T: Real>(workers: &mut [Worker<T>]) {
    let mut distance = 1;
    while distance < workers.len() {
        for left in (0..workers.len() - distance).step_by(2 * distance) {
            let (a, b) = workers.split_at_mut(left + distance);
            a[left].grads.add(&b[0].grads);
        }
        distance *= 2;
    }
}

fn compute_metrics<T: Real>(workers: &[Worker<T>], update: &Update, episodes: usize, steps: usize) -> Metrics {
    let sum = |k: usize| workers.iter().map(|worker| worker.terms[k]).sum::<f64>();
    let policy_loss = sum(0) / episodes as f64;
    let value_loss = sum(1) / steps as f64;
    let entropy = sum(2) / steps as f64;
    let mut stages = alloc::vec![(0, 0); update.counts.len()];
    for Worker { played, .. } in workers {
        stages[played.stage].0 += played.episodes;
        stages[played.stage].1 += played.solved.iter().filter(|&&solved| solved).count();
    }
    Metrics {
        loss: policy_loss + update.value_coefficient * value_loss - update.entropy * entropy,
        policy_loss,
        value_loss,
        entropy,
        grad_norm: 0.0,
        reward: workers.iter().map(|worker| worker.played.total_reward()).sum::<f64>() / episodes as f64,
        steps,
        stages,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::tests::Endless;

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

    /// In episodes of one step, a constant added to all rewards is a constant in all returns. Normalised advantages do not
    /// depend on it.
    #[test]
    fn update_constant_added_to_all_rewards_changes_no_parameter() {
        let updated = |constant: f64| {
            let task = Endless { ends: Some(1), pays: [constant, constant + 1.0] };
            let mut params = Params::<f64>::new();
            let policy = Policy::new(&mut params, &task, 4, 1);
            let optimizer = Optimizer::new(nn::UpdateRule::adam(), &params);
            let mut learner = Learner::new(policy, params, optimizer);
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
            actions: alloc::vec![0, 1, 1, 0],
            valid: alloc::vec![true, true, true, false],
            ..Trajectories::default()
        };
        let estimates =
            Advantages { advantages: alloc::vec![0.5, -1.0, 2.0, 0.0], targets: alloc::vec![1.0, 2.0, 3.0, 0.0] };
        let tape = Tape::<f64>::new();
        let log_probs = tape.input(Tensor::from([[-0.5, -0.9], [-1.2, -0.4], [-0.1, -2.4], [poison, poison]]));
        let values = tape.input(Tensor::from([0.25, 0.5, 0.75, poison]));
        let terms = LossTerms::compute(Decisions { log_probs, values }, &played, &estimates);
        terms.loss(&Update::default(), 2, 3).backward().expect("no parameters");
        let sums = [terms.policy, terms.value, terms.entropy].map(|sum| sum.value().item());
        let [d_log_probs, d_values] = [log_probs, values].map(|x| x.grad().expect("it is reached").to_vec());
        [&sums[..], &d_log_probs, &d_values].concat()
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
    fn imitation_gradient_is_added_with_its_weight_to_the_first_worker() {
        let (task, mut params) = (crate::tasks::Calculator::default(), Params::new());
        let policy = Policy::new(&mut params, &task, 4, 1);
        let optimizer = Optimizer::new(nn::UpdateRule::adam(), &params);
        let mut learner = Learner::<f64>::new(policy, params, optimizer);
        let update = Update { counts: alloc::vec![1], imitate: 2, imitation: 0.5, ..Update::default() };
        let solved = Trajectories {
            stage: 0,
            episodes: 1,
            steps: 2,
            contexts: alloc::vec![1, 2, 3],
            actions: alloc::vec![0, 1],
            tokens: alloc::vec![10, 11],
            rewards: alloc::vec![0.0, 2.0],
            values: alloc::vec![0.0; 2],
            valid: alloc::vec![true; 2],
            solved: alloc::vec![true],
        };
        learner.divide(&task, &update);
        learner.memory.add_successes(&solved, update.gamma);
        learner.imitate(&update);

        let Learner { policy, params, workers, imitators, .. } = &learner;
        let [Imitator { replay, .. }] = &imitators[..] else { panic!("one stage has successes") };
        let mut grads = Grads::zeros(params);
        let loss = differentiate(params, &mut Tape::new(), &mut grads, |_, weights| {
            replay.loss(policy.on(weights).decisions_of(&replay.played)).scale(0.5 / 2.0)
        });
        loss.expect("the loss uses every parameter");
        assert!(grads.norm() > 0.0);
        assert_eq!(workers[0].grads.flat().to_vec(), grads.flat().to_vec());
    }
}
