//! L9, teeth: wrong rules are put in the place of right ones, and the level that should notice does.
//!
//! Golden files are off here: nothing in this file reads them. Each mutant names the level that kills it, whose check
//! passes without the mutant. `docs/teeth.md` has the list, and the smallest factor that is seen in each rule.
#![forbid(unsafe_code)]

mod a2c;
mod checks;
mod gru;
mod learning;
mod level;
mod limits;
mod mutant;
mod operations;
mod page;
mod recurrent;
mod slips;

use std::collections::BTreeMap;

use autograd::ops::Kind;

use level::Level;
use mutant::Mutant;

/// Every mutant, from the bottom up.
fn mutants() -> Vec<Mutant> {
    [operations::mutants(), recurrent::mutants(), learning::mutants(), a2c::mutants()].into_iter().flatten().collect()
}

/// A panic is no verdict: it says that the mutant could not run, not that somebody noticed.
#[test]
fn every_mutant_is_killed_by_its_level() {
    let mut sound = BTreeMap::new();
    let mut survivors = Vec::new();
    for mutant in mutants() {
        let Mutant { place, wrong, level, .. } = mutant;
        let without = sound.entry((place, level)).or_insert_with(|| mutant.without());
        assert_eq!(*without, Ok(()), "{level} refuses {place} as it is");
        match mutant.with() {
            Ok(()) => survivors.push(format!("{place}: {wrong}: survives {level}")),
            Err(words) if words.contains("panicked") => survivors.push(format!("{place}: {wrong}: panics: {words}")),
            Err(_) => {}
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

/// The switch itself kills nothing.
#[test]
fn a_right_rule_by_way_of_the_switch_passes_every_level() {
    for &kind in Kind::ALL {
        for level in Level::ALL {
            let verdict = autograd::mutants::with(kind, slips::nothing(), || level.judges(kind));
            assert_eq!(verdict, Ok(()), "{level} of {}", kind.name());
        }
    }
}

/// What only other levels see, L1 does not: that is what they are for.
#[test]
fn kinks_size_and_second_derivatives_need_their_levels() {
    for mutant in mutants().iter().filter(|mutant| matches!(mutant.level, Level::L2 | Level::L3 | Level::L4)) {
        let kind = *Kind::ALL.iter().find(|kind| kind.name() == mutant.place).expect("an operation");
        let exact = mutant.under(&move || Level::L1.judges(kind));
        assert_eq!(exact, Ok(()), "{}: {}", mutant.place, mutant.wrong);
    }
}
