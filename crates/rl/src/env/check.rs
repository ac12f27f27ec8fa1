//! A check of tasks: [`check`] plays a task at random and names every promise that it breaks.
//!
//! In each stage, it plays the same episodes four times. Episode k always has the random stream k and draws the same actions:
//!
//! 1. alone, each in a new environment,
//! 2. the same again: a difference means that an episode is not reproducible,
//! 3. alone, one after the other in one environment: a difference means that state is left over,
//! 4. side by side in one vector: a difference means that episodes depend on each other.
//!
//! The actions are uniform over the legal ones, or normal if they are numbers. A play has 500 steps, or twice the horizon if
//! that is more, but at most 2,000. A fault that random actions do not reach is not found.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::mem::discriminant;

use tensor::philox::{Philox, Purpose, Stream};

use super::{Actions, Fault, Spec, Task, Transitions};

/// The number of episodes that are played side by side.
const SLOTS: usize = 4;

/// A promise that a task breaks.
#[derive(Clone, Debug, PartialEq)]
pub enum Promise {
    /// The [`Spec`] is valid. The text says what is wrong.
    ValidSpec(String),
    /// [`Task::spec`] always returns the same.
    SameSpec,
    /// Observations, legal actions and rewards are as the [`Spec`] says.
    Valid(Fault),
    /// The environment ends each episode by the horizon.
    Horizon(usize),
    /// Only tasks with [`Spec::with_success`] have solved episodes.
    Success,
    /// Only an episode that ends is solved.
    SolvedAtEnd,
    /// An episode depends only on its random stream and its actions.
    Reproducible,
    /// An episode does not depend on earlier ones.
    Renewed,
    /// An episode does not depend on others of the vector.
    Independent,
}

/// A broken promise, with the place where it was seen first.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokenPromise {
    /// The promise.
    pub promise: Promise,
    /// The stage, from 0.
    pub stage: usize,
    /// The index of the episode in its stage, from 0. It is also that of its random stream.
    pub episode: usize,
    /// The index of the step in the episode, from 0; `None` for the reset.
    pub step: Option<usize>,
}

impl BrokenPromise {
    /// The functions to look at. An environment has either those of [`SingleEnv`](super::SingleEnv) or those of
    /// [`Env`](super::Env).
    pub fn functions(&self) -> &'static str {
        match (&self.promise, self.step) {
            (Promise::ValidSpec(_) | Promise::SameSpec, _) => "Task::spec",
            (Promise::Valid(Fault::Reward { .. }) | Promise::Horizon(_) | Promise::SolvedAtEnd, _) => {
                "SingleEnv::step or Env::step"
            }
            (Promise::Valid(_), None) => "SingleEnv::observe or Env::reset",
            (Promise::Valid(_), Some(_)) => "SingleEnv::observe or Env::step",
            (Promise::Success, _) => "Task::spec, and SingleEnv::step or Env::step",
            (Promise::Reproducible, None) => "Task::env, and SingleEnv::reset or Env::reset",
            (Promise::Reproducible, Some(_)) => "reset and step of SingleEnv or Env",
            (Promise::Renewed, _) => "SingleEnv::reset or Env::reset",
            (Promise::Independent, _) => "Task::env, or Env::reset and Env::step",
        }
    }

    fn is_same_kind(&self, other: &Self) -> bool {
        match (&self.promise, &other.promise) {
            (Promise::Valid(a), Promise::Valid(b)) => discriminant(a) == discriminant(b),
            (a, b) => discriminant(a) == discriminant(b),
        }
    }
}

impl fmt::Display for BrokenPromise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { promise, stage, episode, step } = self;
        match (promise, step) {
            (Promise::ValidSpec(_) | Promise::SameSpec, _) => Ok(()),
            (_, None) => write!(f, "stage {stage}, reset of episode {episode}: "),
            (_, Some(step)) => write!(f, "stage {stage}, step {step} of episode {episode}: "),
        }?;
        match promise {
            Promise::ValidSpec(fault) => write!(f, "the Spec is not valid: {fault}"),
            Promise::SameSpec => write!(f, "the Spec has changed between two calls, expected the same each time"),
            Promise::Valid(fault) => fault.fmt(f),
            Promise::Horizon(horizon) => write!(
                f,
                "the episode has not ended by itself after {horizon} actions, its horizon; training and evaluation \
                 truncate it there, so that step should return truncated or terminated"
            ),
            Promise::Success => write!(f, "the episode is solved, but the Spec does not say with_success"),
            Promise::SolvedAtEnd => write!(f, "the episode is solved, but neither terminated nor truncated"),
            Promise::Reproducible => write!(
                f,
                "a second run with the same random stream and actions had another result; all randomness must come from \
                 the generator that is passed, and all state must be in the environment"
            ),
            Promise::Renewed => write!(
                f,
                "after earlier episodes, the result is another than in a new environment with the same random stream \
                 and actions; a reset must set all of the state"
            ),
            Promise::Independent => write!(
                f,
                "side by side with other episodes, the result is another than alone with the same random stream and \
                 actions; episodes must share no state, and only the listed ones may change"
            ),
        }?;
        write!(f, " (look at {})", self.functions())
    }
}

