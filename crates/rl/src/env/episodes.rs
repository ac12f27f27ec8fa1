//! Running episodes: an [`Env`] whose results are checked and whose horizon is enforced.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use tensor::philox::Philox;

use super::{Action, ActionSpace, Actions, Env, Observations, Spec, Task, Transitions};
use crate::segments::EpisodeLog;

/// The fault of an environment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// No observation was written, or one without tokens.
    NoObservation,
    /// Tokens were written where observations are vectors of `size` numbers.
    TokensForVector {
        /// D.
        size: usize,
    },
    /// A vector was written where observations are tokens.
    VectorForTokens,
    /// A token is outside the vocabulary.
    Token {
        /// The token.
        token: u32,
        /// V.
        vocabulary: usize,
    },
    /// A vector has another size than the task says.
    VectorSize {
        /// The size of the vector.
        found: usize,
        /// D.
        expected: usize,
    },
    /// A number of an observation is infinite or NaN.
    Number {
        /// The index of the number in the vector.
        index: usize,
        /// The number.
        value: f64,
    },
    /// The list of legal actions has another length than there are actions.
    LegalSize {
        /// The length of the list.
        found: usize,
        /// A.
        expected: usize,
    },
    /// No action is legal.
    NothingLegal,
    /// The reward is infinite or NaN, or was not set.
    Reward {
        /// The reward.
        value: f64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoObservation => write!(f, "no observation was written, expected tokens or a vector"),
            Self::TokensForVector { size } => {
                write!(f, "the observation is tokens, but the task's Spec says vectors of {size} numbers")
            }
            Self::VectorForTokens => write!(f, "the observation is a vector, but the task's Spec says tokens"),
            Self::Token { token, vocabulary } => {
                write!(f, "token {token} is outside the vocabulary of {vocabulary} tokens")
            }
            Self::VectorSize { found, expected } => {
                write!(f, "the observation has {found} numbers, but the task's Spec says {expected}")
            }
            Self::Number { index, value } => {
                write!(f, "number {index} of the observation is {value:?}, expected a number that is finite in f32")
            }
            Self::LegalSize { found, expected } => {
                write!(f, "{found} entries say which actions are legal, but there are {expected} discrete actions")
            }
            Self::NothingLegal => write!(f, "no action is legal, but an episode that has not ended needs one"),
            Self::Reward { value } => {
                write!(
                    f,
                    "the reward is {value:?}, expected a number that is finite in f32 (NaN if step does not set it)"
                )
            }
        }
    }
}

/// The error of an environment: a fault with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvError {
    /// The name of the task.
    pub task: String,
    /// The stage.
    pub stage: usize,
    /// The index of the episode among the played episodes, from 0.
    pub episode: usize,
    /// The index of the step in the episode, from 0; `None` for the reset.
    pub step: Option<usize>,
    /// The fault.
    pub fault: Fault,
}

impl fmt::Display for EnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, stage, episode, step, fault } = self;
        match step {
            None => write!(f, "the reset of episode {episode} of {task}, stage {stage}: {fault}"),
            Some(step) => write!(f, "step {step} of episode {episode} of {task}, stage {stage}: {fault}"),
        }
    }
}

impl core::error::Error for EnvError {}

/// B running episodes of a task. Every result of the environment is checked. An episode that reaches the horizon is truncated.
///
/// ```
/// use rl::{env::{Actions, Episodes, Task}, tasks::CalculatorStages};
/// use tensor::philox::Philox;
///
/// let task = CalculatorStages::default();
/// let (spec, mut rngs) = (task.spec(), [Philox::new(42)]);
/// let mut episodes = Episodes::new(&task, 0, 1);
/// episodes.reset(&[0], &mut rngs)?;
/// assert_eq!(spec.token_name(*episodes.observations().tokens(0).last().unwrap()), "CTX");
/// for name in ["MUL", "ADD", "ANS"] {
///     let action = (0..6).find(|&action| spec.action_name(action) == name).unwrap();
///     episodes.step(&[0], &Actions::Discrete(vec![action]), &mut rngs)?;
/// }
/// assert!(episodes.transitions().terminated[0] && episodes.transitions().solved[0]);
/// # Ok::<(), rl::env::EnvError>(())
/// ```
pub struct Episodes {
    spec: Spec,
    stage: usize,
    env: Box<dyn Env>,
    transitions: Transitions,
    /// The number of actions in each episode since its reset, \[B\].
    taken: Vec<usize>,
    /// The update that plays the episodes, and the record of each; `None` unless [`log_update`](Self::log_update) was called.
    log: Option<(u32, Vec<EpisodeLog>)>,
}

