//! The memory that a run of the tutorial takes on the host, counted before it begins, by the method of `rl::memory`.
//!
//! E is the number of episodes that are played together: those of a batch, or all of an evaluation. d is the width, S = 6 the number of
//! steps and of tokens read, L = 6 the longest context, V = 18 the number of tokens, which are the actions, P that of parameters.
//!
//! | phase | numbers of 4 bytes |
//! |---|---|
//! | parameters and Adam's moments | 3·P |
//! | gradients, on the tape and summed | 2·P |
//! | learning: GRU, start, what the heads read | E·d·(13·S + 2·L + 10) + 3·d² |
//! | learning: table of input parts, and its gradients | 12·V·d |
//! | heads: logits, log-probabilities, entropies, and their gradients | E·S·(14·V + 24) |
//! | acting | 6·V·d + 3·d² + E·d·(5·S + L + 5) + E·S·(3·V + 2) |

use rl::tasks::{STAGES, operands, token};

use crate::EMITTED;
use crate::run::TutorialConfig;

const S: u64 = EMITTED as u64;
const V: u64 = token::COUNT as u64;

/// Bytes of a node of a tape with the heads of its buffers, besides what these hold.
const NODE: u64 = 450;

/// Bytes of two random generators, a reward and the environment of an episode while it is played.
const PLAYED: u64 = 260;

/// Bytes of a program among the figures of an evaluation, while they are sorted.
const PROGRAM: u64 = 112;

/// Bytes that a run takes, with its evaluations and without the process. A run uses one thread.
pub fn of_training(config: &TutorialConfig) -> u64 {
    let (d, batch) = (config.width as u64, config.batch as u64);
    let evaluated = config.validation_episodes.max(config.test_episodes) as u64;
    let parameters = parameters(d);
    let (learning, acting) = (of_learning(d, parameters, batch), of_acting(d, batch));
    let playing = batch * PLAYED + of_record(batch);
    let evaluating = of_acting(d, evaluated) + of_record(evaluated) + evaluated * (PLAYED + PROGRAM);
    let all = 4 * 3 * parameters + learning + acting + playing + evaluating;
    all + all / 8 // the allocator's gaps
}

/// P.
fn parameters(d: u64) -> u64 {
    (V + STAGES as u64) * d + 6 * d * (d + 1) + (V + 1) * (d + 1)
}

/// L.
fn context() -> u64 {
    operands(STAGES - 1) as u64 + 1
}

fn of_learning(d: u64, parameters: u64, episodes: u64) -> u64 {
    let states = episodes * d * (13 * S + 2 * context() + 10) + 3 * d * d;
    let decided = episodes * S * (14 * V + 24);
    4 * (2 * parameters + states + decided + 5 * episodes * S + 12 * V * d) + 60 * NODE
}

fn of_acting(d: u64, episodes: u64) -> u64 {
    let states = episodes * d * (5 * S + context() + 5) + 3 * d * d;
    4 * (6 * V * d + states + episodes * S * (3 * V + 2)) + 15 * S * NODE
}

/// The record of episodes, in vectors whose capacity has grown by doubling.
fn of_record(episodes: u64) -> u64 {
    episodes * (4 * context() + S.next_power_of_two() * 25 + 1)
}

#[cfg(test)]
mod tests {
    use rl::memory::PROCESS;
    use rl::settings::Settings;

    use super::*;
    use crate::run::TutorialRun;

    /// Peaks of whole runs of six updates, in KiB, that Linux reported (x86-64, glibc 2.36).
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

    fn with(settings: &str) -> TutorialConfig {
        let mut config = TutorialConfig::default();
        for (name, value) in settings.split(' ').filter_map(|setting| setting.split_once('=')) {
            config.set(name, value).expect("a setting");
        }
        config
    }

    /// The need exceeds the peak most for runs in which the process, or the parameters beside a small batch, are a large part.
    #[test]
    fn need_is_the_measured_peak_and_little_more() {
        for &(settings, kib) in PEAKS {
            let config = with(settings);
            let most = if kib >= 64 << 10 && config.batch >= 48 { 1.25 } else { 1.5 };
            let share = (of_training(&config) + PROCESS) as f64 / (1024 * kib) as f64;
            assert!((1.0..=most).contains(&share), "{settings}: {share} of what was measured");
        }
    }

    #[test]
    fn need_of_the_largest_settings_does_not_overflow() {
        assert!(of_training(&with("width=4096 batch=1048576 test_episodes=16777216")) > 1 << 40);
    }

    #[test]
    fn parameters_are_those_of_the_network() {
        let run = TutorialRun::<f32>::new(&with("width=5"), 0);
        assert_eq!(parameters(5), run.params.size() as u64);
        assert_eq!(run.optimizer.moments().count(), 2);
    }
}