/// All promises that a task was seen to break, each kind once.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokenPromises(pub Vec<BrokenPromise>);

impl fmt::Display for BrokenPromises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "{count} broken promise{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|broken| write!(f, "\n- {broken}"))
    }
}

impl core::error::Error for BrokenPromises {}

/// Plays a task at random; see the [module](self). The same task always gives the same result.
///
/// # Errors
/// If the task breaks promises.
///
/// # Panics
/// If the task or its environment panics.
pub fn check(task: &(impl Task + ?Sized)) -> Result<(), BrokenPromises> {
    let spec = task.spec();
    let in_spec = |promise| BrokenPromise { promise, stage: 0, episode: 0, step: None };
    if let Err(fault) = spec.check() {
        return Err(BrokenPromises(vec![in_spec(Promise::ValidSpec(fault))]));
    }
    let mut checker = Checker { task, spec: &spec, stage: 0, broken: Vec::new() };
    for stage in 0..spec.stages {
        checker.stage = stage;
        checker.check_stage();
        if task.spec() != spec {
            checker.report(in_spec(Promise::SameSpec));
        }
    }
    if checker.broken.is_empty() { Ok(()) } else { Err(BrokenPromises(checker.broken)) }
}

/// The check of one task.
struct Checker<'a, K: ?Sized> {
    task: &'a K,
    spec: &'a Spec,
    stage: usize,
    broken: Vec<BrokenPromise>,
}

/// The record of one episode: what happened at the reset, and at each step.
#[derive(Default)]
struct Log {
    events: Vec<Event>,
    /// True if the environment had played no other episode at this index.
    is_first: bool,
}

/// The results of a reset or step. Numbers are compared by their bits.
#[derive(PartialEq)]
struct Event {
    /// Tokens, numbers and legal actions; `None` after the end and if they have a fault.
    observation: Option<(Vec<u32>, Vec<u64>, Vec<bool>)>,
    reward: u64,
    /// Terminated, truncated, solved.
    flags: [bool; 3],
}

