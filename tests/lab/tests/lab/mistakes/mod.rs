//! L9: tests that the checks refuse mistakes. Right code passes every check; the level named with a mistake must refuse it.
//!
//! A wrong rule is an operation with the right value and the gradient of another function ([`gradient`]), in its own case. A
//! wrong optimiser, clipping, advantage or loss is a function. Nothing in this file reads the golden files. `record/teeth.md`
//! has the list, and the smallest factor that is detected in each rule.

mod a2c;
mod detection_limits;
mod gradient;
mod gru;
mod operations;
mod optimizers;
mod teeth_page;

use std::collections::BTreeSet;

use gradus_tests::levels::{CHECKS, Check, Verdict};
use proofs::Case;

/// A mistake, and the level that must refuse it.
struct Mistake {
    /// The operation, or the function of a crate, that is wrong.
    place: &'static str,
    /// A description of the mistake.
    wrong: &'static str,
    /// The level that refuses it.
    level: &'static str,
    /// The level's verdicts without and with the mistake.
    verdicts: [Box<dyn Fn() -> Verdict>; 2],
    /// For a rule, the cases without and with the mistake.
    cases: Option<[Case; 2]>,
    /// For a rule that L1 cannot refuse, a case in which L1 misses it.
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

    /// Creates a wrong rule from the cases without and with the mistake.
    fn rule(wrong: &'static str, level: &'static str, cases: [Case; 2]) -> Self {
        let place = cases[0].target.name();
        let [right, mistaken] = cases.clone().map(|case| move || check_level(level, &case));
        let unseen = (level == "L4").then(|| cases[1].clone());
        Self { cases: Some(cases), unseen, ..Self::new([place, wrong, level], right, mistaken) }
    }
}

/// Runs all checks of a level on a case.
fn check_level(level: &str, case: &Case) -> Verdict {
    CHECKS.iter().filter(|check| check.level == level).try_for_each(|check| (check.check)(case))
}

/// Returns every mistake, from operations up to the A2C loss.
fn mistakes() -> Vec<Mistake> {
    [operations::mistakes(), gru::mistakes(), optimizers::mistakes(), a2c::mistakes()].into_iter().flatten().collect()
}

/// Returns true if a check refuses. A panic does not count: the mistake could not run, so it was not noticed.
fn is_refused(verdict: Verdict) -> bool {
    verdict.is_err_and(|words| !words.contains("panicked"))
}

#[test]
fn mistakes_all_are_refused_by_their_level() {
    let (mut survivors, mut passed) = (Vec::new(), BTreeSet::new());
    for Mistake { place, wrong, level, verdicts: [right, mistaken], cases, .. } in mistakes() {
        let is_new = cases.is_none_or(|[right, _]| passed.insert((level, right.to_string())));
        assert!(!is_new || right() == Ok(()), "{level} refuses {place} without the mistake: {wrong}");
        if !is_refused(mistaken()) {
            survivors.push(format!("{place}: {wrong}: survives {level}"));
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

/// Returns true if a check passes a case and refuses the same case with this mistake.
fn tells_apart(check: &Check, mistake: &Mistake) -> bool {
    let Some([right, mistaken]) = &mistake.cases else { return false };
    (check.check)(right).is_ok() && is_refused((check.check)(mistaken))
}

#[test]
fn checks_all_refuse_a_mistake() {
    let mistakes = mistakes();
    for check in CHECKS {
        let found =
            mistakes.iter().find(|mistake| tells_apart(check, mistake)).unwrap_or_else(|| panic!("{}", check.name));
        println!("{} refuses {}: {}", check.name, found.place, found.wrong);
    }
}

/// L1 passes the mistakes that L2, L3 or L4 refuse.
#[test]
fn l1_misses_kinks_large_operands_and_second_derivatives() {
    for mistake in mistakes().iter().filter(|mistake| ["L2", "L3", "L4"].contains(&mistake.level)) {
        let case = mistake.unseen.as_ref().expect("a small and smooth case");
        assert_eq!(check_level("L1", case), Ok(()), "{}: {}", mistake.place, mistake.wrong);
    }
}
