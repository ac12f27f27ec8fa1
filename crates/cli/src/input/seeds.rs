//! Parser for the seeds of several runs: `0..19` or `3,5,9`.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::input::numbers::MAX_SEED;

/// Maximum number of runs of one command.
const MAX_SEEDS: u64 = 10_000;

/// Distinct seeds, in the order in which they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) Vec<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once("..").unwrap_or((part, part));
            let (first, last) = (parse_seed(first)?, parse_seed(last)?);
            if last < first {
                return Err(format!("{part} ends before it starts; write the smaller seed first"));
            }
            if last - first >= MAX_SEEDS || seeds.len() as u64 + (last - first) >= MAX_SEEDS {
                return Err(format!("more than {MAX_SEEDS} seeds; expected at most {MAX_SEEDS}"));
            }
            seeds.extend(first..=last);
        }
        match seeds.iter().collect::<BTreeSet<_>>().len() == seeds.len() {
            true => Ok(Self(seeds)),
            false => Err("a seed appears twice; expected each seed once".into()),
        }
    }
}

fn parse_seed(text: &str) -> Result<u64, String> {
    let seed = text.trim().parse().ok().filter(|&seed| seed <= MAX_SEED);
    seed.ok_or_else(|| {
        format!("'{text}' is not a seed; expected a range like 0..19 (both ends included) or a list like 3,5,9")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_ranges_include_both_ends_and_lists_keep_their_order() {
        let seeds = |text: &str| text.parse::<Seeds>().map(|Seeds(seeds)| seeds);
        assert_eq!(seeds("0..19"), Ok((0..20).collect()));
        assert_eq!(seeds("9,3..5"), Ok(vec![9, 3, 4, 5]));
        assert_eq!(seeds("7"), Ok(vec![7]));
    }

    #[test]
    fn seeds_invalid_text_is_an_error() {
        for (text, why) in [
            ("", "is not a seed"),
            ("1..", "is not a seed"),
            ("-1", "is not a seed"),
            ("9223372036854775808", "is not a seed"),
            ("5..2", "ends before it starts"),
            ("3,1..4", "twice"),
            ("0..10000", "more than 10000"),
            ("0..9223372036854775807", "more than 10000"),
        ] {
            let error = text.parse::<Seeds>().expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
