//! A training run of the tutorial with all its bugs. The contexts enter as one mean over the whole batch. Six tokens are
//! sampled, and all of them enter the loss, also those after ANS. The baseline is the sum of all six values.

use autograd::Tape;
use nn::{Grads, Optimizer, Params, UpdateRule, clip_global_norm, differentiate};
use rl::a2c::Metrics;
use rl::distribution::Choice;
use rl::env::{Actions, Step};
use rl::evaluate::{EvalStats, TestResult, test_stream, validation_stream};
use rl::policy::{Architecture, Policy};
use rl::rollout::Undecided;
use rl::settings::Settings;
use rl::tasks::STAGES;
use rl::trajectories::Trajectories;
use rl::{NotFinite, settings};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor};

use crate::EMITTED_TOKENS;
use crate::env::TutorialEnv;
use crate::network::{InitialState, Network, loss, prompt_tokens};

/// The stage of each of the six parts of the schedule. Each part has [`TutorialConfig::stage_updates`] updates.
pub const STAGE_SCHEDULE: [usize; 6] = [0, 0, 0, 1, 1, 2];

settings! {
    /// The hyper-parameters of a run of the tutorial.
    pub struct TutorialConfig {
        "Settings":
        /// H, the hidden size of the GRU. The embeddings have the same size.
        width: usize = 96, "whole numbers from 1 to 4096", |&x| (1..=4096).contains(&x);
        /// B, the number of episodes in an update.
        batch: usize = 192, "whole numbers from 1 to 1048576", |&x| (1..=1 << 20).contains(&x);
        /// The number of updates in each of the six parts of the schedule, which have the stages 0, 0, 0, 1, 1, 2.
        stage_updates: usize = 10, "whole numbers from 1 to 1000000000", |&x| (1..=1_000_000_000).contains(&x);
        /// α, the learning rate of Adam.
        rate: f64 = 3e-4, "numbers above 0", |&x| x > 0.0 && x.is_finite();
        /// The maximum norm of the gradient.
        clip: f64 = 1.0, "numbers above 0", |&x| x > 0.0 && x.is_finite();
        /// The weight of the critic's mean squared error.
        value_coefficient: f64 = 0.5, "numbers from 0", |&x| x >= 0.0 && x.is_finite();
        /// The weight of the entropy.
        entropy: f64 = 0.01, "numbers from 0", |&x| x >= 0.0 && x.is_finite();
        /// The number of updates between evaluations.
        validate_every: usize = 5, "whole numbers from 1 to 1000000000", |&x| (1..=1_000_000_000).contains(&x);
        /// The number of episodes of each stage in an evaluation.
        validation_episodes: usize = 128, "whole numbers from 1 to 16777216", |&x| (1..=1 << 24).contains(&x);
        /// The number of episodes of each stage in the final evaluation.
        test_episodes: usize = 1000, "whole numbers from 1 to 16777216", |&x| (1..=1 << 24).contains(&x);
    }
}

impl TutorialConfig {
    /// The number of updates of a whole run.
    pub fn updates(&self) -> usize {
        STAGE_SCHEDULE.len() * self.stage_updates
    }
}

/// A run of the tutorial.
pub struct TutorialRun<T: Real> {
    /// The hyper-parameters.
    pub config: TutorialConfig,
    /// The seed of all random streams.
    pub seed: u64,
    /// The layers of the network.
    pub policy: Policy,
    /// The parameters of the layers.
    pub params: Params<T>,
    /// The number of updates so far.
    pub updates: usize,
    /// The optimiser of the parameters.
    pub optimizer: Optimizer<T>,
    grads: Grads<T>,
    acting: Tape<T>,
    learning: Tape<T>,
}

/// The report of one update.
#[derive(Clone, Debug)]
pub struct Report {
    /// The number of the update, from 1.
    pub update: usize,
    /// The stage that it trained.
    pub stage: usize,
    /// Losses, entropy, gradient norm and episodes.
    pub metrics: Metrics,
    /// The statistics of each stage, if an evaluation followed.
    pub validation: Option<Vec<EvalStats>>,
}

