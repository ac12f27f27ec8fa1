//! Advantage actor-critic, from top to bottom in the order in which an update runs.
//!
//! 1. **Divide.** The curriculum says how many episodes of each stage the batch has; each stage's part is cut into
//!    chunks. Their number depends on the batch alone, never on the number of threads.
//! 2. **Act.** Each chunk plays its episodes with the present policy, without recording. Episode i of update u draws
//!    from streams that are named by (seed, u, i), whoever plays it.
//! 3. **Judge.** Rewards and the critic's values give each step an advantage Â and a target G ([`judge`]).
//! 4. **Learn.** Each chunk records all its decisions on a tape, as one sequence of known tokens whose states acting has
//!    left, and runs back from its part of the loss
//!
//!    ```text
//!    L = − 1/B Σ_steps Â·ln π(a)  +  c_v · 1/N Σ_steps (V − G)²  −  β · 1/N Σ_steps H(π)
//!    ```
//!
//!    over B episodes with N steps that count. Â and G are numbers here: no gradient goes through them.
//!    If asked to, further workers learn from earlier successes: see [`imitation`](crate::imitation).
//! 5. **Add** the chunks' gradients along a fixed tree, so that the sum has the same bytes at any number of threads.
//! 6. **Clip** their norm, and **step** the optimiser.
//!
//! Source: V. Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning" (2016), algorithm S3 and section 5.1
//! (entropy), in the synchronous form.

use alloc::vec::Vec;

use autograd::{Scan, Tape, Var};
use nn::{Grads, Optimizer, Params, Range, check_setting, clip_global_norm};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor, par};

use crate::env::{Env, Task, TimeLimit};
use crate::evaluate;
use crate::imitation::{Memory, Replay};
use crate::not_finite::NotFinite;
use crate::phase::Phase;
use crate::policy::{Decisions, Network, Policy};
use crate::returns::{Estimator, Judged, judge};
use crate::rollout::{self, Choice, Undecided, chunks};
use crate::trajectories::Trajectories;

/// What an update needs to know besides the network.
#[derive(Clone, Debug)]
pub struct Update {
    /// The seed of the run.
    pub seed: u64,
    /// u, its number.
    pub number: u32,
    /// Episodes of each stage.
    pub counts: Vec<usize>,
    /// Episodes in a chunk at most.
    pub chunk: usize,
    /// γ, the discount.
    pub gamma: f64,
    /// How advantages are estimated.
    pub estimator: Estimator,
    /// Whether advantages are shifted to mean 0 and scaled to variance 1 over the batch.
    pub normalize: bool,
    /// c_v, the weight of the critic's error.
    pub value_coefficient: f64,
    /// β, the weight of the entropy.
    pub entropy: f64,
    /// K, successes of each stage that are imitated; 0 for none.
    pub imitate: usize,
    /// w, the weight of the imitation.
    pub imitation: f64,
    /// The gradient's norm at most.
    pub clip: f64,
    /// α, the learning rate.
    pub rate: f64,
}

