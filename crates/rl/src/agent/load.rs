//! Loads an agent from the checkpoint of a run. The metadata hold the description of the task, the kind of the network and the
//! statistics of its observations; the shapes of the tensors determine its sizes. A file without them, for example one written
//! in Python, is loaded as an agent of `calculator-stages` with PyTorch's GRU.

use core::fmt;
use std::borrow::ToOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::vec::Vec;

use nn::{Checkpoint, CheckpointError, Params, Variant};
use tensor::Real;

use super::Agent;
use crate::config::{Config, MemoryKind};
use crate::env::{ActionSpace, Space, Spec};
use crate::normalize::Moments;
use crate::policy::{Architecture, Policy};
use crate::settings::{SettingError, Settings};
use crate::tasks::calculator;
use crate::tasks::calculator_stages::{self, ActionSet};
use crate::tasks::token;

/// The reason why a file cannot be loaded as an agent.
#[derive(Debug)]
pub enum LoadError {
    /// The file cannot be read, or its tensors do not fit the network.
    Checkpoint(CheckpointError),
    /// The metadata describe no task.
    Spec {
        /// The file.
        path: PathBuf,
        /// The fault of the metadata.
        fault: String,
    },
    /// The file describes a network that gradus does not have.
    Setting {
        /// The file.
        path: PathBuf,
        /// The error of the setting.
        error: SettingError,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(error) => error.fmt(f),
            Self::Spec { path, fault } => {
                write!(f, "checkpoint {}: {fault}; take a checkpoint that gradus wrote", path.display())
            }
            Self::Setting { path, error } => {
                write!(f, "checkpoint {}: {error}; take a checkpoint that gradus wrote", path.display())
            }
        }
    }
}

impl core::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Checkpoint(error) => error.source(),
            Self::Spec { .. } => None,
            Self::Setting { error, .. } => Some(error),
        }
    }
}

impl From<CheckpointError> for LoadError {
    fn from(error: CheckpointError) -> Self {
        Self::Checkpoint(error)
    }
}

/// Returns the metadata from which [`Agent::load`] rebuilds an agent: the task, the kind of the network, and the statistics
/// that normalise observations.
pub fn metadata(spec: &Spec, architecture: Architecture, normalizer: Option<&Moments>) -> BTreeMap<String, String> {
    let lines = |names: &[String]| names.join("\n");
    let mut entries = Vec::from([
        ("task", spec.name.clone()),
        ("task.horizon", spec.horizon.to_string()),
        ("task.stages", spec.stages.to_string()),
        ("task.success", spec.has_success.to_string()),
        ("task.caveat", spec.caveat.clone()),
        match &spec.observation {
            Space::Tokens { names } => ("task.tokens", lines(names)),
            Space::Vector { size } => ("task.vector", size.to_string()),
        },
        match &spec.action {
            ActionSpace::Discrete { names } => ("task.actions", lines(names)),
            ActionSpace::Continuous { size } => ("task.continuous", size.to_string()),
        },
        match architecture.memory {
            None => ("memory", "none".to_owned()),
            Some(Variant::ResetAfter) => ("gru", "reset-after".to_owned()),
            Some(Variant::ResetBefore) => ("gru", "reset-before".to_owned()),
        },
    ]);
    if spec.hides_stage {
        entries.push(("task.hides_stage", "true".to_owned()));
    }
    if let Some(Moments { count, mean, squares }) = normalizer {
        let numbers = |x: &[f64]| x.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        entries.push(("observations.count", count.to_string()));
        entries.push(("observations.mean", numbers(mean)));
        entries.push(("observations.squares", numbers(squares)));
    }
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The metadata of a checkpoint, for reading.
struct Metadata<'a>(&'a Checkpoint);