impl Episodes {
    /// Creates `count` episodes of a stage of `task`. Each must be reset before its first step.
    ///
    /// # Panics
    /// If the task has no such stage, or if its [`Spec`] is not valid, for example with a horizon of 0.
    #[track_caller]
    pub fn new(task: &(impl Task + ?Sized), stage: usize, count: usize) -> Self {
        let spec = task.spec();
        spec.assert_valid();
        assert!(stage < spec.stages, "stage {stage}, but {} has stages 0 to {}", spec.name, spec.stages - 1);
        Self::with_env(spec, stage, task.env(stage, count), count)
    }

    /// Creates `count` episodes of an environment that [`Task::env`] has not made.
    pub fn with_env(spec: Spec, stage: usize, env: Box<dyn Env>, count: usize) -> Self {
        let transitions = Transitions::new(&spec, count);
        Self { spec, stage, env, transitions, taken: vec![0; count], log: None }
    }

    /// The description of the task.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The stage of the episodes.
    pub fn stage(&self) -> usize {
        self.stage
    }

    /// B, the number of episodes.
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Returns true if there are no episodes.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// The latest observations.
    pub fn observations(&self) -> &Observations {
        &self.transitions.observations
    }

    pub(crate) fn observations_mut(&mut self) -> &mut Observations {
        &mut self.transitions.observations
    }

    /// The results of the latest step of each episode.
    pub fn transitions(&self) -> &Transitions {
        &self.transitions
    }

    /// The number of actions in `episode` since its reset.
    pub fn steps(&self, episode: usize) -> usize {
        self.taken[episode]
    }

