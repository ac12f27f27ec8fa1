//! Runs of tasks of a program: vectors and tokens, actions with names and numbers, masks, truncation, segments, stages, faults
//! of the environment, and tasks that have changed since their checkpoint.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use console::strip_ansi_codes;
use rl::agent::Agent;
use rl::config::CriticKind;
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step};
use rl::settings::Settings;
use tempfile::TempDir;
use tensor::philox::Philox;

use super::*;
use crate::explain::{EpisodeRequest, ExplainedEpisode, page, terminal};
use crate::folder::{About, EPISODES, RunSet};
use crate::input::tasks::Tasks;
use crate::live::Live;
use crate::report;

/// A task whose parts a test chooses. Episodes end after 3 to 6 steps, or are truncated.
#[derive(Debug)]
struct Lab {
    spec: fn() -> Spec,
    /// True while the environment has a fault at the third step of every episode.
    is_broken: AtomicBool,
    /// The version of the task.
    version: AtomicUsize,
}

impl Lab {
    const fn new(spec: fn() -> Spec) -> Self {
        Self { spec, is_broken: AtomicBool::new(false), version: AtomicUsize::new(0) }
    }
}

impl Task for Lab {
    fn spec(&self) -> Spec {
        let spec = (self.spec)();
        match self.version.load(Ordering::Relaxed) {
            1 => Spec { observation: Space::vector(5), ..spec },
            2 => Spec { action: ActionSpace::discrete(["A", "B"]), ..spec },
            3 => Spec { horizon: 9, ..spec },
            4 => spec.with_stages(3),
            5 => spec.with_success(),
            _ => spec,
        }
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        let (spec, is_broken) = (self.spec(), self.is_broken.load(Ordering::Relaxed));
        env::vector(episodes, || Game { spec: spec.clone(), is_broken, stage, target: 0, step: 0, last: 0.0 })
    }
}

struct Game {
    spec: Spec,
    is_broken: bool,
    stage: usize,
    target: u32,
    step: u32,
    last: f64,
}

impl SingleEnv for Game {
    fn reset(&mut self, rng: &mut Philox) {
        (self.target, self.step, self.last) = (rng.below(4), 0, 0.0);
    }

    fn observe(&self, mut out: Observer<'_>) {
        match &self.spec.observation {
            Space::Tokens { .. } if self.step == 0 => out.tokens(&[self.target, 4][..1 + (self.target % 2) as usize]),
            Space::Tokens { .. } => out.tokens(&[self.target]),
            &Space::Vector { size } => {
                out.vector(&[f64::from(self.target), f64::from(self.step), self.last, 0.5, -0.5][..size]);
            }
        }
        if self.spec.action.size() == 3 && matches!(self.spec.action, ActionSpace::Discrete { .. }) {
            out.legal(&[true, self.step > 0, self.step < 2]);
        }
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.step += 1;
        let value = match action {
            Action::Discrete(action) => f64::from(action),
            Action::Continuous(x) => x.iter().sum::<f64>().clamp(-3.0, 3.0),
        };
        self.last = value;
        let reward = -(value - f64::from(self.target % 2) - self.stage as f64).abs();
        match self.step {
            3 if self.is_broken => Step::reward(f64::NAN),
            step if step < 3 + self.target => Step::reward(reward),
            _ if self.spec.has_success && reward == 0.0 => Step::solved(1.0),
            _ => Step::terminated(reward),
        }
    }
}

fn config() -> Config {
    Config {
        width: 8,
        batch: 12,
        chunk: 5,
        max_updates: 6,
        validate_every: 3,
        validation_episodes: 8,
        test_episodes: 8,
        ..Config::default()
    }
}

fn plan(task: &'static Lab, config: Config) -> TrainingPlan {
    let checkpoint_policy = CheckpointPolicy { save_every: 1, ..CheckpointPolicy::default() };
    TrainingPlan { task: TaskChoice::Fixed(task), config, checkpoint_policy, init: None, device: Device::Host }
}

fn train(plan: &TrainingPlan, folder: &Path, stop_after: Option<usize>) -> Result<RunStatus> {
    plan.check()?;
    let folder = match folder.join(CONFIG).exists() {
        true => Folder::open(folder)?.0,
        false => Folder::create(folder, &About::now(None))?,
    };
    plan.train(7, &folder, stop_after, &mut Live::without_terminal().view(7))
}

/// Trains to the end, and returns the folder and the run.
#[track_caller]
fn trained(plan: &TrainingPlan) -> (TempDir, TimedOutcome) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    match train(plan, folder.path(), None) {
        Ok(RunStatus::Finished(run)) => (folder, run),
        Ok(RunStatus::Stopped) => panic!("stopped"),
        Err(error) => panic!("{error}"),
    }
}

