//! Checkpoints of runs: their metadata, saving, loading, and the check that a checkpoint fits the run it is loaded into.

use std::collections::BTreeMap;
use std::path::Path;

use nn::{Checkpoint, CheckpointProblem};
use rl::agent;
use rl::config::{Config, CriticKind};
use rl::env::Spec;
use rl::normalize::Moments;
use rl::settings::{Setting, Settings};
use rl::tasks::calculator_stages;
use serde_json::Value;

use crate::error::{Error, Result, show_path};
use crate::folder::{CHECKPOINTS, CONFIG};
use crate::run::settings_change::CHANGEABLE;
use crate::run::{Run, state_json};

type Metadata = BTreeMap<String, String>;

/// The key of the settings that a resumed run keeps.
const SETTINGS: &str = "run.settings";

/// Returns the metadata of a checkpoint about its task and its network.
fn network_metadata(spec: &Spec, config: &Config, normalizer: Option<&Moments>) -> Metadata {
    let mut metadata = agent::metadata(spec, config.architecture(), normalizer);
    let actions = (spec.name == calculator_stages::NAME).then_some("actions");
    for name in ["width"].into_iter().chain(actions) {
        metadata.insert(name.to_owned(), config.get(name).expect("a setting of the table"));
    }
    metadata
}

/// The metadata in which a checkpoint and the run must agree, in the order of the check. A checkpoint may lack one of them.
const COMPARED: [(&str, &str); 14] = [
    ("task", "task"),
    ("width", "width"),
    ("actions", "actions"),
    ("gru", "gru"),
    ("memory", "memory"),
    ("task.tokens", "list of tokens"),
    ("task.vector", "number of observed numbers"),
    ("task.actions", "list of actions"),
    ("task.continuous", "number of numbers in an action"),
    ("task.stages", "number of stages"),
    ("task.horizon", "horizon"),
    ("task.success", "has_success"),
    ("encoder_layers", "encoder_layers"),
    ("critic", "critic"),
];

/// Lengths of the journals at the time of a checkpoint, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JournalLengths {
    /// Length of `metrics.jsonl`.
    pub(crate) metrics: u64,
    /// Length of `episodes.jsonl`.
    pub(crate) episodes: u64,
}

/// Loads the parameters of `run` from a checkpoint. For a file without gradus metadata, only names and shapes are checked.
///
/// # Errors
/// If the file cannot be read, belongs to another task or network, or holds other tensors or values that are not finite.
pub(crate) fn load(path: &Path, run: &mut Run) -> Result<()> {
    let checkpoint = load_fitting(path, &run.task.spec(), &run.config)?;
    let host = run.learner.host_mut();
    checkpoint.load_params(&mut host.params)?;
    let state = checkpoint.metadata().get("run.state").and_then(|text| serde_json::from_str(text).ok());
    if let Some(Ok(state)) = state.map(state_json::from_value)
        && run.config.normalize_observations
        && state.statistics.observations.count > 0.0
    {
        (host.statistics, host.is_normalizing) = (state.statistics, true);
    }
    Ok(())
}

/// Restores the complete state of `run` from a checkpoint: parameters, optimizer and training state.
///
/// # Errors
/// As [`load`], or if the file lacks the state of the run, or belongs to another seed.
pub(crate) fn resume(path: &Path, run: &mut Run) -> Result<JournalLengths> {
    let checkpoint = load_fitting(path, &run.task.spec(), &run.config)?;
    check_settings(path, &checkpoint, &run.config)?;
    let invalid = |problem: &str| {
        let (path, advice) = (show_path(path), "expected a checkpoint that gradus train wrote to this folder");
        Error::input(format!("checkpoint {path}: {problem}; {advice}"))
    };
    let get = |key: &str| checkpoint.metadata().get(key).ok_or_else(|| invalid(&format!("its metadata lacks {key}")));
    let bytes = |key: &str| get(key)?.parse().map_err(|error| invalid(&format!("{key}: {error}")));
    let journal_lengths = JournalLengths { metrics: bytes("run.metrics")?, episodes: bytes("run.episodes")? };
    let seed = get("seed")?;
    if *seed != run.seed.to_string() {
        return Err(invalid(&format!("its seed is {seed}, but the run's seed is {}", run.seed)));
    }
    let state: Value =
        serde_json::from_str(get("run.state")?).map_err(|error| invalid(&format!("run.state: {error}")))?;
    checkpoint.load_params(&mut run.learner.host_mut().params)?;
    checkpoint.load_optimizer(&mut run.learner.host_mut().optimizer)?;
    let restored = state_json::from_value(state).and_then(|state| run.restore(state));
    restored.map_err(|error| invalid(&format!("run.state: {error}")))?;
    let (steps, updates) = (run.learner.host().optimizer.steps(), run.updates);
    if steps != updates as u64 {
        return Err(invalid(&format!(
            "optimizer.steps is {steps}, but the run has made {updates} updates of one step each"
        )));
    }
    Ok(journal_lengths)
}

/// Loads a checkpoint and checks that its metadata agrees with a run of the task with these settings.
fn load_fitting(path: &Path, spec: &Spec, config: &Config) -> Result<Checkpoint> {
    let checkpoint = Checkpoint::load(path)?;
    check(path, &checkpoint, spec, config)?;
    Ok(checkpoint)
}