    /// Starts new episodes at these indices. `rngs` has a generator for each of the B episodes.
    ///
    /// # Errors
    /// If the environment has a fault.
    ///
    /// # Panics
    /// If there is not one generator per episode.
    #[track_caller]
    pub fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox]) -> Result<(), EnvError> {
        self.assert_len("generators", rngs.len());
        self.transitions.clear(episodes);
        if let Some((update, logs)) = &mut self.log {
            for &i in episodes {
                let log = &mut logs[i];
                (log.update, log.words) = (*update, rngs[i].words_drawn());
                log.updates.clear();
                log.updates.push((*update, 0));
                log.actions.reset(&self.spec.action, 0);
            }
        }
        self.env.reset(episodes, rngs, &mut self.transitions.observations);
        for &i in episodes {
            self.taken[i] = 0;
            self.report(i, None, self.transitions.observations.check(i).err())?;
        }
        Ok(())
    }

    /// Takes one action in each of these episodes.
    ///
    /// # Errors
    /// If the environment has a fault.
    ///
    /// # Panics
    /// If there is not one action and one generator per episode, or if the task has no such action.
    #[track_caller]
    pub fn step(&mut self, episodes: &[usize], actions: &Actions, rngs: &mut [Philox]) -> Result<(), EnvError> {
        self.assert_len("generators", rngs.len());
        self.assert_len("actions", actions.len());
        episodes.iter().for_each(|&i| self.assert_action(i, actions.get(i)));
        self.transitions.clear(episodes);
        self.env.step(episodes, actions, rngs, &mut self.transitions);
        for &i in episodes {
            let (step, out) = (self.taken[i], &mut self.transitions);
            self.taken[i] += 1;
            if let Some((_, logs)) = &mut self.log {
                logs[i].actions.push(actions.get(i));
                logs[i].updates.last_mut().expect("a reset adds an update").1 = self.taken[i];
            }
            if self.taken[i] == self.spec.horizon && !out.terminated[i] && !out.truncated[i] {
                (out.truncated[i], out.solved[i]) = (true, false);
            }
            let fault = self.transitions.faults(i).next();
            self.report(i, Some(step), fault)?;
        }
        Ok(())
    }

    /// Records from now on what [`Segments`](crate::segments) needs to restore the episodes. `update` plays the next steps.
    pub(crate) fn log_update(&mut self, update: u32) {
        let (count, taken) = (self.len(), &self.taken);
        let reserved = self.spec.horizon.min(64); // longer episodes make room for more
        let (current, logs) = self.log.get_or_insert_with(|| {
            let mut logs = vec![EpisodeLog::default(); count];
            for log in &mut logs {
                log.updates.reserve(reserved);
                log.actions = Actions::with_capacity(&self.spec.action, reserved);
            }
            (update, logs)
        });
        *current = update;
        logs.iter_mut().zip(taken).for_each(|(log, &taken)| log.updates.push((update, taken)));
    }

    /// The records of the episodes.
    pub(crate) fn logs(&self) -> &[EpisodeLog] {
        self.log.as_ref().map_or(&[], |(_, logs)| logs)
    }

    /// Replaces the records of the episodes.
    pub(crate) fn set_logs(&mut self, logs: Vec<EpisodeLog>) {
        self.log = Some((0, logs));
    }

    fn report(&self, episode: usize, step: Option<usize>, fault: Option<Fault>) -> Result<(), EnvError> {
        let (task, stage) = (&self.spec.name, self.stage);
        fault.map_or(Ok(()), |fault| Err(EnvError { task: task.clone(), stage, episode, step, fault }))
    }

    #[track_caller]
    fn assert_len(&self, what: &str, found: usize) {
        let episodes = self.len();
        assert!(found == episodes, "Episodes: {episodes} episodes, but {found} {what}");
    }

    #[track_caller]
    fn assert_action(&self, episode: usize, action: Action<'_>) {
        let name = &self.spec.name;
        match (&self.spec.action, action) {
            (ActionSpace::Discrete { names }, Action::Discrete(action)) => assert!(
                (action as usize) < names.len(),
                "Episodes: action {action} of episode {episode}, but {name} has {} actions",
                names.len()
            ),
            (&ActionSpace::Continuous { size }, Action::Continuous(values)) => assert!(
                values.len() == size,
                "Episodes: an action of {} numbers in episode {episode}, but actions of {name} have {size}",
                values.len()
            ),
            (space, action) => {
                panic!("Episodes: {action:?} in episode {episode} of {name}, whose actions are {space:?}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Observer, SingleEnv, Space, Step, vector};
    use crate::test_tasks::Endless;

    #[test]
    fn episodes_end_at_the_horizon_truncated_and_not_solved() {
        for (ends, done, solved) in [
            (None, [false, false, true], false),
            (Some(3), [false, false, true], true),
            (Some(2), [false, true, true], true),
        ] {
            let mut episodes = Episodes::new(&Endless { ends, pays: [1.0; 2] }, 0, 2);
            let mut rngs = [Philox::new(0), Philox::new(1)];
            for _ in 0..2 {
                episodes.reset(&[0, 1], &mut rngs).expect("sound");
                let ended = [(); 3].map(|()| {
                    episodes.step(&[0, 1], &Actions::Discrete(vec![0, 1]), &mut rngs).expect("sound");
                    episodes.transitions().is_done(0) && episodes.transitions().is_done(1)
                });
                let out = episodes.transitions();
                assert_eq!((ended, &out.rewards[..], out.solved[1]), (done, &[1.0; 2][..], solved), "{ends:?}");
                assert_eq!((out.truncated[0], out.terminated[0]), (ends.is_none(), ends.is_some()), "{ends:?}");
                assert_eq!((episodes.steps(0), episodes.observations().tokens(1)), (3, &[1][..]));
            }
        }
    }

    /// A task that shows vectors of two numbers, and makes `flaw` at its second step.
    struct Flawed(fn(Observer<'_>), f64);

    struct Walk {
        taken: usize,
        observe: fn(Observer<'_>),
        reward: f64,
    }

    impl Task for Flawed {
        fn spec(&self) -> Spec {
            Spec::new("flawed", Space::vector(2), ActionSpace::discrete(["A", "B"]), 4)
        }
        fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
            vector(episodes, || Walk { taken: 0, observe: self.0, reward: self.1 })
        }
    }

    impl SingleEnv for Walk {
        fn reset(&mut self, _: &mut Philox) {
            self.taken = 0;
        }
        fn observe(&self, mut out: Observer<'_>) {
            match self.taken {
                2 => (self.observe)(out),
                _ => out.vector(&[1.0, 2.0]),
            }
        }
        fn step(&mut self, _: Action<'_>, _: &mut Philox) -> Step {
            self.taken += 1;
            Step::reward(if self.taken == 2 { self.reward } else { 0.0 })
        }
    }

    /// Plays two steps of episodes 0 and 1, in which the second step of episode 1 comes first.
    fn error(observe: fn(Observer<'_>), reward: f64) -> String {
        let mut episodes = Episodes::new(&Flawed(observe, reward), 0, 2);
        let (mut rngs, actions) = ([Philox::new(0), Philox::new(1)], Actions::Discrete(vec![0, 1]));
        episodes.reset(&[0, 1], &mut rngs).expect("sound");
        episodes.step(&[1], &actions, &mut rngs).expect("sound");
        alloc::format!("{}", episodes.step(&[0, 1], &actions, &mut rngs).expect_err("a flaw"))
    }

    #[test]
    fn episodes_step_fault_names_task_stage_episode_and_step() {
        let sound: fn(Observer<'_>) = |mut out| out.vector(&[0.0; 2]);
        for (observe, reward, want) in [
            (
                (|mut out| out.vector(&[0.0, f64::NAN])) as fn(Observer<'_>),
                0.0,
                "number 1 of the observation is NaN, expected a number that is finite in f32",
            ),
            (
                |mut out| out.vector(&[-1e300, 0.0]),
                0.0,
                "number 0 of the observation is -1e300, expected a number that is finite in f32",
            ),
            (sound, 1e39, "the reward is 1e39, expected a number that is finite in f32 (NaN if step does not set it)"),
            (
                sound,
                f64::NAN,
                "the reward is NaN, expected a number that is finite in f32 (NaN if step does not set it)",
            ),
            (|mut out| out.token(1), 0.0, "the observation is tokens, but the task's Spec says vectors of 2 numbers"),
            (
                |mut out| {
                    out.vector(&[0.0; 2]);
                    out.legal(&[false; 2]);
                },
                0.0,
                "no action is legal, but an episode that has not ended needs one",
            ),
            (|_| (), 0.0, "no observation was written, expected tokens or a vector"),
        ] {
            assert_eq!(error(observe, reward), alloc::format!("step 1 of episode 1 of flawed, stage 0: {want}"));
        }
    }

    /// An environment that sets nothing.
    struct Silent;

    impl Env for Silent {
        fn reset(&mut self, _: &[usize], _: &mut [Philox], out: &mut Observations) {
            out.set_vector(0, &[0.0; 2]);
        }
        fn step(&mut self, _: &[usize], _: &Actions, _: &mut [Philox], out: &mut Transitions) {
            out.observations.set_vector(0, &[0.0; 2]);
        }
    }

    #[test]
    fn episodes_step_reward_that_is_not_set_is_a_fault() {
        let spec = Flawed(|_| (), 0.0).spec();
        let mut episodes = Episodes::with_env(spec, 0, Box::new(Silent), 1);
        let mut rngs = [Philox::new(0)];
        episodes.reset(&[0], &mut rngs).expect("sound");
        let error = episodes.step(&[0], &Actions::Discrete(vec![0]), &mut rngs).expect_err("no reward");
        assert!(matches!(error.fault, Fault::Reward { value } if value.is_nan()) && error.step == Some(0), "{error}");
    }

    #[test]
    fn episodes_reset_fault_names_the_reset() {
        let spec = Spec::new("three", Space::vector(3), ActionSpace::discrete(["A"]), 1);
        let mut episodes = Episodes::with_env(spec, 0, Box::new(Silent), 1);
        let error = episodes.reset(&[0], &mut [Philox::new(0)]).expect_err("two numbers");
        let want =
            "the reset of episode 0 of three, stage 0: the observation has 2 numbers, but the task's Spec says 3";
        assert_eq!(alloc::format!("{error}"), want);
    }

    fn step_endless(actions: Actions) {
        let mut episodes = Episodes::new(&Endless { ends: None, pays: [0.0; 2] }, 0, 1);
        let mut rngs = [Philox::new(0)];
        episodes.reset(&[0], &mut rngs).expect("sound");
        _ = episodes.step(&[0], &actions, &mut rngs);
    }

    #[test]
    #[should_panic(expected = "Episodes: action 2 of episode 0, but endless has 2 actions")]
    fn episodes_step_action_out_of_range_panics() {
        step_endless(Actions::Discrete(vec![2]));
    }

    #[test]
    #[should_panic(expected = "Episodes: Continuous([0.5]) in episode 0 of endless, whose actions are Discrete")]
    fn episodes_step_action_of_another_kind_panics() {
        step_endless(Actions::Continuous { size: 1, values: vec![0.5] });
    }

    #[test]
    #[should_panic(expected = "Episodes: 1 episodes, but 2 actions")]
    fn episodes_step_more_actions_than_episodes_panics() {
        step_endless(Actions::Discrete(vec![0, 0]));
    }

    #[test]
    #[should_panic(expected = "stage 1, but endless has stages 0 to 0")]
    fn episodes_new_stage_out_of_range_panics() {
        Episodes::new(&Endless { ends: None, pays: [0.0; 2] }, 1, 1);
    }

    /// A task with a horizon of 0, which only a `Spec` without `Spec::new` can have.
    struct Instant;

    impl Task for Instant {
        fn spec(&self) -> Spec {
            Spec { horizon: 0, ..Flawed(|_| (), 0.0).spec() }
        }
        fn env(&self, _: usize, _: usize) -> Box<dyn Env> {
            Box::new(Silent)
        }
    }

    #[test]
    #[should_panic(expected = "Spec: the horizon of flawed is 0, expected at least 1")]
    fn episodes_new_horizon_0_panics() {
        Episodes::new(&Instant, 0, 1);
    }
}