impl Metadata<'_> {
    fn get(&self, key: &str) -> Option<&String> {
        self.0.metadata().get(key)
    }

    fn number<N: core::str::FromStr>(&self, key: &str) -> Result<Option<N>, String> {
        let parse = |text: &String| text.parse().map_err(|_| std::format!("{key} = {text} is not a valid value"));
        self.get(key).map(parse).transpose()
    }

    fn numbers(&self, key: &str, size: usize) -> Result<Vec<f64>, String> {
        let text = self.get(key).map_or("", |text| text);
        let numbers: Option<Vec<f64>> =
            text.split(' ').map(|x| x.parse().ok().filter(|x: &f64| x.is_finite())).collect();
        numbers
            .filter(|numbers| numbers.len() == size)
            .ok_or_else(|| std::format!("{key} = {text:?}, expected {size} finite numbers"))
    }

    /// The description of the task. Without it, that of `calculator-stages` with as many actions as the policy head has rows.
    fn spec(&self) -> Result<Spec, String> {
        let lines = |text: &String| text.split('\n').map(ToOwned::to_owned).collect::<Vec<_>>();
        let observation = match self.get("task.tokens") {
            Some(names) => Some(Space::Tokens { names: lines(names) }),
            None => self.number("task.vector")?.map(Space::vector),
        };
        let action = match self.get("task.actions") {
            Some(names) => Some(ActionSpace::Discrete { names: lines(names) }),
            None => self.number("task.continuous")?.map(ActionSpace::continuous),
        };
        let name = self.get("task").map_or(calculator_stages::NAME, |name| name);
        let (Some(observation), Some(action)) = (observation, action) else {
            // Earlier versions called it calculator. They did not describe it, as later ones do with both tasks.
            if ![calculator_stages::NAME, calculator::NAME].contains(&name) {
                return Err(std::format!("its task is {name}, but its metadata do not describe it"));
            }
            let rows = shape(self.0, "pi.weight").map(|shape| shape[0]);
            let actions = if rows == Some(token::COUNT) { ActionSet::Tokens } else { ActionSet::Tools };
            return Ok(calculator_stages::spec(actions));
        };
        let spec = Spec {
            name: name.to_owned(),
            observation,
            action,
            horizon: self.number("task.horizon")?.unwrap_or(0),
            stages: self.number("task.stages")?.unwrap_or(1),
            hides_stage: self.number("task.hides_stage")?.unwrap_or(false),
            has_success: self.number("task.success")?.unwrap_or(false),
            caveat: self.get("task.caveat").cloned().unwrap_or_default(),
        };
        spec.check()?;
        self.check_sizes(&spec).map(|()| spec)
    }

    /// Checks that the tensors have the sizes in the metadata. Therefore a small file cannot cause the allocation of a large
    /// network.
    fn check_sizes(&self, spec: &Spec) -> Result<(), String> {
        let check = |tensor: &str, axis: usize, key: &str, size: usize| match shape(self.0, tensor) {
            Some(shape) if shape.get(axis) == Some(&size) => Ok(()),
            Some(shape) => Err(std::format!("{key} = {size}, but its tensor {tensor} has the shape {shape:?}")),
            None => Err(std::format!("{key} = {size}, but it has no tensor {tensor}")),
        };
        if let Space::Vector { size } = spec.observation {
            check("enc.0.weight", 1, "task.vector", size)?;
        }
        match spec.action {
            ActionSpace::Continuous { size } => check("pi.weight", 0, "task.continuous", size),
            ActionSpace::Discrete { .. } => Ok(()),
        }
    }

    fn normalizer(&self, spec: &Spec) -> Result<Option<Moments>, String> {
        let Some(count) = self.number("observations.count")? else { return Ok(None) };
        let size = spec.observation.size();
        let (mean, squares) = (self.numbers("observations.mean", size)?, self.numbers("observations.squares", size)?);
        let valid = f64::is_finite(count) && count >= 0.0 && squares.iter().all(|&x| x >= 0.0);
        valid.then_some(Some(Moments { count, mean, squares })).ok_or_else(|| "its statistics are not valid".to_owned())
    }
}

impl<T: Real> Agent<T> {
    /// Loads the agent of a run from its checkpoint. It needs neither the task nor its solver.
    ///
    /// # Errors
    /// If the file cannot be read, describes no task, has other tensors, or holds numbers that are not finite.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let checkpoint = Checkpoint::load(path)?;
        let metadata = Metadata(&checkpoint);
        let invalid = |fault| LoadError::Spec { path: path.to_owned(), fault };
        let spec = metadata.spec().map_err(invalid)?;
        let normalizer = metadata.normalizer(&spec).map_err(invalid)?;
        let mut config = Config::default();
        let settings = [
            ("width", hidden_size(&checkpoint)),
            ("gru", metadata.get("gru").cloned()),
            ("memory", metadata.get("memory").cloned()),
        ];
        for (name, value) in settings.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            config.set(name, &value).map_err(|error| LoadError::Setting { path: path.to_owned(), error })?;
        }
        let layers = (0..).take_while(|k| shape(&checkpoint, &std::format!("enc.{k}.weight")).is_some()).count();
        let has_separate_critic = shape(&checkpoint, "critic.0.weight").is_some();
        let has_attention = shape(&checkpoint, "attn.query.weight").is_some();
        let architecture =
            Architecture { encoder_layers: layers.max(1), has_separate_critic, has_attention, ..config.architecture() };
        if config.memory == MemoryKind::None && spec.has_stages_to_tell() {
            return Err(invalid(std::format!("it has no memory, but its task has {} stages", spec.stages)));
        }
        if has_separate_critic && (config.memory == MemoryKind::Gru || layers == 0) {
            return Err(invalid("it has a separate critic, but it has a memory or reads tokens".to_owned()));
        }
        if has_attention && (config.memory == MemoryKind::None || layers > 0) {
            return Err(invalid("it has attention, but it has no memory or reads vectors".to_owned()));
        }
        let mut params = Params::new();
        let policy = Policy::new(&mut params, &spec, architecture, 0);
        checkpoint.load_params(&mut params)?;
        let agent = Self::new(spec, policy, params);
        Ok(match normalizer {
            Some(normalizer) => agent.with_normalizer(normalizer),
            None => agent,
        })
    }
}