impl<T: Real> TutorialRun<T> {
    /// Creates a run before its first update.
    ///
    /// # Panics
    /// If a number of the settings is not finite, or if `T` rounds it to zero or out of its range: see
    /// [`Settings::check`].
    #[track_caller]
    pub fn new(config: &TutorialConfig, seed: u64) -> Self {
        config.check::<T>().unwrap_or_else(|error| panic!("TutorialRun: {error}"));
        let mut params = Params::new();
        let policy = Policy::new(&mut params, &crate::spec(), Architecture::gru(config.width), seed);
        Self {
            config: config.clone(),
            seed,
            policy,
            updates: 0,
            optimizer: Optimizer::new(UpdateRule::adam(), &params),
            grads: Grads::zeros(&params),
            params,
            acting: Tape::no_grad(),
            learning: Tape::new(),
        }
    }

    /// Returns true after the last update of the schedule.
    pub fn is_finished(&self) -> bool {
        self.updates >= self.config.updates()
    }

    /// Makes one update, and the evaluation after it if one is due.
    ///
    /// # Errors
    /// If a log-probability, the loss or a gradient is not finite. If the update fails, the parameters are unchanged.
    pub fn advance(&mut self) -> Result<Report, NotFinite> {
        let stage = STAGE_SCHEDULE[(self.updates / self.config.stage_updates).min(STAGE_SCHEDULE.len() - 1)];
        let metrics = self.update(stage)?;
        self.updates += 1;
        let due = self.updates.is_multiple_of(self.config.validate_every) || self.is_finished();
        let validation = if due { Some(self.validate()?) } else { None };
        Ok(Report { update: self.updates, stage, metrics, validation })
    }

    fn update(&mut self, stage: usize) -> Result<Metrics, NotFinite> {
        let number = u32::try_from(self.updates).expect("the number of an update fits into 32 bits");
        let streams = |purpose| -> Vec<Philox> {
            let stream = |episode| Philox::stream(self.seed, Stream { purpose, update: number, episode });
            (0..self.config.batch as u32).map(stream).collect()
        };
        let mut env = TutorialEnv::new(stage, self.config.batch);
        env.reset(&mut streams(Purpose::OPERANDS));
        let (contexts, mut draws) = (env.contexts(0), streams(Purpose::ACTIONS));
        let (network, choice) = ((&self.policy, &self.params), Choice::SAMPLED);
        let played = play_episodes(network, &mut self.acting, (stage, &mut env), &contexts, choice, &mut draws)
            .map_err(|error| NotFinite::from_undecided(number + 1, &self.params, error))?;
        let actions = Tensor::new([EMITTED_TOKENS, played.episodes], played.actions.discrete().to_vec());
        let mut rewards = vec![0.0; played.episodes];
        for (k, reward) in played.rewards.iter().enumerate() {
            rewards[k % played.episodes] += reward;
        }

        let mut stages = vec![(0, 0); STAGES];
        stages[stage] = (played.episodes, played.solved.iter().filter(|&&solved| solved).count());
        let mut metrics = Metrics {
            reward: played.total_reward() / played.episodes as f64,
            steps: played.actions.len(),
            stages,
            ..Metrics::default()
        };
        let loss = differentiate(&self.params, &mut self.learning, &mut self.grads, |tape, weights| {
            let network = Network::new(&self.policy, weights, InitialState::BatchMean);
            let targets = tape.constant(Tensor::from_fn([played.episodes], |i| T::from_f64(rewards[i])));
            let terms = loss(&network, stage, &contexts, &actions, targets, &self.config);
            metrics.policy_loss = terms.policy.value().item().value();
            metrics.value_loss = terms.value.value().item().value();
            metrics.entropy = terms.entropies.mean().value().item().value();
            terms.loss
        });
        metrics.loss = loss.expect("the loss uses every parameter").value();
        match clip_global_norm(&self.params, &mut self.grads, self.config.clip) {
            Ok(norm) if metrics.loss.is_finite() => metrics.grad_norm = norm.value(),
            _ => return Err(NotFinite::find(number, &self.params, &self.grads)),
        }
        self.optimizer.step(self.config.rate, &mut self.params, &self.grads);
        Ok(metrics)
    }

