//! Converts the state of a run to JSON and back. The types here mirror types in `rl`, which does not depend on serde.

use std::collections::VecDeque;

use rl::curriculum::Progress;
use rl::env::Actions;
use rl::hindsight::{Kind, ProgramBuffer};
use rl::imitation::{ReplayBuffer, Success};
use rl::normalize::{Moments, Statistics};
use rl::rollout::Carry;
use rl::trajectories::Row;
use rl::{EpisodeLog, RunState, SavedSegments};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Converts a state to JSON.
pub(crate) fn to_text(state: RunState) -> String {
    serde_json::to_string(&Whole(state)).expect("numbers and lists are JSON")
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
    #[serde(default, with = "programs", skip_serializing_if = "has_no_programs")]
    programs: ProgramBuffer,
    #[serde(default, with = "StatisticsMirror", skip_serializing_if = "is_without_counts")]
    statistics: Statistics,
    #[serde(default, with = "segments", skip_serializing_if = "Vec::is_empty")]
    segments: Vec<SavedSegments>,
}

/// Returns true for a buffer of a run without hindsight, which need not be written.
fn has_no_programs(programs: &ProgramBuffer) -> bool {
    programs.stages.is_empty()
}

/// Returns true for statistics of nothing, which need not be written.
fn is_without_counts(statistics: &Statistics) -> bool {
    statistics.observations.count == 0.0 && statistics.returns.count == 0.0
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Statistics", deny_unknown_fields)]
struct StatisticsMirror {
    #[serde(with = "MomentsMirror")]
    observations: Moments,
    #[serde(with = "MomentsMirror")]
    returns: Moments,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Moments", deny_unknown_fields)]
struct MomentsMirror {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Progress", deny_unknown_fields)]
struct ProgressMirror {
    exact: Vec<f64>,
    unlocked: usize,
}

/// Actions as JSON: a list of indices, or the numbers of vectors.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ActionsMirror {
    Discrete(Vec<u32>),
    Continuous { size: usize, values: Vec<f64> },
}

impl From<Actions> for ActionsMirror {
    fn from(actions: Actions) -> Self {
        match actions {
            Actions::Discrete(actions) => Self::Discrete(actions),
            Actions::Continuous { size, values } => Self::Continuous { size, values },
        }
    }
}

impl From<ActionsMirror> for Actions {
    fn from(actions: ActionsMirror) -> Self {
        match actions {
            ActionsMirror::Discrete(actions) => Self::Discrete(actions),
            ActionsMirror::Continuous { size, values } => Self::Continuous { size: size.max(1), values },
        }
    }
}

/// A success as JSON. Earlier versions wrote the context, and the token of each action; `ends` was absent.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuccessMirror {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Vec<u32>>,
    actions: ActionsMirror,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ends: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    vectors: Vec<f64>,
    /// 1 for each legal action, 0 for each other one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    legal: String,
    returns: Vec<f64>,
}

impl From<Success> for SuccessMirror {
    fn from(Success { row, returns }: Success) -> Self {
        let Row { tokens, ends, vectors, legal, actions, .. } = row; // imitation needs no more of an episode
        let legal = legal.into_iter().map(|legal| if legal { '1' } else { '0' }).collect();
        Self { context: None, actions: actions.into(), tokens, ends, vectors, legal, returns }
    }
}

impl From<SuccessMirror> for Success {
    fn from(mirror: SuccessMirror) -> Self {
        let SuccessMirror { context, actions, tokens, ends, vectors, legal, returns } = mirror;
        let steps = returns.len();
        let legal = legal.bytes().map(|legal| legal == b'1').collect();
        let zeros = || vec![0.0; steps];
        let (rewards, values) = (zeros(), zeros());
        let mut row =
            Row { ends, vectors, legal, actions: actions.into(), rewards, values, solved: true, ..Row::default() };
        row.tokens = match context {
            None => tokens,
            Some(mut read) => {
                row.ends = (0..steps).map(|t| (read.len() + t).saturating_sub(1) as u32).collect();
                read.extend(tokens.iter().take(steps.saturating_sub(1)));
                read
            }
        };
        Self { row, returns }
    }
}

/// Serializes a replay buffer as a list of its stages.
mod memory {
    use serde::{Deserializer, Serializer};

    use super::*;

    pub(super) fn serialize<S: Serializer>(memory: &ReplayBuffer, serializer: S) -> Result<S::Ok, S::Error> {
        let stages =
            memory.stages.iter().map(|stage| stage.iter().cloned().map(SuccessMirror::from).collect::<Vec<_>>());
        serializer.collect_seq(stages)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ReplayBuffer, D::Error> {
        let stages = Vec::<VecDeque<SuccessMirror>>::deserialize(deserializer)?;
        let stage = |stage: VecDeque<SuccessMirror>| stage.into_iter().map(Success::from).collect();
        Ok(ReplayBuffer { stages: stages.into_iter().map(stage).collect() })
    }
}

/// Serializes the programs of hindsight as a list of the kinds of each stage: the number of the kind, and its programs.
mod programs {
    use serde::{Deserializer, Serializer};

    use super::*;

    type KindMirror = (u64, VecDeque<Vec<u32>>);

    pub(super) fn serialize<S: Serializer>(buffer: &ProgramBuffer, serializer: S) -> Result<S::Ok, S::Error> {
        let kinds = |kinds: &Vec<Kind>| kinds.iter().map(|kind| (kind.kind, kind.programs.clone())).collect();
        serializer.collect_seq(buffer.stages.iter().map(kinds).collect::<Vec<Vec<KindMirror>>>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ProgramBuffer, D::Error> {
        let stages = Vec::<Vec<KindMirror>>::deserialize(deserializer)?;
        let kinds =
            |kinds: Vec<KindMirror>| kinds.into_iter().map(|(kind, programs)| Kind { kind, programs }).collect();
        Ok(ProgramBuffer { stages: stages.into_iter().map(kinds).collect() })
    }
}

/// Running episodes as JSON: those of one chunk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentsMirror {
    stage: usize,
    states: Vec<Option<Vec<f64>>>,
    rewards: Vec<f64>,
    discounted: Vec<f64>,
    logs: Vec<LogMirror>,
}

/// The record of a running episode as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogMirror {
    update: u32,
    words: u64,
    updates: Vec<(u32, usize)>,
    actions: ActionsMirror,
}

/// Serializes the running episodes of each chunk.
mod segments {
    use serde::{Deserializer, Serializer};

    use super::*;

    pub(super) fn serialize<S: Serializer>(segments: &[SavedSegments], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(segments.iter().cloned().map(|SavedSegments { stage, carry, logs }| {
            let Carry { states, rewards, discounted } = carry;
            let log = |EpisodeLog { update, words, updates, actions }: EpisodeLog| LogMirror {
                update,
                words,
                updates,
                actions: actions.into(),
            };
            SegmentsMirror { stage, states, rewards, discounted, logs: logs.into_iter().map(log).collect() }
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SavedSegments>, D::Error> {
        let segments = Vec::<SegmentsMirror>::deserialize(deserializer)?;
        let read = |SegmentsMirror { stage, states, rewards, discounted, logs }| SavedSegments {
            stage,
            carry: Carry { states, rewards, discounted },
            logs: logs
                .into_iter()
                .map(|LogMirror { update, words, updates, actions }| EpisodeLog {
                    update,
                    words,
                    updates,
                    actions: actions.into(),
                })
                .collect(),
        };
        Ok(segments.into_iter().map(read).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_round_trip_is_bit_exact() {
        let row = Row {
            tokens: vec![4, 2, 7, 11],
            ends: vec![2, 3],
            legal: vec![true, false, true, true],
            actions: Actions::Discrete(vec![0, 1]),
            rewards: vec![0.0; 2],
            values: vec![0.0; 2],
            solved: true,
            ..Row::default()
        };
        let success = Success { row, returns: vec![0.1 + 0.2, 1e-320] };
        let log = EpisodeLog {
            update: 7,
            words: 1 << 40,
            updates: vec![(7, 1), (8, 2)],
            actions: Actions::Continuous { size: 2, values: vec![0.1, -0.2, 1e-320, 4.0] },
        };
        let carry =
            Carry { states: vec![Some(vec![0.1, -1e-320]), None], rewards: vec![0.1; 2], discounted: vec![0.2; 2] };
        let moments = Moments { count: 3.0, mean: vec![0.1], squares: vec![1e-320] };
        let kind = Kind { kind: u64::MAX, programs: [vec![0, 1], vec![2, 1]].into() };
        let state = RunState {
            updates: 25,
            steps: 1 << 60,
            perfect: 2,
            progress: Progress { exact: vec![1.0, 511.0 / 512.0, 0.0], unlocked: 1 },
            memory: ReplayBuffer { stages: vec![[success].into(), VecDeque::new()] },
            programs: ProgramBuffer { stages: vec![Vec::new(), vec![kind]] },
            statistics: Statistics { observations: moments.clone(), returns: moments },
            segments: vec![SavedSegments { stage: 1, carry, logs: vec![log, EpisodeLog::default()] }],
        };
        let text = to_text(state.clone());
        assert_eq!(from_value(serde_json::from_str(&text).expect("JSON")), Ok(state));
        assert!(from_value(serde_json::json!({ "updates": 1 })).is_err());
    }

    /// A state of an earlier version, which had contexts of one length and no statistics.
    #[test]
    fn state_of_an_earlier_version_is_read() {
        let success =
            serde_json::json!({ "context": [4, 2, 7], "actions": [0, 3], "tokens": [11, 14], "returns": [1.0, 2.0] });
        let progress = serde_json::json!({ "exact": [1.0], "unlocked": 0 });
        let old =
            serde_json::json!({ "updates": 1, "steps": 2, "perfect": 0, "progress": progress, "memory": [[success]] });
        let state = from_value(old).expect("a state");
        let Success { row, returns } = &state.memory.stages[0][0];
        assert_eq!((&row.tokens[..], &row.ends[..], &returns[..]), (&[4, 2, 7, 11][..], &[2, 3][..], &[1.0, 2.0][..]));
        assert_eq!((row.actions.clone(), row.rewards.len()), (Actions::Discrete(vec![0, 3]), 2));
        let written = to_text(RunState { memory: ReplayBuffer::default(), ..state });
        let fields: serde_json::Map<_, _> = serde_json::from_str(&written).expect("JSON");
        assert_eq!(fields.len(), 5, "no needless text: {written}");
    }
}
