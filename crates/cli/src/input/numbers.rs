//! Parsers for numbers on the command line.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use rl::tasks::STAGES;

/// Largest seed: the largest integer of TOML.
pub(crate) const MAX_SEED: u64 = i64::MAX as u64;

/// Valid numbers of threads.
pub(crate) const THREADS: RangeInclusive<usize> = 1..=1024;
/// Valid numbers of updates.
pub(crate) const UPDATES: RangeInclusive<usize> = 1..=1_000_000_000;
/// Valid numbers of episodes per stage.
pub(crate) const EPISODES: RangeInclusive<usize> = 1..=1 << 24;
/// Valid seeds.
pub(crate) const SEEDS: RangeInclusive<u64> = 0..=MAX_SEED;
/// Valid stages.
pub(crate) const ALL_STAGES: RangeInclusive<usize> = 0..=STAGES - 1;

/// Returns a parser of whole numbers in `range`. Its error says what was expected.
pub(crate) fn parse_whole_in<T: FromStr + PartialOrd + Display + Clone>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Returns the range of the given stage, or of all stages.
pub(crate) fn select_stages(stage: Option<usize>) -> Range<usize> {
    stage.map_or(0..STAGES, |stage| stage..stage + 1)
}