    fn validate(&self) -> Result<Vec<EvalStats>, NotFinite> {
        let episodes = self.config.validation_episodes;
        let stream = |stage, episode| validation_stream(self.seed, self.updates, stage, episode);
        let stats = (0..STAGES).map(|stage| self.evaluate(stage, episodes, stream, false, false));
        stats.collect::<Result<_, _>>().map_err(|error| self.undecided(error))
    }

    /// Tests every stage: with the greedy policy, with sampled actions, and with the context of another episode.
    ///
    /// # Errors
    /// If the log-probability of an action is NaN.
    pub fn test(&self) -> Result<Vec<TestResult>, NotFinite> {
        let play = |stage, sampled, shuffled| {
            let stream = |stage, episode| test_stream(self.seed, stage, episode);
            self.evaluate(stage, self.config.test_episodes, stream, sampled, shuffled)
        };
        let test = |stage| -> Result<TestResult, Undecided> {
            let (greedy, sampled) = (play(stage, false, false)?, play(stage, true, false)?);
            Ok(TestResult { greedy, sampled, shuffled: play(stage, false, true)? })
        };
        (0..STAGES).map(test).collect::<Result<_, _>>().map_err(|error| self.undecided(error))
    }

    /// Plays episodes of one stage. All run in one batch, because their initial state is a mean over all of them.
    fn evaluate(
        &self,
        stage: usize,
        episodes: usize,
        stream: impl Fn(usize, usize) -> Philox,
        sampled: bool,
        shuffled: bool,
    ) -> Result<EvalStats, Undecided> {
        let mut env = TutorialEnv::new(stage, episodes);
        let mut rngs: Vec<Philox> = (0..episodes).map(|episode| stream(stage, episode)).collect();
        env.reset(&mut rngs);
        let contexts = env.contexts(usize::from(shuffled));
        let choice = if sampled { Choice::SAMPLED } else { Choice::Greedy };
        let (network, tape) = ((&self.policy, &self.params), &mut Tape::no_grad());
        let played = play_episodes(network, tape, (stage, &mut env), &contexts, choice, &mut rngs)?;
        Ok(EvalStats::from_trajectories(stage, &[played]))
    }

    fn undecided(&self, error: Undecided) -> NotFinite {
        NotFinite::from_undecided(self.updates as u32, &self.params, error)
    }
}

/// Plays the episodes of `env`, which the caller has reset. Each emits [`EMITTED_TOKENS`] tokens, some after its end. `rngs`
/// draws the actions, if `choice` samples them.
fn play_episodes<T: Real>(
    (policy, params): (&Policy, &Params<T>),
    tape: &mut Tape<T>,
    (stage, env): (usize, &mut TutorialEnv),
    contexts: &Tensor<u32>,
    choice: Choice,
    rngs: &mut [Philox],
) -> Result<Trajectories, Undecided> {
    let episodes = rngs.len();
    let mut played = Trajectories { stage, episodes, steps: EMITTED_TOKENS, ..Trajectories::default() };
    let mut emitted = Vec::new();
    let mut steps = vec![Step::default(); episodes];
    tape.clear();
    let network = Network::new(policy, params.bind(tape), InitialState::BatchMean);
    let mut h = network.start(stage, contexts);
    let mut tokens = prompt_tokens(episodes);
    for step in 0..EMITTED_TOKENS {
        let (states, decisions) = network.read(&tokens, h);
        h = states.select(0, 0);
        let rows = decisions.actions.to_rows();
        let mut actions = Actions::Discrete(vec![0; episodes]);
        for (episode, rng) in rngs.iter_mut().enumerate() {
            if let Some(action) = rows.first_not_finite(episode) {
                return Err(Undecided { stage, episode, step, action });
            }
            rows.choose(episode, choice, rng, &mut actions);
        }
        played.valid.extend(steps.iter().map(|step| !step.terminated));
        played.values.extend(decisions.values.value().to_vec().iter().map(|v| v.value()));
        let actions = actions.discrete();
        env.step(actions, &mut steps);
        played.rewards.extend(steps.iter().map(|step| step.reward));
        tokens = Tensor::new([1, episodes], actions.to_vec()); // every token is an action
        emitted.extend_from_slice(actions);
    }
    played.actions = Actions::Discrete(emitted);
    played.solved = steps.iter().map(|step| step.solved).collect();
    Ok(played)
}