/// 64 episodes of stage 0 and common values for the rest, to be changed with `..Update::default()`.
impl Default for Update {
    fn default() -> Self {
        Self {
            seed: 0,
            number: 0,
            counts: alloc::vec![64],
            chunk: 48,
            gamma: 1.0,
            estimator: Estimator::Gae(1.0),
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
    /// Checks the settings in the precision that computes with each.
    #[track_caller]
    fn check<T: Real>(&self) {
        let check = |name, value, range| check_setting::<T>("update", name, value, range);
        check("rate", self.rate, Range::NOT_NEGATIVE);
        check("value_coefficient", self.value_coefficient, Range::NOT_NEGATIVE);
        check("entropy", self.entropy, Range::NOT_NEGATIVE);
        check("imitation", self.imitation, Range::NOT_NEGATIVE);
        if self.clip != f64::INFINITY {
            check("clip", self.clip, Range::POSITIVE);
        }
        check_setting::<f64>("update", "gamma", self.gamma, Range::SHARE);
        match self.estimator {
            Estimator::Gae(lambda) => check_setting::<f64>("update", "lambda", lambda, Range::SHARE),
            Estimator::Steps(count) => assert!(count > 0, "update: returns of 0 steps, but 1 is the least"),
        }
    }
}

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// L.
    pub loss: f64,
    /// Its first term.
    pub policy_loss: f64,
    /// The critic's mean squared error, without its weight.
    pub value_loss: f64,
    /// The mean entropy of a decision, in nats, without its weight.
    pub entropy: f64,
    /// The gradient's norm before clipping.
    pub grad_norm: f64,
    /// The mean sum of an episode's rewards.
    pub reward: f64,
    /// Steps that count, over all episodes.
    pub steps: usize,
    /// Episodes of each stage, and how many of them ended in an exact match, with sampled actions.
    pub stages: Vec<(usize, usize)>,
}

/// The terms of the loss of some episodes, before they are weighed: sums over their steps.
pub struct Terms<'t, T: Real> {
    /// − Σ Â·ln π(a)
    pub policy: Var<'t, T>,
    /// Σ (V − G)²
    pub value: Var<'t, T>,
    /// Σ H(π)
    pub entropy: Var<'t, T>,
}

impl<'t, T: Real> Terms<'t, T> {
    /// The terms of these decisions. Steps that do not count are left out, whatever they hold.
    pub fn of(decisions: Decisions<'t, T>, played: &Trajectories, judged: &Judged) -> Self {
        let (tape, steps) = (decisions.values.tape(), played.counted_steps());
        let (k, count) = (steps.to_vec(), steps.size());
        let row = |x: &[f64]| tape.constant(Tensor::from_fn([count], |n| T::of(x[k[n] as usize])));
        let (advantages, targets) = (row(&judged.advantages), row(&judged.targets));
        let actions = Tensor::from_fn([count, 1], |n| played.actions[k[n] as usize]);

        let Decisions { log_probs, values } = decisions.at_steps(&steps);
        let chosen = log_probs.gather(&actions).reshape([count]);
        Self {
            policy: -(advantages * chosen).sum(),
            value: (values - targets).square().sum(),
            entropy: log_probs.entropy().sum(),
        }
    }

    /// L, for a batch of `episodes` episodes with `steps` steps that count.
    pub fn loss(&self, update: &Update, episodes: usize, steps: usize) -> Var<'t, T> {
        let n = steps as f64;
        self.policy.scale(T::of(1.0 / episodes as f64))
            + self.value.scale(T::of(update.value_coefficient / n))
            + self.entropy.scale(T::of(-update.entropy / n))
    }
}

/// A network that learns by [`Update`]s.
pub struct Learner<T: Real> {
    /// The layers.
    pub policy: Policy,
    /// Their numbers.
    pub params: Params<T>,
    /// What moves them.
    pub optimizer: Optimizer<T>,
    /// The successes that self-imitation learns from.
    pub memory: Memory,
    workers: Vec<Worker<T>>,
    imitators: Vec<Imitator<T>>,
}

/// Some episodes of one stage, with tapes that are kept from update to update.
struct Worker<T: Real> {
    env: TimeLimit,
    /// The number of the first episode in the batch.
    first: usize,
    acting: Tape<T>,
    /// What the GRU computed while acting.
    scan: Scan<T>,
    learning: Tape<T>,
    played: Trajectories,
    /// Why there are no trajectories.
    undecided: Option<Undecided>,
    judged: Judged,
    grads: Grads<T>,
    /// The sums of [`Terms`].
    terms: [f64; 3],
}

/// Earlier successes of one stage, with a tape that is kept from update to update.
struct Imitator<T: Real> {
    learning: Tape<T>,
    replay: Replay,
    grads: Grads<T>,
}

impl<T: Real> Learner<T> {
    /// Ready for the first update.
    pub fn new(policy: Policy, params: Params<T>, optimizer: Optimizer<T>) -> Self {
        Self { policy, params, optimizer, workers: Vec::new(), memory: Memory::default(), imitators: Vec::new() }
    }