/// Checks that the metadata of a checkpoint agree with a run of the task with these settings.
///
/// # Errors
/// If it belongs to another task or network.
pub(crate) fn check(path: &Path, checkpoint: &Checkpoint, spec: &Spec, config: &Config) -> Result<()> {
    let expected = complete(network_metadata(spec, config, None), config.encoder_layers, config.critic);
    let layers = (0..).take_while(|k| has_tensor(checkpoint, &format!("enc.{k}.weight"))).count();
    let critic = if has_tensor(checkpoint, "critic.0.weight") { CriticKind::Separate } else { CriticKind::Shared };
    let found = complete(checkpoint.metadata().clone(), layers, critic);
    let is_described = found.contains_key("task.horizon"); // files of earlier versions, or from elsewhere, are not
    for (key, name) in COMPARED {
        let (found, expected) = (found.get(key), expected.get(key));
        if found == expected || found.is_none() && !is_described || expected.is_none() && !key.contains('.') {
            continue;
        }
        let [found, expected] = [found, expected].map(|value| value.map_or("none".to_owned(), |value| shorten(value)));
        let advice = match key.starts_with("task.") {
            true => "use another checkpoint, or the task as it was then".to_owned(),
            false => format!("use another checkpoint, or set {key} to {found}"),
        };
        return Err(Error::input(format!(
            "checkpoint {}: its {name} is {found}, expected {expected}; {advice}",
            show_path(path)
        )));
    }
    if checkpoint.metadata().contains_key("observations.count") && !config.normalize_observations {
        return Err(Error::input(format!(
            "checkpoint {}: its normalize_observations is true, expected false; use another checkpoint, or set \
             normalize_observations to true",
            show_path(path)
        )));
    }
    Ok(())
}

/// Checks that the settings of a run that goes on are those of its checkpoint, since its configuration file may have been edited.
/// A file of an earlier version lacks settings.
///
/// # Errors
/// If a setting differs that may not change.
pub(crate) fn check_settings(path: &Path, checkpoint: &Checkpoint, config: &Config) -> Result<()> {
    let recorded = checkpoint.metadata().get(SETTINGS).map_or("", String::as_str);
    for (name, recorded) in recorded.lines().filter_map(|line| line.split_once(" = ")) {
        if let Some(value) = config.get(name).filter(|value| value != recorded) {
            return Err(Error::input(format!(
                "{CONFIG} has {name} = {value}, but the checkpoint {} was trained with {name} = {recorded}, and a resumed run \
                 keeps it; set it back in {CONFIG}, or start a new run to train with another value",
                show_path(path)
            )));
        }
    }
    Ok(())
}

/// Returns the settings of the task that a resumed run keeps, one on each line.
fn fixed_settings(config: &Config, task: &str) -> String {
    let fixed = Config::FIELDS.iter().filter(|field| field.is_of(task)).map(|field| field.name);
    let line = |name| format!("{name} = {}", config.get(name).expect("a setting of the table"));
    fixed.filter(|name| !CHANGEABLE.contains(name)).map(line).collect::<Vec<_>>().join("\n")
}

/// Adds what metadata say by leaving it out, the number of layers that read a vector, and the critic.
fn complete(mut metadata: Metadata, layers: usize, critic: CriticKind) -> Metadata {
    if metadata.contains_key("gru") {
        metadata.insert("memory".to_owned(), "gru".to_owned());
    }
    if metadata.contains_key("task.vector") {
        metadata.insert("encoder_layers".to_owned(), layers.to_string());
        metadata.insert("critic".to_owned(), critic.to_text());
    }
    metadata
}

fn has_tensor(checkpoint: &Checkpoint, name: &str) -> bool {
    checkpoint.shapes().any(|(other, _)| other == name)
}

/// Formats a value, or a list of names, in one short line.
fn shorten(value: &str) -> String {
    const SHOWN: usize = 100;
    let line = value.replace('\n', ", ");
    let rest = if line.chars().nth(SHOWN).is_some() { "…" } else { "" };
    line.chars().take(SHOWN).collect::<String>() + rest
}

/// Returns the file name of a checkpoint that is kept for good.
pub(super) fn kept_name(update: usize) -> String {
    format!("{CHECKPOINTS}/update-{update:06}.safetensors")
}

/// Returns the number of updates in a checkpoint, or `None` if the file cannot be read or does not record it.
pub(super) fn read_updates(path: &Path) -> Option<usize> {
    Checkpoint::load(path).ok()?.metadata().get("updates")?.parse().ok()
}

/// Encodes a checkpoint: the parameters, the optimizer's moments and the state of the run.
///
/// # Errors
/// If a value is not finite, because such a checkpoint would not load.
pub(crate) fn encode(run: &Run, journal_lengths: JournalLengths) -> std::result::Result<Vec<u8>, CheckpointProblem> {
    let metadata = [
        ("run.episodes", journal_lengths.episodes.to_string()),
        ("run.metrics", journal_lengths.metrics.to_string()),
        (SETTINGS, fixed_settings(&run.config, &run.task.spec().name)),
        ("run.state", state_json::to_text(run.state())),
        ("seed", run.seed.to_string()),
        ("updates", run.updates.to_string()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let host = run.learner.host();
    let mut all = network_metadata(&run.task.spec(), &run.config, host.trained().normalizer);
    all.extend(metadata.map(|(key, value)| (key.to_owned(), value)));
    nn::encode_checkpoint(&host.params, Some(&host.optimizer), &all)
}
