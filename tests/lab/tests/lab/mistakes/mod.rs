//! L9, teeth: mistakes are given to the checks that right code passes, and each is refused by the level that should notice it.
//!
//! A wrong rule is an operation with the right value and the gradient of another function ([`gradient`]), in a case of its own; a wrong
//! optimiser, clipping, judging or loss is a function. Golden files are off here: nothing in this file reads them.
//! `docs/teeth.md` has the list, and the smallest factor that is seen in each rule.

mod a2c;
mod gradient;
mod gru;
mod learning;
mod limits;
mod operations;
mod page;

use std::collections::BTreeSet;

use gradus_tests::levels::{CHECKS, Check, Verdict};
use proofs::Case;

/// A mistake, and the level that must notice.
struct Mistake {
    /// Where it is: an operation, or a function of a crate.
    place: &'static str,
    /// What is wrong, in words.
    wrong: &'static str,
    /// The level that refuses it.
    level: &'static str,
    /// The level's verdict without the mistake, and with it.
    verdicts: [Box<dyn Fn() -> Verdict>; 2],
    /// For a rule, the case without the mistake, and with it.
    cases: Option<[Case; 2]>,
    /// For a rule that only another level refuses, the case in which L1 sees nothing.
    unseen: Option<Case>,
}

impl Mistake {
    fn new(
        [place, wrong, level]: [&'static str; 3],
        right: impl Fn() -> Verdict + 'static,
        mistaken: impl Fn() -> Verdict + 'static,
    ) -> Self {
        Self { place, wrong, level, verdicts: [Box::new(right), Box::new(mistaken)], cases: None, unseen: None }
    }

    /// A wrong rule, in a case of its own.
    fn rule(wrong: &'static str, level: &'static str, cases: [Case; 2]) -> Self {
        let place = cases[0].of.name();
        let [right, mistaken] = cases.clone().map(|case| move || judged(level, &case));
        let unseen = (level == "L4").then(|| cases[1].clone());
        Self { cases: Some(cases), unseen, ..Self::new([place, wrong, level], right, mistaken) }
    }
}

/// The verdict of a level on a case.
fn judged(level: &str, case: &Case) -> Verdict {
    CHECKS.iter().filter(|check| check.level == level).try_for_each(|check| (check.check)(case))
}

/// Every mistake, from the bottom up.
fn mistakes() -> Vec<Mistake> {
    [operations::mistakes(), gru::mistakes(), learning::mistakes(), a2c::mistakes()].into_iter().flatten().collect()
}

/// True if a check refuses. A panic is no refusal: the mistake could not run, and nobody noticed it.
fn is_refused(verdict: Verdict) -> bool {
    verdict.is_err_and(|words| !words.contains("panicked"))
}

#[test]
fn every_mistake_is_refused_by_its_level() {
    let (mut survivors, mut passed) = (Vec::new(), BTreeSet::new());
    for Mistake { place, wrong, level, verdicts: [right, mistaken], cases, .. } in mistakes() {
        let is_new = cases.is_none_or(|[right, _]| passed.insert((level, right.to_string())));
        assert!(!is_new || right() == Ok(()), "{level} refuses {place} as it is: {wrong}");
        if !is_refused(mistaken()) {
            survivors.push(format!("{place}: {wrong}: survives {level}"));
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

/// True if a check passes a case and refuses the same case with this mistake.
fn tells_apart(check: &Check, mistake: &Mistake) -> bool {
    let Some([right, mistaken]) = &mistake.cases else { return false };
    (check.check)(right).is_ok() && is_refused((check.check)(mistaken))
}

#[test]
fn every_check_refuses_a_mistake() {
    let mistakes = mistakes();
    for check in CHECKS {
        let found =
            mistakes.iter().find(|mistake| tells_apart(check, mistake)).unwrap_or_else(|| panic!("{}", check.name));
        println!("{} refuses {}: {}", check.name, found.place, found.wrong);
    }
}

/// L1 does not see the mistakes that only other levels refuse.
#[test]
fn kinks_size_and_second_derivatives_need_their_levels() {
    for mistake in mistakes().iter().filter(|mistake| ["L2", "L3", "L4"].contains(&mistake.level)) {
        let case = mistake.unseen.as_ref().expect("a case that is small and smooth");
        assert_eq!(judged("L1", case), Ok(()), "{}: {}", mistake.place, mistake.wrong);
    }
}
