//! The state of a run as JSON: mirrors of the types in `rl`, which know no files.

use std::collections::VecDeque;

use rl::State;
use rl::curriculum::Progress;
use rl::imitation::{Memory, Success};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The state as JSON.
pub(crate) fn to_value(state: State) -> Value {
    serde_json::to_value(Whole(state)).expect("numbers and lists are JSON")
}

/// The state that the JSON is of.
///
/// # Errors
/// If it is of none.
pub(crate) fn from_value(value: Value) -> Result<State, String> {
    serde_json::from_value(value).map(|Whole(state)| state).map_err(|error| error.to_string())
}

#[derive(Serialize, Deserialize)]
struct Whole(#[serde(with = "StateMirror")] State);

#[derive(Serialize, Deserialize)]
#[serde(remote = "State", deny_unknown_fields)]
struct StateMirror {
    updates: usize,
    steps: u64,
    perfect: usize,
    #[serde(with = "ProgressMirror")]
    progress: Progress,
    #[serde(with = "memory")]
    memory: Memory,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Progress", deny_unknown_fields)]
struct ProgressMirror {
    exact: Vec<f64>,
    unlocked: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Success", deny_unknown_fields)]
struct SuccessMirror {
    context: Vec<u32>,
    actions: Vec<u32>,
    tokens: Vec<u32>,
    returns: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct One(#[serde(with = "SuccessMirror")] Success);

/// A memory as its stages.
mod memory {
    use serde::{Deserializer, Serializer};

    use super::*;

    pub(super) fn serialize<S: Serializer>(memory: &Memory, serializer: S) -> Result<S::Ok, S::Error> {
        let stages = memory.stages.iter().map(|stage| stage.iter().cloned().map(One).collect::<Vec<_>>());
        serializer.collect_seq(stages)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Memory, D::Error> {
        let stages = Vec::<VecDeque<One>>::deserialize(deserializer)?;
        let stage = |stage: VecDeque<One>| stage.into_iter().map(|One(success)| success).collect();
        Ok(Memory { stages: stages.into_iter().map(stage).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_to_the_bit() {
        let success = Success {
            context: vec![4, 2, 7],
            actions: vec![0, 3],
            tokens: vec![11, 14],
            returns: vec![0.1 + 0.2, 1e-320],
        };
        let state = State {
            updates: 25,
            steps: 1 << 60,
            perfect: 2,
            progress: Progress { exact: vec![1.0, 511.0 / 512.0, 0.0], unlocked: 1 },
            memory: Memory { stages: vec![[success].into(), VecDeque::new()] },
        };
        let text = to_value(state.clone()).to_string();
        assert_eq!(from_value(serde_json::from_str(&text).expect("JSON")), Ok(state));
        assert!(from_value(serde_json::json!({ "updates": 1 })).is_err());
    }
}
