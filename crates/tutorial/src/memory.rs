//! Estimates the host memory of a run of the tutorial before the run starts, by the method of `rl::memory`.
//!
//! Symbols: E episodes played together (a batch, or all episodes of an evaluation); H hidden size; S = 6 steps and tokens
//! read; L = 6 tokens of the longest context; V = 18 tokens, which are also the actions; P parameters.
//!
//! | phase | numbers of 4 bytes |
//! |---|---|
//! | parameters and Adam's moments | 3·P |
//! | gradients, on the tape and summed | 2·P |
//! | learning: GRU, initial state, inputs of the heads | E·H·(13·S + 2·L + 10) + 3·H² |
//! | learning: table of gx, and its gradients | 12·V·H |
//! | heads: logits, log-probabilities, entropies, and their gradients | E·S·(14·V + 24) |
//! | acting | 6·V·H + 3·H² + E·H·(5·S + L + 5) + E·S·(3·V + 2) |

use rl::tasks::{STAGES, operand_count, token};

use crate::EMITTED_TOKENS;
use crate::run::TutorialConfig;

const S: u64 = EMITTED_TOKENS as u64;
const V: u64 = token::COUNT as u64;

/// Bytes of a tape node with the headers of its buffers, without their contents.
const NODE_BYTES: u64 = 450;

/// Bytes of two random generators, a reward, and the environment of an episode while it is played.
const PLAYED_EPISODE_BYTES: u64 = 260;

/// Bytes of a program in the statistics of an evaluation, while they are sorted.
const PROGRAM_BYTES: u64 = 112;

/// Bytes of a run including its evaluations, without the process itself. A run uses one thread.
pub fn training_bytes(config: &TutorialConfig) -> u64 {
    let (hidden_size, batch) = (config.width as u64, config.batch as u64);
    let evaluated = config.validation_episodes.max(config.test_episodes) as u64;
    let parameters = parameters(hidden_size);
    let (learning, acting) = (learning_bytes(hidden_size, parameters, batch), acting_bytes(hidden_size, batch));
    let playing = batch * PLAYED_EPISODE_BYTES + record_bytes(batch);
    let evaluating = acting_bytes(hidden_size, evaluated)
        + record_bytes(evaluated)
        + evaluated * (PLAYED_EPISODE_BYTES + PROGRAM_BYTES);
    let all = 4 * 3 * parameters + learning + acting + playing + evaluating;
    all + all / 8 // the allocator's gaps
}

/// P, the number of parameters.
fn parameters(hidden_size: u64) -> u64 {
    (V + STAGES as u64) * hidden_size + 6 * hidden_size * (hidden_size + 1) + (V + 1) * (hidden_size + 1)
}

/// L, the number of tokens of the longest context.
fn longest_context() -> u64 {
    operand_count(STAGES - 1) as u64 + 1
}

fn learning_bytes(hidden_size: u64, parameters: u64, episodes: u64) -> u64 {
    let states = episodes * hidden_size * (13 * S + 2 * longest_context() + 10) + 3 * hidden_size * hidden_size;
    let head_outputs = episodes * S * (14 * V + 24);
    4 * (2 * parameters + states + head_outputs + 5 * episodes * S + 12 * V * hidden_size) + 60 * NODE_BYTES
}

fn acting_bytes(hidden_size: u64, episodes: u64) -> u64 {
    let states = episodes * hidden_size * (5 * S + longest_context() + 5) + 3 * hidden_size * hidden_size;
    4 * (6 * V * hidden_size + states + episodes * S * (3 * V + 2)) + 15 * S * NODE_BYTES
}

/// Bytes of the trajectories of the episodes, in vectors whose capacity grows by doubling.
fn record_bytes(episodes: u64) -> u64 {
    episodes * (4 * longest_context() + S.next_power_of_two() * 25 + 1)
}

#[cfg(test)]
mod tests {
    use rl::memory::PROCESS_BYTES;
    use rl::settings::Settings;

    use super::*;
    use crate::run::TutorialRun;

    /// Peaks in KiB of whole runs of six updates, as Linux reported them (x86-64, glibc 2.36).
    const PEAKS: &[(&str, u64)] = &[
        ("width=96 batch=192 validation_episodes=128 test_episodes=1000", 39_120),
        ("width=64 batch=3000 validation_episodes=128 test_episodes=1000", 144_100),
        ("width=8 batch=8000 validation_episodes=1 test_episodes=10", 107_100),
        ("width=512 batch=6 validation_episodes=1 test_episodes=10", 58_440),
        ("width=512 batch=6 validation_episodes=128 test_episodes=1000", 141_576),
        ("width=32 batch=9600 validation_episodes=128 test_episodes=1000", 248_916),
        ("width=8 batch=20000 validation_episodes=128 test_episodes=1000", 254_700),
        ("width=1024 batch=4 validation_episodes=128 test_episodes=1000", 366_044),
        ("width=256 batch=500 validation_episodes=3000 test_episodes=3000", 224_004),
        ("width=16 batch=6 validation_episodes=10 test_episodes=100000", 479_776),
        ("width=256 batch=16 validation_episodes=1 test_episodes=20000", 905_100),
    ];

    fn parse_settings(settings: &str) -> TutorialConfig {
        let mut config = TutorialConfig::default();
        for (name, value) in settings.split(' ').filter_map(|setting| setting.split_once('=')) {
            config.set(name, value).expect("a setting");
        }
        config
    }

    /// The ratio of estimate to peak is largest for small runs, where the process itself dominates, and for small batches, where
    /// the parameters dominate.
    #[test]
    fn training_bytes_are_slightly_above_the_measured_peak() {
        for &(settings, kib) in PEAKS {
            let config = parse_settings(settings);
            let max_ratio = if kib >= 64 << 10 && config.batch >= 48 { 1.25 } else { 1.5 };
            let ratio = (training_bytes(&config) + PROCESS_BYTES) as f64 / (1024 * kib) as f64;
            assert!((1.0..=max_ratio).contains(&ratio), "{settings}: the estimate is {ratio} times the measured peak");
        }
    }

    #[test]
    fn training_bytes_of_the_largest_settings_do_not_overflow() {
        assert!(training_bytes(&parse_settings("width=4096 batch=1048576 test_episodes=16777216")) > 1 << 40);
    }

    #[test]
    fn parameters_match_the_network() {
        let run = TutorialRun::<f32>::new(&parse_settings("width=5"), 0);
        assert_eq!(parameters(5), run.params.size() as u64);
        assert_eq!(run.optimizer.moments().count(), 2);
    }
}
