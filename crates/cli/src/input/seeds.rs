//! `0..19` and `3,5,9`: the seeds of several runs.

use std::collections::BTreeSet;
use std::str::FromStr;

/// The greatest seed: the greatest integer of TOML.
pub(crate) const GREATEST: u64 = i64::MAX as u64;

/// The most runs that one command makes.
const MOST: u64 = 10_000;

/// Different seeds, in the order in which they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) Vec<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once("..").unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return Err(format!("{part} ends before it begins; expected the smaller seed first"));
            }
            if last - first >= MOST || seeds.len() as u64 + (last - first) >= MOST {
                return Err(format!("more than {MOST} seeds; expected fewer"));
            }
            seeds.extend(first..=last);
        }
        match seeds.iter().collect::<BTreeSet<_>>().len() == seeds.len() {
            true => Ok(Self(seeds)),
            false => Err("a seed is there twice; expected each once".into()),
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    let seed = text.trim().parse().ok().filter(|&seed| seed <= GREATEST);
    seed.ok_or_else(|| format!("'{text}' is no seed; expected first..last, both included, or a list as in 3,5,9"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends_and_lists_keep_their_order() {
        let seeds = |text: &str| text.parse::<Seeds>().map(|Seeds(seeds)| seeds);
        assert_eq!(seeds("0..19"), Ok((0..20).collect()));
        assert_eq!(seeds("9,3..5"), Ok(vec![9, 3, 4, 5]));
        assert_eq!(seeds("7"), Ok(vec![7]));
    }

    #[test]
    fn what_is_no_list_of_seeds_is_refused() {
        for (text, why) in [
            ("", "is no seed"),
            ("1..", "is no seed"),
            ("-1", "is no seed"),
            ("9223372036854775808", "is no seed"),
            ("5..2", "ends before it begins"),
            ("3,1..4", "twice"),
            ("0..10000", "more than 10000"),
            ("0..9223372036854775807", "more than 10000"),
        ] {
            let error = text.parse::<Seeds>().expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