impl<K: Task + ?Sized> Checker<'_, K> {
    fn check_stage(&mut self) {
        let [alone, again] = [self.play(1, true), self.play(1, true)];
        if self.compare(Promise::Reproducible, &alone, &again, |_| true) {
            return; // without it, the other differences have no meaning
        }
        let after = self.play(1, false);
        let is_left_over = self.compare(Promise::Renewed, &alone, &after, |_| true);
        let together = self.play(SLOTS, false);
        self.compare(Promise::Independent, &alone, &together, |log| log.is_first || !is_left_over);
    }

    /// Reports the first difference between two plays of the same episodes. One play may be cut off earlier. Returns true if
    /// there is a difference.
    fn compare(&mut self, promise: Promise, a: &[Log], b: &[Log], is_compared: impl Fn(&Log) -> bool) -> bool {
        let difference =
            a.iter().zip(b).enumerate().filter(|(_, (_, b))| is_compared(b)).find_map(|(episode, (a, b))| {
                let event = a.events.iter().zip(&b.events).position(|(a, b)| a != b)?;
                Some((episode, event.checked_sub(1)))
            });
        if let Some((episode, step)) = difference {
            self.report(BrokenPromise { promise, stage: self.stage, episode, step });
        }
        difference.is_some()
    }

    /// Plays `slots` episodes side by side; those that end are followed by new ones. In a vector, each episode in turn waits
    /// while the others go on. If `is_renewed`, each episode has a new environment; there must be one slot.
    fn play(&mut self, slots: usize, is_renewed: bool) -> Vec<Log> {
        let (task, spec, stage) = (self.task, self.spec, self.stage);
        let mut env = task.env(stage, slots);
        let (mut out, mut actions) = (Transitions::new(spec, slots), Actions::zeros(&spec.action, slots));
        let [mut rngs, mut choices] = [vec![Philox::new(0); slots], vec![Philox::new(0); slots]];
        let (mut logs, mut running) = (Vec::<Log>::new(), vec![None; slots]);
        let steps = spec.horizon.saturating_mul(2).clamp(500, 2000);
        let (mut played, mut tick) = (0, 0);
        while played < steps {
            tick += 1;
            let starting: Vec<usize> = (0..slots).filter(|&i| running[i].is_none()).collect();
            for &i in &starting {
                let stream = |purpose| Stream { purpose, update: 0, episode: logs.len() as u32 };
                let streams = [Purpose::OPERANDS, Purpose::ACTIONS].map(|purpose| Philox::stream(0, stream(purpose)));
                [rngs[i], choices[i]] = streams;
                running[i] = Some(logs.len());
                logs.push(Log { events: Vec::new(), is_first: tick == 1 });
            }
            if is_renewed && !starting.is_empty() {
                env = task.env(stage, slots);
            }
            out.clear(&starting);
            env.reset(&starting, &mut rngs, &mut out.observations);
            for &i in &starting {
                let faults: Vec<Fault> = out.observations.faults(i).collect();
                self.record(&mut logs, &mut running[i], &out, i, &faults);
            }
            let active: Vec<usize> =
                (0..slots).filter(|&i| running[i].is_some() && !(slots > 1 && tick % slots == i)).collect();
            for &i in &active {
                out.observations.draw_action(i, &mut choices[i], &mut actions);
            }
            out.clear(&active);
            env.step(&active, &actions, &mut rngs, &mut out);
            for &i in &active {
                let faults: Vec<Fault> = out.faults(i).collect();
                self.record(&mut logs, &mut running[i], &out, i, &faults);
            }
            played += active.len().max(1);
        }
        logs
    }

    /// Records and checks the latest result of the episode at index `i`. If it is over, `running` becomes `None`.
    fn record(&mut self, logs: &mut [Log], running: &mut Option<usize>, out: &Transitions, i: usize, faults: &[Fault]) {
        let episode = running.expect("only running episodes have results");
        let log = &mut logs[episode];
        let (is_done, horizon) = (out.is_done(i), self.spec.horizon);
        let is_cut = log.events.len() == horizon && !is_done;
        let step = log.events.len().checked_sub(1);
        let observations = &out.observations;
        let observation = (!out.terminated[i] && faults.is_empty()).then(|| {
            let bits = observations.vector(i).iter().map(|x| x.to_bits()).collect();
            (observations.tokens(i).to_vec(), bits, observations.legal(i).to_vec())
        });
        let flags = [out.terminated[i], out.truncated[i], out.solved[i]];
        log.events.push(Event { observation, reward: out.rewards[i].to_bits(), flags });

        let broken = faults.iter().map(|&fault| Promise::Valid(fault)).chain(
            [
                (is_cut, Promise::Horizon(horizon)),
                (out.solved[i] && !self.spec.has_success, Promise::Success),
                (out.solved[i] && !is_done, Promise::SolvedAtEnd),
            ]
            .into_iter()
            .filter_map(|(is_broken, promise)| is_broken.then_some(promise)),
        );
        for promise in broken {
            self.report(BrokenPromise { promise, stage: self.stage, episode, step });
        }
        // Without a valid list of legal actions, any action might be illegal.
        let is_stuck = faults.iter().any(|fault| matches!(fault, Fault::LegalSize { .. } | Fault::NothingLegal));
        if is_done || is_cut || is_stuck {
            *running = None;
        }
    }

    /// Adds a broken promise, unless one of its kind was seen before.
    fn report(&mut self, broken: BrokenPromise) {
        if !self.broken.iter().any(|known| known.is_same_kind(&broken)) {
            self.broken.push(broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::string::ToString;
    use alloc::sync::Arc;
    use core::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::env::{Action, ActionSpace, Env, Observations, Observer, SingleEnv, Space, Step, vector};
    use crate::tasks::calculator_stages::{ActionSet, CalculatorStages, Rewards};

    /// Two stages of a sound task, which some faulty functions replace. It shows its random digit and the number of steps.
    /// Episodes end after two to four steps.
    #[derive(Clone)]
    struct Toy {
        spec: Spec,
        spec_calls: Arc<AtomicU32>,
        spec_changes: bool,
        reset: fn(&mut Game, &mut Philox),
        observe: fn(&Game, &mut Observer<'_>),
        step: fn(&mut Game, &mut Philox) -> Step,
        shared: Arc<AtomicU32>,
    }

    struct Game {
        stage: usize,
        digit: u32,
        taken: u32,
        resets: u32,
        toy: Toy,
    }

    impl Toy {
        fn new() -> Self {
            let tokens = Space::tokens(["0", "1", "2", "3", "4", "5"]);
            Self {
                spec: Spec::new("toy", tokens, ActionSpace::discrete(["A", "B", "C"]), 4).with_stages(2).with_success(),
                spec_calls: Arc::default(),
                spec_changes: false,
                reset: |game, rng| (game.digit, game.taken) = (rng.below(3), 0),
                observe: |game, out| {
                    out.tokens(&[game.digit, game.taken]);
                    out.legal(&[true, game.taken > 0, true]);
                },
                step: |game, _| match game.taken {
                    4 => Step::truncated(0.5),
                    taken if taken >= 2 + game.digit => Step::solved(1.0),
                    _ => Step::reward(0.5),
                },
                shared: Arc::default(),
            }
        }
    }

    impl Task for Toy {
        fn spec(&self) -> Spec {
            let calls = self.spec_calls.fetch_add(1, Ordering::Relaxed) as usize;
            let caveat = if self.spec_changes { "Call ".to_string() + &calls.to_string() } else { String::new() };
            Spec { caveat, ..self.spec.clone() }
        }
        fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
            vector(episodes, || Game { stage, digit: 0, taken: 0, resets: 0, toy: self.clone() })
        }
    }

    impl SingleEnv for Game {
        fn reset(&mut self, rng: &mut Philox) {
            self.resets += 1;
            (self.toy.reset)(self, rng);
        }
        fn observe(&self, mut out: Observer<'_>) {
            (self.toy.observe)(self, &mut out);
        }
        fn step(&mut self, _: Action<'_>, rng: &mut Philox) -> Step {
            self.taken += 1;
            (self.toy.step)(self, rng)
        }
    }

    /// The broken promises of a task: what, where, and the functions to look at.
    fn found(task: &dyn Task) -> Vec<(Promise, usize, Option<usize>, &'static str)> {
        let broken = check(task).err().map_or(Vec::new(), |broken| broken.0);
        broken
            .into_iter()
            .map(|broken| (broken.promise.clone(), broken.stage, broken.step, broken.functions()))
            .collect()
    }

    const OBSERVE_RESET: &str = "SingleEnv::observe or Env::reset";
    const OBSERVE_STEP: &str = "SingleEnv::observe or Env::step";
    const STEP: &str = "SingleEnv::step or Env::step";

    #[test]
    fn check_sound_tasks_pass() {
        assert_eq!(found(&Toy::new()), []);
        for actions in [ActionSet::Tools, ActionSet::Tokens] {
            assert_eq!(found(&CalculatorStages::new(actions, Rewards::default())), []);
        }
    }

    #[test]
    fn check_faulty_observation_names_observe() {
        let observing = |observe| found(&Toy { observe, ..Toy::new() });
        let token = Promise::Valid(Fault::Token { token: 6, vocabulary: 6 });
        assert_eq!(
            observing(|game, out| out.token(if game.taken == 1 && game.digit == 2 && game.stage == 1 { 6 } else { 0 })),
            [(token, 1, Some(0), OBSERVE_STEP)]
        );
        let kind = Promise::Valid(Fault::VectorForTokens);
        assert_eq!(observing(|_, out| out.vector(&[0.0])), [(kind, 0, None, OBSERVE_RESET)]);
        let nothing = Promise::Valid(Fault::NoObservation);
        assert_eq!(observing(|game, out| out.tokens(&[0, 0][game.taken as usize / 3..])), []);
        assert_eq!(
            observing(|game, out| out.tokens(&[0, 0, 0][game.taken.min(3) as usize..])),
            [(nothing, 0, Some(2), OBSERVE_STEP)]
        );
    }

    #[test]
    fn check_faulty_vector_names_observe() {
        let spec = Spec { observation: Space::vector(2), ..Toy::new().spec };
        let observing = |observe| found(&Toy { observe, spec: spec.clone(), ..Toy::new() });
        assert_eq!(observing(|game, out| out.vector(&[f64::from(game.digit), -1.0])), []);
        let kind = Promise::Valid(Fault::TokensForVector { size: 2 });
        assert_eq!(observing(|_, out| out.token(0)), [(kind, 0, None, OBSERVE_RESET)]);
        let size = Promise::Valid(Fault::VectorSize { found: 1, expected: 2 });
        assert_eq!(observing(|_, out| out.vector(&[0.0])), [(size, 0, None, OBSERVE_RESET)]);
        let number = Promise::Valid(Fault::Number { index: 1, value: f64::NEG_INFINITY });
        let infinite: fn(&Game, &mut Observer<'_>) = |game, out| out.vector(&[0.0, f64::from(game.taken).ln()]);
        assert_eq!(observing(infinite), [(number, 0, None, OBSERVE_RESET)]);
    }

    #[test]
    fn check_illegal_masks_name_observe() {
        let observing = |observe| found(&Toy { observe, ..Toy::new() });
        let size = Promise::Valid(Fault::LegalSize { found: 2, expected: 3 });
        let short: fn(&Game, &mut Observer<'_>) = |_, out| {
            out.token(0);
            out.legal(&[true; 2]);
        };
        assert_eq!(observing(short), [(size, 0, None, OBSERVE_RESET)]);
        let nothing = Promise::Valid(Fault::NothingLegal);
        let none: fn(&Game, &mut Observer<'_>) = |game, out| {
            out.token(0);
            out.legal(&[game.taken < 1; 3]);
        };
        assert_eq!(observing(none), [(nothing, 0, Some(0), OBSERVE_STEP)]);
    }

    #[test]
    fn check_faulty_step_names_step() {
        let stepping = |step| found(&Toy { step, ..Toy::new() });
        let [(promise, 0, Some(1), STEP)] = &stepping(|game, _| match game.taken {
            2 => Step::terminated(f64::NAN),
            _ => Step::reward(0.0),
        })[..] else {
            panic!("one fault of the second step")
        };
        assert!(matches!(promise, Promise::Valid(Fault::Reward { value }) if value.is_nan()), "{promise:?}");
        let late: fn(&mut Game, &mut Philox) -> Step = |game, _| match game.taken {
            4 if game.digit == 1 => Step::reward(0.0),
            4 => Step::terminated(0.0),
            _ => Step::reward(0.0),
        };
        assert_eq!(stepping(late), [(Promise::Horizon(4), 0, Some(3), STEP)]);
        let early: fn(&mut Game, &mut Philox) -> Step = |game, _| match game.taken {
            3 => Step::solved(0.0),
            _ => Step { solved: true, ..Step::reward(0.0) },
        };
        assert_eq!(stepping(early), [(Promise::SolvedAtEnd, 0, Some(0), STEP)]);
    }

    #[test]
    fn check_solved_in_a_task_without_success_names_spec_and_step() {
        let spec = Spec { has_success: false, ..Toy::new().spec };
        let [(Promise::Success, 0, Some(_), functions)] = found(&Toy { spec, ..Toy::new() })[..] else {
            panic!("one broken promise")
        };
        assert_eq!(functions, "Task::spec, and SingleEnv::step or Env::step");
    }

    /// The number of resets takes part in the second step, so that the fault is seen there.
    #[test]
    fn check_state_of_earlier_episodes_names_reset() {
        let observe: fn(&Game, &mut Observer<'_>) =
            |game, out| out.token(u32::from(game.taken == 2 && game.resets > 1));
        let broken = found(&Toy { observe, ..Toy::new() });
        assert_eq!(broken, [(Promise::Renewed, 0, Some(1), "SingleEnv::reset or Env::reset")]);
        let forgetful: fn(&mut Game, &mut Philox) = |game, rng| game.digit = rng.below(3);
        let broken =
            found(&Toy { reset: forgetful, observe: |game, out| out.token(game.digit.min(game.taken)), ..Toy::new() });
        assert!(broken.iter().any(|broken| broken.0 == Promise::Renewed), "{broken:?}");
        assert!(broken.iter().all(|broken| broken.0 != Promise::Independent), "{broken:?}");
    }

    #[test]
    fn check_state_outside_of_the_environment_names_where_it_is_seen() {
        let reset: fn(&mut Game, &mut Philox) =
            |game, _| (game.digit, game.taken) = (game.toy.shared.fetch_add(1, Ordering::Relaxed) % 3, 0);
        let broken = found(&Toy { reset, ..Toy::new() });
        assert_eq!(broken, [(Promise::Reproducible, 0, None, "Task::env, and SingleEnv::reset or Env::reset")]);
        let step: fn(&mut Game, &mut Philox) -> Step = |game, _| match game.taken {
            4 => Step::terminated(0.0),
            _ => Step::reward(f64::from(game.toy.shared.fetch_add(1, Ordering::Relaxed))),
        };
        let broken = found(&Toy { step, ..Toy::new() });
        assert_eq!(broken, [(Promise::Reproducible, 0, Some(0), "reset and step of SingleEnv or Env")]);
    }

    /// A vector that resets or steps all of its episodes, whichever are listed.
    struct Crowd {
        games: Box<dyn Env>,
        all: Vec<usize>,
        resets_all: bool,
        steps_all: bool,
    }

    impl Env for Crowd {
        fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
            self.games.reset(if self.resets_all { &self.all } else { episodes }, rngs, out);
        }
        fn step(&mut self, episodes: &[usize], actions: &Actions, rngs: &mut [Philox], out: &mut Transitions) {
            self.games.step(if self.steps_all { &self.all } else { episodes }, actions, rngs, out);
        }
    }

    struct Crowded {
        toy: Toy,
        resets_all: bool,
        steps_all: bool,
    }

    impl Task for Crowded {
        fn spec(&self) -> Spec {
            self.toy.spec()
        }
        fn env(&self, stage: usize, count: usize) -> Box<dyn Env> {
            let &Self { ref toy, resets_all, steps_all } = self;
            Box::new(Crowd { games: toy.env(stage, count), all: (0..count).collect(), resets_all, steps_all })
        }
    }

    /// All episodes have three steps. If they were in step, these faults would not be seen.
    #[test]
    fn check_episodes_that_change_without_being_listed_name_env() {
        let step: fn(&mut Game, &mut Philox) -> Step = |game, _| match game.taken {
            3.. => Step::terminated(0.0),
            _ => Step::reward(f64::from(game.taken)),
        };
        for (resets_all, steps_all) in [(false, false), (true, false), (false, true)] {
            let broken = found(&Crowded { toy: Toy { step, ..Toy::new() }, resets_all, steps_all });
            let last = broken.last().map(|(promise, _, _, functions)| (promise, *functions));
            let want = (&Promise::Independent, "Task::env, or Env::reset and Env::step");
            assert_eq!(last, (resets_all || steps_all).then_some(want), "{broken:?}");
        }
    }

    #[test]
    fn check_spec_that_changes_names_spec() {
        let broken = found(&Toy { spec_changes: true, ..Toy::new() });
        assert_eq!(broken, [(Promise::SameSpec, 0, None, "Task::spec")]);
    }

    #[test]
    fn check_invalid_spec_is_a_broken_promise() {
        let spec = Spec { horizon: 0, ..Toy::new().spec };
        let broken = check(&Toy { spec, ..Toy::new() }).expect_err("a horizon of 0");
        let want = "1 broken promise:\n- the Spec is not valid: the horizon of toy is 0, expected at least 1 (look at \
                    Task::spec)";
        assert_eq!(broken.to_string(), want);
    }

    #[test]
    fn check_several_faults_names_each_once_with_its_place() {
        let spec = Spec { has_success: false, ..Toy::new().spec };
        let observe: fn(&Game, &mut Observer<'_>) = |game, out| out.token(9 - u32::from(game.taken == 0) * 9);
        let broken = check(&Toy { spec, observe, ..Toy::new() }).expect_err("two faults").to_string();
        let lines: Vec<&str> = broken.lines().collect();
        let token = "- stage 0, step 0 of episode 0: token 9 is outside the vocabulary of 6 tokens (look at \
                     SingleEnv::observe or Env::step)";
        assert_eq!((lines.len(), lines[0], lines[1]), (3, "2 broken promises:", token));
        let success = "the episode is solved, but the Spec does not say with_success (look at Task::spec, and \
                       SingleEnv::step or Env::step)";
        assert!(lines[2].starts_with("- stage 0, step ") && lines[2].ends_with(success), "{broken}");
    }

    /// Actions that are numbers are played, and a horizon above 500 is reached.
    #[test]
    fn check_continuous_actions_and_a_long_horizon_are_played() {
        let action = ActionSpace::continuous(2);
        let spec = Spec { action, horizon: 900, stages: 1, ..Toy::new().spec };
        let observe: fn(&Game, &mut Observer<'_>) = |_, out| out.token(0);
        let broken = found(&Toy { spec, observe, step: |_, _| Step::reward(0.0), ..Toy::new() });
        assert_eq!(broken, [(Promise::Horizon(900), 0, Some(899), STEP)]);
    }
}