/// Returns the error of the command, and asserts that it has changed no file.
#[track_caller]
fn refusal(plan: &TrainingPlan, folder: &Path) -> String {
    let files = || {
        let mut files: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files.into_iter().map(|path| (fs::read(&path).unwrap_or_default(), path)).collect::<Vec<_>>()
    };
    let before = files();
    let checked = plan.check_settings(7, folder).map(drop);
    let error = checked.err().unwrap_or_else(|| train(plan, folder, None).err().expect("refused")).to_string();
    assert!(files() == before, "files have changed: {error}");
    error
}

/// Explains a test episode as text and as a page.
#[track_caller]
fn explain(plan: &TrainingPlan, folder: &Path) -> (ExplainedEpisode, String) {
    let mut run = plan.create_run(7).expect("a run");
    checkpoint::load(&folder.join(MODEL), &mut run).expect("a checkpoint");
    let request = EpisodeRequest { stage: 0, operands: None, number: 1, seed: 7, sampled: true };
    let explained = ExplainedEpisode::play(&run, request, "model".to_owned()).expect("an episode");
    let page = page::page(&explained);
    assert!(!page.contains("NaN") && !page.contains("xact match"), "{page}");
    let text = strip_ansi_codes(&terminal::to_text(&explained, 80)).into_owned();
    (explained, text)
}

/// A report of the folder.
#[track_caller]
fn report_page(plan: &TrainingPlan, folder: &Path) -> String {
    report::page(&RunSet::read_of_task(folder, plan.task).expect("a run"))
}

fn steering() -> Spec {
    Spec::new("steering", Space::vector(3), ActionSpace::continuous(2), 5)
}

fn riddle() -> Spec {
    let tokens = ["zero", "one", "two", "three", "end"];
    Spec::new("riddle", Space::tokens(tokens), ActionSpace::discrete(["LEFT", "RIGHT", "A LONG NAME OF AN ACTION"]), 20)
        .with_stages(2)
        .with_success()
}

fn walk() -> Spec {
    Spec::new("walk", Space::vector(3), ActionSpace::discrete(["LEFT", "STAY", "RIGHT"]), 8)
}

#[test]
fn train_vectors_and_continuous_actions_without_success_shows_rewards_only() {
    static TASK: Lab = Lab::new(steering);
    let plan = plan(&TASK, Config { normalize_observations: true, normalize_rewards: true, ..config() });
    let (folder, run) = trained(&plan);
    let test = &run.outcome.stages[0];
    assert_eq!(
        (test.exact, test.sampled, test.shuffled, test.shuffled_reward, test.programs),
        (None, None, None, None, None)
    );
    assert!(test.reward < 0.0 && test.sampled_reward.is_some(), "{test:?}");
    let read = |name| fs::read_to_string(folder.path().join(name)).expect("a file");
    for name in [METRICS, EPISODES, TEST] {
        assert!(!read(name).contains("exact"), "{name}");
    }
    let mut loaded = plan.create_run(7).expect("a run");
    checkpoint::load(&folder.path().join(MODEL), &mut loaded).expect("a checkpoint");
    let again = final_test::run_final_test(&loaded, 7, Some(8), [0]).expect("no fault");
    assert_eq!(again, run.outcome.stages, "a loaded run normalises as the trained one");
    let (explained, text) = explain(&plan, folder.path());
    let step = &explained.episode.steps[0];
    assert_eq!((step.numbers.len(), step.means.len(), step.deviations.len(), step.probabilities.len()), (2, 2, 2, 0));
    for part in
        ["steering, stage 0, test episode 1, sampled", " 1 ▸ ", " ± ", "observed ", "value ", "reset ", " after "]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let page = report_page(&plan, folder.path()).split("<h2>Settings").next().expect("a part").to_owned();
    assert!(!page.contains("xact match") && !page.contains("Performance profile"), "{page}");
    for part in ["Mean reward is", "actions of this task are numbers", " ± ", "observed before it"] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(folder.path().join(BEST).exists(), "the best reward has a checkpoint");
    let agent = Agent::<f32>::load(folder.path().join(MODEL)).expect("an agent without its task");
    assert_eq!(agent.spec(), &TASK.spec());
}