    /// One update. Episodes end at the task's horizon.
    ///
    /// # Errors
    /// If a log-probability, the loss or a gradient is not finite; the parameters are as they were.
    ///
    /// # Panics
    /// If there are no episodes or more than 2³² − 1, or chunks are to have none; if a rate, weight, clip, γ or λ is not finite or
    /// out of its range, as it is or once it is rounded to `T`. A clip of ∞ clips nothing.
    #[track_caller]
    pub fn update(&mut self, task: &dyn Task, update: &Update) -> Result<Metrics, NotFinite> {
        assert!(update.counts.iter().any(|&count| count > 0), "update: no stage has an episode: {:?}", update.counts);
        assert!(update.chunk > 0, "update: chunks of no episodes");
        update.check::<T>();
        evaluate::word("episode", update.counts.iter().sum::<usize>() - 1);
        self.divide(task, update);
        let Self { policy, params, workers, .. } = self;

        par::for_each(workers, |_, worker| Phase::Act.of(|| worker.act(policy, params, update)));
        if let Some(undecided) = workers.iter().find_map(|worker| worker.undecided) {
            return Err(NotFinite::undecided(update.number + 1, params, undecided));
        }

        Phase::Judge.of(|| {
            for worker in workers.iter_mut() {
                worker.judged = judge(&worker.played, update.gamma, update.estimator);
            }
            if update.normalize {
                normalize(workers);
            }
        });

        let episodes = workers.iter().map(|worker| worker.played.episodes).sum();
        let steps = workers.iter().map(|worker| worker.played.valid_steps()).sum();
        let learn = |worker: &mut Worker<T>| worker.learn(policy, params, update, episodes, steps);
        par::for_each(workers, |_, worker| Phase::Learn.of(|| learn(worker)));

        let mut metrics = measure(workers, update, episodes, steps);
        Phase::Add.of(|| add(workers));
        if update.imitate > 0 {
            self.imitate(update);
        }
        let Self { params, optimizer, workers, .. } = self;
        let grads = &mut workers[0].grads;
        match Phase::Clip.of(|| clip_global_norm(params, grads, update.clip)) {
            Ok(norm) if metrics.loss.is_finite() => metrics.grad_norm = norm.value(),
            _ => return Err(NotFinite::find(update.number, params, grads)),
        }
        Phase::Step.of(|| optimizer.step(update.rate, params, grads));
        Ok(metrics)
    }

    /// Learns from earlier successes; these gradients are added last.
    fn imitate(&mut self, update: &Update) {
        let Self { policy, params, workers, memory, imitators, .. } = self;
        for worker in workers.iter() {
            memory.note(&worker.played, update.gamma);
        }
        let place = Stream { purpose: Purpose::REPLAY, update: update.number, episode: 0 };
        let replays = memory.draw(update.imitate, &mut Philox::stream(update.seed, place));
        imitators.truncate(replays.len());
        let scale = T::of(update.imitation / (update.imitate * replays.len().max(1)) as f64);
        for (k, replay) in replays.into_iter().enumerate() {
            match imitators.get_mut(k) {
                Some(imitator) => imitator.replay = replay,
                None => imitators.push(Imitator { learning: Tape::new(), replay, grads: Grads::zeros(params) }),
            }
        }
        par::for_each(imitators, |_, Imitator { learning, replay, grads }| {
            Phase::Imitate.of(|| {
                differentiate(policy, params, learning, grads, |network| {
                    replay.loss(network.decisions_of(&replay.played)).scale(scale)
                });
            });
        });
        Phase::Add.of(|| {
            for imitator in imitators {
                workers[0].grads.add(&imitator.grads);
            }
        });
    }

    /// 1. One worker for each chunk; tapes of earlier updates stay.
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
                    acting: Tape::evaluating(),
                    scan: Scan::default(),
                    learning: Tape::new(),
                    played: Trajectories::default(),
                    undecided: None,
                    judged: Judged::default(),
                    grads: Grads::zeros(&self.params),
                    terms: [0.0; 3],
                }),
            }
        }
    }
}

