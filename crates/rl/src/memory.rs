//! The memory that updates take on the host, estimated before the first one.
//!
//! All numbers are `f32`, E is the batch, T the tokens of an episode, d the width, P the parameters, C the chunks:
//!
//! ```text
//! E·T·N·d + P·(4 + 3·C)
//! ```
//!
//! The first term is what the tape and the scan hold for each token. With the fused GRU N is 15: its states and gates twice
//! (5 + 5, of this pass and of the last), the gradients of the gates (3) and of the states (1), and the states that the heads
//! read (1). The second term is the parameters, two moments and the sum of the gradients, and for each chunk its gradients
//! twice and W transposed. Both leave out small things, so that the estimate stays below what is taken: 57 to 92 percent of the
//! peak that Linux reported, over widths of 24 to 1024 and batches of 6 to 48,000.

use nn::Variant;

use crate::config::Config;
use crate::curriculum::{Progress, counts, shares};
use crate::env::Task;
use crate::rollout::chunks;
use crate::tasks::Calculator;
use crate::tasks::tutorial::EMITTED;
use crate::tutorial::TutorialConfig;

/// Numbers that a token of width 1 takes in the fused GRU.
const FUSED: u64 = 15;
/// The same where the GRU is composed of small operations, each with a value and a gradient.
const COMPOSED: u64 = 60;
/// The same of the tutorial, whose heads are read at each token.
const TUTORIAL: u64 = 20;

/// Bytes that an update of a run of `calculator` takes at least, all its chunks together.
pub fn of_updates(config: &Config) -> u64 {
    let task = Calculator::new(config.action_set(), config.rewards());
    let counts = counts(&shares(config.curriculum, &Progress::new(task.stages())), config.batch);
    let tokens = |stage: usize| task.env(stage, 1).context_len() + task.horizon() - 1;
    let tokens =
        counts.iter().enumerate().map(|(stage, &episodes)| (episodes as u64).saturating_mul(tokens(stage) as u64));
    let tokens = tokens.fold(0, u64::saturating_add);
    let each = if config.variant() == Variant::ResetAfter { FUSED } else { COMPOSED };
    bytes(tokens.saturating_mul(each), config.width, chunks(&counts, config.chunk).len())
}

/// Bytes that an update of the tutorial's run takes at least.
pub fn of_tutorial(config: &TutorialConfig) -> u64 {
    bytes((config.batch as u64).saturating_mul(EMITTED as u64 * TUTORIAL), config.width, 1)
}

/// Bytes for numbers that are d wide, and for the parameters, of which the GRU's are 6·d².
fn bytes(wide: u64, width: usize, chunks: usize) -> u64 {
    let (width, chunks) = (width as u64, chunks as u64);
    let params = width.saturating_mul(width).saturating_mul(6);
    let numbers = wide.saturating_mul(width).saturating_add(params.saturating_mul(4 + 3 * chunks));
    numbers.saturating_mul(size_of::<f32>() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peaks that Linux reported (`/usr/bin/time`, x86-64), less the 12 MiB of a run of width 1.
    #[test]
    fn estimates_are_below_what_was_measured_and_near_it() {
        let fused = |width, batch, chunk| of_updates(&Config { width, batch, chunk, ..Config::default() });
        let composed = Config { batch: 9600, gru: crate::config::GruVariant::ResetBefore, ..Config::default() };
        let tutorial = |width, batch| of_tutorial(&TutorialConfig { width, batch, ..TutorialConfig::default() });
        for (estimate, kib) in [
            (fused(96, 192, 48), 39_284),
            (fused(96, 1920, 48), 239_864),
            (fused(96, 9600, 48), 1_130_968),
            (fused(96, 9600, 9600), 1_343_684),
            (fused(24, 9600, 48), 319_816),
            (fused(96, 48_000, 4800), 4_838_096),
            (fused(1024, 6, 48), 472_576),
            (fused(1024, 192, 48), 771_880),
            (fused(1024, 192, 8), 2_216_984),
            (of_updates(&composed), 4_905_228),
            (tutorial(96, 9600), 569_076),
            (tutorial(32, 9600), 248_496),
            (tutorial(1024, 4), 319_492),
        ] {
            let share = estimate as f64 / (1024.0 * (f64::from(kib) - 12_288.0));
            assert!((0.5..1.0).contains(&share), "{estimate} bytes, {share} of what was measured");
        }
    }

    #[test]
    fn the_largest_settings_do_not_overflow() {
        let config = Config { width: 4096, batch: 1 << 20, chunk: 1, ..Config::default() };
        assert!(of_updates(&config) > 1 << 50);
        assert!(of_tutorial(&TutorialConfig { width: 4096, batch: 1 << 20, ..TutorialConfig::default() }) > 1 << 40);
    }
}