#[test]
fn train_tokens_with_masks_and_success_shows_shuffled_and_exact_match() {
    static TASK: Lab = Lab::new(riddle);
    let plan = plan(&TASK, config());
    let (folder, run) = trained(&plan);
    assert_eq!(run.outcome.stages.len(), 2);
    assert!(run.outcome.stages.iter().all(|test| test.exact.is_some() && test.shuffled.is_some()), "{run:?}");
    let mut loaded = plan.create_run(7).expect("a run");
    checkpoint::load(&folder.path().join(MODEL), &mut loaded).expect("a checkpoint");
    let request = EpisodeRequest { stage: 1, operands: None, number: 0, seed: 7, sampled: false };
    let explained = ExplainedEpisode::play(&loaded, request, "model".to_owned()).expect("an episode");
    assert_eq!(explained.episode.steps[0].probabilities[1], 0.0, "not legal at the first step");
    assert!(explained.episode.steps[2].probabilities[2] == 0.0 && explained.episode.goals.is_empty());
    let text = strip_ansi_codes(&terminal::to_text(&explained, 80)).into_owned();
    assert!(text.contains("A LONG NAME…") && text.contains("solved") && text.contains("observed "), "{text}");
    assert!(text.lines().all(|line| console::measure_text_width(line) <= 80), "{text}");
    assert!(report_page(&plan, folder.path()).contains("Exact match is"));
}

#[test]
fn explain_truncated_episode_says_so() {
    static TASK: Lab = Lab::new(steering);
    let plan = plan(&TASK, config());
    let run = plan.create_run(7).expect("a run");
    let play = |number| {
        let request = EpisodeRequest { stage: 0, operands: None, number, seed: 7, sampled: false };
        let explained = ExplainedEpisode::play(&run, request, "model".to_owned()).expect("an episode");
        (explained.episode.steps.len(), explained.episode.truncated, terminal::to_text(&explained, 80))
    };
    let all: Vec<_> = (0..12).map(play).collect();
    for (steps, truncated, text) in &all {
        assert!(*steps <= 5, "{steps}");
        assert!(text.contains(if *truncated { "truncated after 5 steps" } else { "terminated after " }), "{text}");
    }
    assert!(all.iter().any(|(_, truncated, _)| *truncated) && all.iter().any(|(_, truncated, _)| !truncated));
}

/// Stops after each update and goes on, with segments that are open at each stop and with normalisation. Then the test is
/// repeated from the last checkpoint.
#[test]
fn resume_segments_and_statistics_gives_the_same_bytes() {
    static TASK: Lab = Lab::new(walk);
    let config = Config { segment: 2, normalize_observations: true, normalize_rewards: true, ..config() };
    let plan = plan(&TASK, config);
    let (whole, _) = trained(&plan);
    let parts = tempfile::tempdir().expect("a temporary folder");
    while !matches!(train(&plan, parts.path(), Some(1)).expect("no error"), RunStatus::Finished(_)) {}
    fs::remove_file(parts.path().join(TEST)).expect("removed");
    assert!(matches!(train(&plan, parts.path(), None), Ok(RunStatus::Finished(_))));
    for name in [METRICS, EPISODES, TEST, MODEL, BEST] {
        let read = |folder: &TempDir| fs::read(folder.path().join(name)).expect("a file");
        assert!(read(&whole) == read(&parts), "{name}");
    }
}

#[test]
fn train_fault_of_the_environment_stops_with_its_place_and_goes_on_when_mended() {
    static TASK: Lab = Lab::new(walk);
    let plan = plan(&TASK, config());
    let (whole, _) = trained(&plan);
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(matches!(train(&plan, folder.path(), Some(2)), Ok(RunStatus::Stopped)));
    let model = || fs::read(folder.path().join(MODEL)).expect("a checkpoint");
    let before = model();
    TASK.is_broken.store(true, Ordering::Relaxed);
    let error = train(&plan, folder.path(), None).err().expect("a fault").to_string();
    for part in [
        "update 3: step 2 of episode 0 of walk, stage 0: the reward is NaN",
        "; mend the task's environment and build the program again; the last checkpoint is complete",
        "train --resume ",
    ] {
        assert!(error.contains(part), "no {part} in {error}");
    }
    assert!(model() == before && !folder.path().join(TEST).exists(), "it is not an outcome");
    TASK.is_broken.store(false, Ordering::Relaxed);
    assert!(matches!(train(&plan, folder.path(), None), Ok(RunStatus::Finished(_))));
    for name in [METRICS, EPISODES, TEST, MODEL] {
        let read = |folder: &TempDir| fs::read(folder.path().join(name)).expect("a file");
        assert!(read(&whole) == read(&folder), "{name}");
    }
}