impl<T: Real> Worker<T> {
    /// 2. Plays the episodes, with sampled actions.
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
        let Self { acting, env, scan, .. } = self;
        match rollout::play_with((policy, params), acting, env, contexts, choice, Some(scan), |_| ()) {
            Ok(played) => (self.played, self.undecided) = (played, None),
            Err(error) => self.undecided = Some(Undecided { episode: self.first + error.episode, ..error }),
        }
    }

    /// 4. Records the decisions on the tape, and runs back from this chunk's part of the loss.
    fn learn(&mut self, policy: &Policy, params: &Params<T>, update: &Update, episodes: usize, steps: usize) {
        let Self { played, judged, scan, learning, grads, terms, .. } = self;
        differentiate(policy, params, learning, grads, |network| {
            let decisions =
                if scan.is_empty() { network.decisions_of(played) } else { network.decisions_known(played, scan) };
            let sums = Terms::of(decisions, played, judged);
            *terms = [&sums.policy, &sums.value, &sums.entropy].map(|sum| sum.value().item().value());
            sums.loss(update, episodes, steps)
        });
    }
}

/// Records a loss of the network, runs back from it, and leaves the gradients in `grads`.
fn differentiate<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    tape: &mut Tape<T>,
    grads: &mut Grads<T>,
    loss: impl for<'t> FnOnce(&Network<'_, 't, T>) -> Var<'t, T>,
) {
    {
        let weights = params.bind(tape);
        loss(&policy.on(weights)).backward().expect("the loss uses every parameter");
        grads.collect(params, weights);
    }
    tape.clear();
}

/// 3. Shifts and scales the advantages of all steps that count, over the whole batch.
fn normalize<T: Real>(workers: &mut [Worker<T>]) {
    let judged = workers.iter_mut().map(|worker| (&mut worker.judged.advantages[..], &worker.played.valid[..]));
    standardize(&mut judged.flat_map(counted).collect::<Vec<_>>());
}

/// The advantages of the steps that count.
fn counted<'a>((advantages, valid): (&'a mut [f64], &'a [bool])) -> impl Iterator<Item = &'a mut f64> {
    advantages.iter_mut().zip(valid).filter(|(_, valid)| **valid).map(|(advantage, _)| advantage)
}

/// Shifts these numbers to mean 0 and scales them to variance 1, in two passes: the variance as a difference of two large
/// numbers would lose what the numbers have in common. Numbers that are all equal become 0.
fn standardize(x: &mut [&mut f64]) {
    let n = x.len() as f64;
    let mean = x.iter().map(|x| **x).sum::<f64>() / n;
    x.iter_mut().for_each(|x| **x -= mean);
    // What the rounding of a large mean has left.
    let rest = x.iter().map(|x| **x).sum::<f64>() / n;
    x.iter_mut().for_each(|x| **x -= rest);
    let variance = x.iter().map(|x| **x * **x).sum::<f64>() / n;
    let deviation = Real::sqrt(variance) + 1e-8;
    x.iter_mut().for_each(|x| **x /= deviation);
}

/// 5. Adds all gradients into the first worker's, neighbours first, then pairs of pairs.
fn add<T: Real>(workers: &mut [Worker<T>]) {
    let mut distance = 1;
    while distance < workers.len() {
        for left in (0..workers.len() - distance).step_by(2 * distance) {
            let (a, b) = workers.split_at_mut(left + distance);
            a[left].grads.add(&b[0].grads);
        }
        distance *= 2;
    }
}

