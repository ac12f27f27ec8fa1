//! Tests of an agent that is loaded from a run's checkpoint: it acts as the run does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nn::{Linear, Params};
use rl::agent::{self, Agent};
use rl::config::{Actions, Config, GruVariant};
use rl::env::{Actions as EnvActions, Episodes, Task};
use rl::settings::Settings;
use rl::tasks::CalculatorStages;
use rl::tasks::token;
use rl::train::Run;
use tensor::Map;
use tensor::philox::{Philox, Purpose, Stream};

/// The number of test episodes per stage.
const EPISODES: usize = 300;

/// The path of a temporary file, which is deleted on drop.
struct File(PathBuf);

impl File {
    fn new(test: &str) -> Self {
        Self(std::env::temp_dir().join(format!("gradus-agent-{test}-{}.safetensors", std::process::id())))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

fn save(path: &Path, params: &Params<f32>, about: &[(&str, &str)]) {
    let about = about.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    nn::save_checkpoint(path, params, None, &about).expect("a temporary folder");
}

fn error(path: &Path) -> String {
    let error = Agent::<f32>::load(path).map(|_| ()).expect_err("no agent").to_string();
    error.replace(&path.display().to_string(), "FILE")
}

/// Plays the test episodes of `stage` with the agent, one context at a time. Returns each program with its count.
fn programs(agent: &Agent<f32>, run: &Run<f32, CalculatorStages>, stage: usize) -> BTreeMap<Vec<u32>, usize> {
    let mut programs = BTreeMap::new();
    for i in 0..EPISODES {
        let mut episodes = Episodes::new(&run.task, stage, 1);
        let place = Stream { purpose: Purpose::TEST, update: 0, episode: ((stage << 24) + i) as u32 };
        let rngs = &mut [Philox::stream(run.seed, place)];
        episodes.reset(&[0], rngs).expect("no fault");
        let (mut episode, mut program) = (agent.begin(stage), Vec::new());
        while !episodes.transitions().is_done(0) {
            episode.observe(episodes.observations().tokens(0));
            let action = episode.greedy();
            episodes.step(&[0], &EnvActions::Discrete(vec![action]), rngs).expect("no fault");
            program.push(action);
        }
        *programs.entry(program).or_insert(0) += 1;
    }
    programs
}

/// Weights eight times as large as the initial ones make the programs depend on the context. So the test notices if the agent
/// confuses two contexts.
#[test]
fn agent_loaded_takes_the_actions_of_the_runs_test() {
    for actions in [Actions::Tools, Actions::Tokens] {
        for gru in [GruVariant::ResetAfter, GruVariant::ResetBefore] {
            let config = Config { width: 12, actions, gru, test_episodes: EPISODES, ..Config::default() };
            let mut run = Run::<f32, _>::new(config.calculator_stages(), &config, 1);
            run.learner.params.flat_mut().apply(Map::Scale(8.0));

            let file = File::new("acts");
            let gru = config.get("gru").expect("a setting");
            let metadata = agent::metadata(&run.task.spec(), config.architecture(), None);
            nn::save_checkpoint(&file.0, &run.learner.params, None, &metadata).expect("a temporary folder");
            let described = Agent::<f32>::load(&file.0).expect("an agent");
            // Earlier versions did not describe the task.
            save(&file.0, &run.learner.params, &[("task", "calculator"), ("gru", &gru)]);
            let agent = Agent::<f32>::load(&file.0).expect("an agent");
            assert_eq!((agent.spec(), described.spec()), (&run.task.spec(), &run.task.spec()));

            for (stage, test) in run.test().expect("finite").into_iter().enumerate() {
                let expected: BTreeMap<_, _> = test.greedy.programs.into_iter().collect();
                assert!(expected.len() >= 5, "stage {stage}, {gru}: {} programs", expected.len());
                assert_eq!(programs(&agent, &run, stage), expected, "stage {stage}, {gru}");
                assert_eq!(programs(&described, &run, stage), expected, "stage {stage}, {gru}");
            }
        }
    }
}

#[test]
fn agent_loaded_has_the_probabilities_of_the_run_bit_for_bit() {
    let config = Config { width: 12, ..Config::default() };
    let run = Run::<f32, _>::new(config.calculator_stages(), &config, 2);
    let file = File::new("bits");
    save(&file.0, &run.learner.params, &[]);
    let loaded = Agent::<f32>::load(&file.0).expect("a file without metadata is PyTorch's");
    let of_run = Agent::new(run.task.spec(), run.learner.model, run.learner.params);
    let [loaded, of_run] = [&loaded, &of_run].map(|agent| {
        let mut episode = agent.begin(0);
        episode.observe(&[4, 2, 7, token::CTX]);
        (episode.probabilities(), episode.state().to_vec())
    });
    assert_eq!(loaded, of_run);
}

#[test]
fn agent_load_wrong_file_explains_the_error() {
    let file = File::new("words");
    assert!(error(&file.0).contains("FILE: there is no such file; check the path, or train first"));

    let config = Config { width: 12, ..Config::default() };
    let run = Run::<f32, _>::new(config.calculator_stages(), &config, 2);
    save(&file.0, &run.learner.params, &[("task", "tutorial")]);
    assert_eq!(
        error(&file.0),
        "checkpoint FILE: its task is tutorial, but its metadata do not describe it; take a checkpoint that gradus wrote"
    );
    save(&file.0, &run.learner.params, &[("gru", "lstm")]);
    assert_eq!(
        error(&file.0),
        "checkpoint FILE: gru = lstm is not one of its values: it takes reset-after or reset-before; \
         take a checkpoint that gradus wrote"
    );

    let mut params = Params::<f32>::new();
    Linear::new(&mut nn::Builder::new(&mut params, 0), 3, 2);
    save(&file.0, &params, &[]);
    assert!(error(&file.0).contains("lacks emb.weight, "), "{}", error(&file.0));
}

/// The header announces a large network, but the file has no data for it. The load fails before it allocates the network.
#[test]
fn agent_load_impossible_shapes_are_refused() {
    let file = File::new("shapes");
    for shape in [vec![1, 5000], vec![3, 1, 1], vec![0, 0], vec![15000, 0]] {
        let mut params = Params::<f32>::new();
        params.add("rnn.weight_hh", &tensor::Tensor::zeros(&shape[..]));
        save(&file.0, &params, &[]);
        assert!(error(&file.0).starts_with("checkpoint FILE: "), "{}", error(&file.0));
    }
}