/// Returns H if the policy head is \[A,H\] and the recurrent weights, if any, \[3H,H\]. Therefore a small file cannot cause the
/// allocation of a large network.
fn hidden_size(checkpoint: &Checkpoint) -> Option<String> {
    let &[_, hidden_size] = shape(checkpoint, "pi.weight")? else { return None };
    let rows = hidden_size.checked_mul(3)?;
    let fits = shape(checkpoint, "rnn.weight_hh").is_none_or(|shape| shape == [rows, hidden_size]);
    fits.then(|| hidden_size.to_string())
}

fn shape<'a>(checkpoint: &'a Checkpoint, name: &str) -> Option<&'a [usize]> {
    checkpoint.shapes().find(|(other, _)| *other == name).map(|(_, shape)| shape)
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::env::Task;
    use crate::test_tasks::Chance;

    /// A network of width 5 and its parameters.
    fn network(spec: &Spec, architecture: Architecture) -> (Policy, Params<f32>) {
        let mut params = Params::new();
        (Policy::new(&mut params, spec, architecture, 3), params)
    }

    /// Saves parameters with these metadata, and loads an agent from the file.
    fn save_and_load(params: &Params<f32>, metadata: &BTreeMap<String, String>) -> Result<Agent<f32>, LoadError> {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let name = std::format!("gradus-load-{}-{}", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        nn::save_checkpoint(&path, params, None, metadata).expect("a temporary folder");
        let agent = Agent::load(&path);
        std::fs::remove_file(&path).expect("it was written");
        agent
    }

    #[test]
    fn load_every_kind_of_task_and_network_is_the_same_agent() {
        let mut moments = Moments::new(3);
        [[0.1, 2.0, -3.5], [1.0 / 3.0, 2.0, 7.0]].iter().for_each(|x| moments.push(x));
        for task in Chance::all() {
            let gru = Architecture::gru(5);
            let [no_memory, reset_before] =
                [None, Some(Variant::ResetBefore)].map(|memory| Architecture { memory, ..gru });
            let separate = Architecture { has_separate_critic: task.has_vectors, ..no_memory };
            let attention = Architecture { has_attention: !task.has_vectors, ..reset_before };
            for kind in [gru, reset_before, no_memory, separate, attention] {
                for normalizer in [None, task.has_vectors.then_some(&moments)] {
                    let stages = if kind.memory.is_some() { 2 } else { 1 };
                    let hides_stage = kind.has_attention;
                    let spec = Spec { stages, hides_stage, ..task.spec() }.with_caveat("Two\nlines.");
                    let encoder_layers = if task.has_vectors { 2 } else { 1 };
                    let architecture = Architecture { encoder_layers, ..kind };
                    let (policy, params) = network(&spec, architecture);
                    let loaded =
                        save_and_load(&params, &metadata(&spec, architecture, normalizer)).expect("its own file");
                    assert_eq!((loaded.spec(), loaded.trained().normalizer), (&spec, normalizer));
                    let agent = Agent::new(spec, policy, params);
                    let agent = normalizer.map_or(agent.clone(), |moments| agent.with_normalizer(moments.clone()));
                    let [(rows, value), expected] = [&loaded, &agent].map(|agent| {
                        let mut episode = agent.begin(stages - 1);
                        for _ in 0..2 {
                            match task.has_vectors {
                                true => episode.observe(&[0.25, -1.0, 3.0]),
                                false => episode.observe(&[2_u32, 1, 3]),
                            }
                        }
                        (episode.distribution().clone(), episode.value())
                    });
                    assert_eq!((rows, value), expected, "{task:?} {kind:?}");
                }
            }
        }
    }

    #[test]
    fn load_bad_metadata_are_errors_in_words() {
        let spec = Chance { has_vectors: true, ..Chance::default() }.spec();
        let (_, params) = network(&spec, Architecture::gru(5));
        let good = metadata(&spec, Architecture::gru(5), Some(&Moments::new(3)));
        save_and_load(&params, &good).expect("good metadata");
        let bad = [
            ("task", Some(""), "must be lines of text"),
            ("task", Some("two\nlines"), "must be lines of text"),
            ("task.vector", None, "its task is chance, but its metadata do not describe it"),
            ("task.actions", None, "its task is chance, but its metadata do not describe it"),
            ("task.vector", Some("three"), "task.vector = three is not a valid value"),
            ("task.vector", Some("0"), "the size of observations of chance is 0, expected at least 1"),
            ("task.vector", Some("999999999999"), "the size of observations of chance is 999999999999"),
            (
                "task.vector",
                Some("16777216"),
                "task.vector = 16777216, but its tensor enc.0.weight has the shape [5, 3]; take",
            ),
            ("task.horizon", Some("0"), "the horizon of chance is 0, expected at least 1"),
            ("task.horizon", None, "the horizon of chance is 0, expected at least 1"),
            ("task.horizon", Some("-1"), "task.horizon = -1 is not a valid value"),
            ("task.stages", Some("257"), "the number of stages of chance is 257, expected at most 256"),
            ("task.success", Some("maybe"), "task.success = maybe is not a valid value"),
            ("gru", Some("sideways"), "gru = sideways"),
            ("memory", Some("infinite"), "memory = infinite"),
            ("memory", Some("none"), "it has no memory, but its task has 2 stages"),
            ("observations.count", Some("many"), "observations.count = many is not a valid value"),
            ("observations.count", Some("NaN"), "its statistics are not valid"),
            ("observations.mean", None, "observations.mean = \"\", expected 3 finite numbers"),
            ("observations.mean", Some("0 0"), "observations.mean = \"0 0\", expected 3 finite numbers"),
            ("observations.mean", Some("0 inf 0"), "expected 3 finite numbers"),
            ("observations.squares", Some("0 -1 0"), "its statistics are not valid"),
        ];
        for (key, value, expected) in bad {
            let mut metadata = good.clone();
            match value {
                Some(value) => _ = metadata.insert(key.to_owned(), value.to_owned()),
                None => _ = metadata.remove(key),
            }
            let error = save_and_load(&params, &metadata).expect_err(key).to_string();
            assert!(error.contains(expected), "{key} = {value:?}: {error}");
            assert!(
                error.starts_with("checkpoint ") && error.ends_with("; take a checkpoint that gradus wrote"),
                "{error}"
            );
        }
    }

    #[test]
    fn load_separate_critic_with_a_memory_is_an_error() {
        let spec = Spec { stages: 1, ..Chance { has_vectors: true, ..Chance::default() }.spec() };
        let architecture = Architecture { memory: None, has_separate_critic: true, ..Architecture::gru(5) };
        let (_, params) = network(&spec, architecture);
        save_and_load(&params, &metadata(&spec, architecture, None)).expect("its own file");
        let error =
            save_and_load(&params, &metadata(&spec, Architecture::gru(5), None)).expect_err("a memory").to_string();
        assert!(error.contains("it has a separate critic, but it has a memory or reads tokens; take"), "{error}");
    }

    #[test]
    fn load_more_numbers_of_an_action_than_the_policy_head_has_is_an_error() {
        let spec = Chance { has_vectors: true, ..Chance::default() }.spec();
        let spec = Spec { action: ActionSpace::continuous(2), ..spec };
        let (_, params) = network(&spec, Architecture::gru(5));
        let mut metadata = metadata(&spec, Architecture::gru(5), None);
        save_and_load(&params, &metadata).expect("good metadata");
        metadata.insert("task.continuous".to_owned(), "16777216".to_owned());
        let error = save_and_load(&params, &metadata).expect_err("another size").to_string();
        assert!(error.contains("task.continuous = 16777216, but its tensor pi.weight has the shape [2, 5]"), "{error}");
    }

    /// The tensors are those of three actions, but the metadata name two.
    #[test]
    fn load_tensors_of_another_task_are_an_error() {
        let spec = Chance::default().spec();
        let (_, params) = network(&spec, Architecture::gru(5));
        let other = Spec { action: ActionSpace::discrete(["A", "B"]), ..spec };
        let error = save_and_load(&params, &metadata(&other, Architecture::gru(5), None)).expect_err("another shape");
        assert!(matches!(error, LoadError::Checkpoint(_)) && error.to_string().contains("pi.weight"), "{error}");
    }

    #[test]
    fn load_without_metadata_is_an_agent_of_calculator() {
        for actions in [ActionSet::Tools, ActionSet::Tokens] {
            let spec = calculator_stages::spec(actions);
            let (_, params) = network(&spec, Architecture::gru(5));
            let agent = save_and_load(&params, &BTreeMap::new()).expect("its tensors fit");
            assert_eq!(*agent.spec(), spec);
        }
    }
}