fn measure<T: Real>(workers: &[Worker<T>], update: &Update, episodes: usize, steps: usize) -> Metrics {
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

    /// Right values: 1 and 2 become −1 and 1, whatever is added to both.
    #[test]
    fn standardize_constant_added_changes_nothing() {
        for constant in [0.0, 1e7, 1e9, 2_f64.powi(50)] {
            let mut x = [constant + 1.0, constant + 2.0, constant + 1.0, constant + 2.0];
            standardize(&mut x.iter_mut().collect::<Vec<_>>());
            assert!(x.iter().zip([-1.0, 1.0, -1.0, 1.0]).all(|(x, want)| (x - want).abs() < 1e-7), "{constant}: {x:?}");
        }
        let mut equal = [1e9; 3];
        standardize(&mut equal.iter_mut().collect::<Vec<_>>());
        assert_eq!(equal, [0.0; 3]);
    }

    /// Divides by the number of steps, not by one less.
    #[test]
    fn standardize_variance_is_the_mean_square() {
        let mut x = [1.0, 2.0, 6.0];
        standardize(&mut x.iter_mut().collect::<Vec<_>>());
        let deviation = Real::sqrt(14.0_f64 / 3.0) + 1e-8;
        assert_eq!(x, [-2.0, -1.0, 3.0].map(|x| x / deviation));
    }

    /// A constant in all rewards is one in all returns of episodes of one step, and has no say in normalised advantages.
    #[test]
    fn update_constant_added_to_all_rewards_changes_no_policy() {
        let updated = |constant: f64| {
            let task = Endless { ends: Some(1), pays: [constant, constant + 1.0] };
            let mut params = Params::<f64>::new();
            let policy = Policy::new(&mut params, &task, 4, 1);
            let optimizer = Optimizer::new(nn::Rule::adam(), &params);
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

    /// Two episodes, of which the second ends after one step, with `poison` in what the network says after its end.
    fn terms_and_gradients(poison: f64) -> Vec<f64> {
        let played = Trajectories {
            episodes: 2,
            steps: 2,
            actions: alloc::vec![0, 1, 1, 0],
            valid: alloc::vec![true, true, true, false],
            ..Trajectories::default()
        };
        let judged = Judged { advantages: alloc::vec![0.5, -1.0, 2.0, 0.0], targets: alloc::vec![1.0, 2.0, 3.0, 0.0] };
        let tape = Tape::<f64>::new();
        let log_probs = tape.input(Tensor::from([[-0.5, -0.9], [-1.2, -0.4], [-0.1, -2.4], [poison, poison]]));
        let values = tape.input(Tensor::from([0.25, 0.5, 0.75, poison]));
        let terms = Terms::of(Decisions { log_probs, values }, &played, &judged);
        terms.loss(&Update::default(), 2, 3).backward().expect("no parameters");
        let sums = [terms.policy, terms.value, terms.entropy].map(|sum| sum.value().item());
        let [d_log_probs, d_values] = [log_probs, values].map(|x| x.grad().expect("it is reached").to_vec());
        [&sums[..], &d_log_probs, &d_values].concat()
    }

    #[test]
    fn terms_poison_behind_an_end_changes_no_byte() {
        let want = terms_and_gradients(0.0);
        assert!(want.iter().all(|x| x.is_finite()) && want[9..11] == [0.0; 2] && want[14] == 0.0, "{want:?}");
        for poison in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, 1e300] {
            assert_eq!(terms_and_gradients(poison), want, "{poison}");
        }
    }

    #[test]
    fn imitation_adds_its_weighed_gradient_to_the_first_worker() {
        let (task, mut params) = (crate::tasks::Calculator::default(), Params::new());
        let policy = Policy::new(&mut params, &task, 4, 1);
        let optimizer = Optimizer::new(nn::Rule::adam(), &params);
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
        learner.memory.note(&solved, update.gamma);
        learner.imitate(&update);

        let Learner { policy, params, workers, imitators, .. } = &learner;
        let [Imitator { replay, .. }] = &imitators[..] else { panic!("one stage has successes") };
        let mut grads = Grads::zeros(params);
        differentiate(policy, params, &mut Tape::new(), &mut grads, |network| {
            replay.loss(network.decisions_of(&replay.played)).scale(0.5 / 2.0)
        });
        assert!(grads.norm() > 0.0);
        assert_eq!(workers[0].grads.flat().to_vec(), grads.flat().to_vec());
    }
}