#[test]
fn resume_with_a_changed_task_or_network_is_refused_in_words() {
    static TASK: Lab = Lab::new(walk);
    let first = plan(&TASK, config());
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(matches!(train(&first, folder.path(), Some(2)), Ok(RunStatus::Stopped)));
    for (version, message) in [
        (1, "its number of observed numbers is 3, expected 5; use another checkpoint, or the task as it was then"),
        (2, "its list of actions is LEFT, STAY, RIGHT, expected A, B"),
        (3, "its horizon is 8, expected 9"),
        (4, "its number of stages is 1, expected 3"),
        (5, "its has_success is false, expected true"),
    ] {
        TASK.version.store(version, Ordering::Relaxed);
        let error = refusal(&first, folder.path());
        assert!(error.contains(message), "{error}");
    }
    TASK.version.store(0, Ordering::Relaxed);
    let path = folder.path().join(MODEL);
    let loaded = nn::Checkpoint::load(&path).expect("a checkpoint");
    let check =
        |config: &Config| checkpoint::check(&path, &loaded, &TASK.spec(), config).expect_err("refused").to_string();
    let mut other = config();
    other.set("memory", "none").expect("a value");
    assert!(check(&other).contains("its memory is gru, expected none; use another checkpoint, or set memory to gru"));
    let other = Config { encoder_layers: 2, ..config() };
    assert!(check(&other).contains("its encoder_layers is 1, expected 2"), "{}", check(&other));
    let other = Config { critic: CriticKind::Separate, ..config() };
    assert!(check(&other).contains("its critic is shared, expected separate"), "{}", check(&other));
    static OTHER: Lab = Lab::new(steering);
    let error = refusal(&plan(&OTHER, config()), folder.path());
    assert!(error.contains("its task is walk, expected steering"), "{error}");
    assert!(matches!(train(&first, folder.path(), None), Ok(RunStatus::Finished(_))), "nothing is lost");
}

#[test]
fn check_settings_that_do_not_fit_the_task_are_errors() {
    static WALK: Lab = Lab::new(walk);
    static RIDDLE: Lab = Lab::new(riddle);
    let refused = |task, config| plan(task, config).check().expect_err("refused").to_string();
    assert!(refused(&WALK, Config { imitate: 3, ..config() }).contains("imitate = 3"));
    let normalizing = Config { normalize_observations: true, ..config() };
    assert!(refused(&RIDDLE, normalizing).contains("normalize_observations"));
    let mut without_memory = config();
    without_memory.set("memory", "none").expect("a value");
    assert!(refused(&RIDDLE, without_memory).contains("memory = none"));
}

/// An episode of 300 steps is recorded up to step 100; its length and its reward are whole.
#[test]
fn episodes_line_of_a_long_episode_is_bounded() {
    fn endless() -> Spec {
        Spec { horizon: 300, ..walk() }
    }
    struct Endless;
    impl Task for Endless {
        fn spec(&self) -> Spec {
            endless()
        }
        fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
            env::vector(episodes, || Still)
        }
    }
    struct Still;
    impl SingleEnv for Still {
        fn reset(&mut self, _: &mut Philox) {}
        fn observe(&self, mut out: Observer<'_>) {
            out.vector(&[0.0; 3]);
        }
        fn step(&mut self, _: Action<'_>, _: &mut Philox) -> Step {
            Step::reward(0.5)
        }
    }
    let plan =
        TrainingPlan { task: TaskChoice::Fixed(&Endless), ..plan(Box::leak(Box::new(Lab::new(walk))), config()) };
    let run = plan.create_run(0).expect("a run");
    let line = describe_behaviour(&run, 0).expect("no fault").expect("finite");
    assert_eq!((line.probabilities.len(), line.episode.steps.len(), line.episode.truncated), (100, 100, true));
    assert_eq!(line.episode.totals(), (300, 150.0));
}

#[test]
fn tasks_with_taken_or_unusable_names_are_refused() {
    struct Named(&'static str, usize);
    impl Task for Named {
        fn spec(&self) -> Spec {
            Spec { name: self.0.into(), horizon: self.1, ..walk() }
        }
        fn env(&self, _: usize, _: usize) -> Box<dyn Env> {
            unreachable!("no episode is played")
        }
    }
    let refused = |own: &[&'static dyn Task]| Tasks::new(own).expect_err("refused").to_string();
    assert!(refused(&[&Named("calculator-stages", 5)]).contains("the task name calculator-stages is taken"));
    assert!(refused(&[&Named("cartpole", 5)]).contains("the task name cartpole is taken"));
    assert!(refused(&[&Named("tutorial", 5)]).contains("the task name tutorial is taken"));
    assert!(refused(&[&Named("a", 5), &Named("b", 5), &Named("a", 5)]).contains("two tasks have the name a"));
    assert!(refused(&[&Named("../a", 5)]).contains("cannot be part of a folder's name"));
    assert!(refused(&[&Named("-a", 5)]).contains("cannot be part of a folder's name"));
    assert!(refused(&[&Named("a", 0)]).contains("the horizon of a is 0"));
    let tasks = Tasks::new(&[&Named("a", 5), &Named("b", 5)]).expect("valid");
    assert_eq!(tasks.default_task().name(), "a");
    assert_eq!(tasks.names().take(4).collect::<Vec<_>>(), ["a", "b", "expression", "expression-tools"]);
    assert_eq!(tasks.names().count(), 8 + known::tasks().len());
    assert!(tasks.choose(Some("c")).expect_err("unknown").to_string().contains("--task: there is no task c;"));
}
