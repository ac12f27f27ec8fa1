//! Converts the state of a run to JSON and back. The types here mirror types in `rl`, which does not depend on serde.

use std::collections::VecDeque;

use rl::RunState;
use rl::curriculum::Progress;
use rl::imitation::{ReplayBuffer, Success};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Converts a state to JSON.
pub(crate) fn to_value(state: RunState) -> Value {
    serde_json::to_value(Whole(state)).expect("numbers and lists are JSON")
}

/// Converts JSON back to a state.
///
/// # Errors
/// If the JSON is not a state.
pub(crate) fn from_value(value: Value) -> Result<RunState, String> {
    serde_json::from_value(value).map(|Whole(state)| state).map_err(|error| error.to_string())
}

#[derive(Serialize, Deserialize)]
struct Whole(#[serde(with = "StateMirror")] RunState);

#[derive(Serialize, Deserialize)]
#[serde(remote = "RunState", deny_unknown_fields)]
struct StateMirror {
    updates: usize,
    steps: u64,
    perfect: usize,
    #[serde(with = "ProgressMirror")]
    progress: Progress,
    #[serde(with = "memory")]
    memory: ReplayBuffer,
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

/// Serializes a replay buffer as a list of its stages.
mod memory {
    use serde::{Deserializer, Serializer};

    use super::*;

    pub(super) fn serialize<S: Serializer>(memory: &ReplayBuffer, serializer: S) -> Result<S::Ok, S::Error> {
        let stages = memory.stages.iter().map(|stage| stage.iter().cloned().map(One).collect::<Vec<_>>());
        serializer.collect_seq(stages)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ReplayBuffer, D::Error> {
        let stages = Vec::<VecDeque<One>>::deserialize(deserializer)?;
        let stage = |stage: VecDeque<One>| stage.into_iter().map(|One(success)| success).collect();
        Ok(ReplayBuffer { stages: stages.into_iter().map(stage).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_round_trip_is_bit_exact() {
        let success = Success {
            context: vec![4, 2, 7],
            actions: vec![0, 3],
            tokens: vec![11, 14],
            returns: vec![0.1 + 0.2, 1e-320],
        };
        let state = RunState {
            updates: 25,
            steps: 1 << 60,
            perfect: 2,
            progress: Progress { exact: vec![1.0, 511.0 / 512.0, 0.0], unlocked: 1 },
            memory: ReplayBuffer { stages: vec![[success].into(), VecDeque::new()] },
        };
        let text = to_value(state.clone()).to_string();
        assert_eq!(from_value(serde_json::from_str(&text).expect("JSON")), Ok(state));
        assert!(from_value(serde_json::json!({ "updates": 1 })).is_err());
    }
}
