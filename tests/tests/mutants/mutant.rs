//! A mutant: something wrong, and the level that must notice.

use autograd::mutants;
use autograd::ops::Kind;
use gradus_tests::levels::Verdict;

use crate::level::Level;
use crate::slips::Wrong;

/// What may pass or not.
type Check = dyn Fn() -> Verdict;

/// Something wrong.
pub(crate) struct Mutant {
    /// Where it is: an operation, or a function of a crate.
    pub(crate) place: &'static str,
    /// What is wrong, in words.
    pub(crate) wrong: &'static str,
    /// The level that kills it.
    pub(crate) level: Level,
    check: Box<Check>,
    within: Box<dyn Fn(&Check) -> Verdict>,
}

impl Mutant {
    /// A check, and how to run it with something wrong.
    pub(crate) fn new(
        place: &'static str,
        wrong: &'static str,
        level: Level,
        check: impl Fn() -> Verdict + 'static,
        within: impl Fn(&Check) -> Verdict + 'static,
    ) -> Self {
        Self { place, wrong, level, check: Box::new(check), within: Box::new(within) }
    }

    /// A wrong rule for an operation, and a check of some kind.
    pub(crate) fn by(
        kind: Kind,
        wrong: &'static str,
        level: Level,
        rule: impl Wrong,
        check: impl Fn() -> Verdict + 'static,
    ) -> Self {
        Self::new(kind.name(), wrong, level, check, move |check| mutants::with(kind, rule.clone(), check))
    }

    /// A wrong rule for an operation, and the operation's cases.
    pub(crate) fn of(kind: Kind, wrong: &'static str, level: Level, rule: impl Wrong) -> Self {
        Self::by(kind, wrong, level, rule, move || level.judges(kind))
    }

    /// What the level says without the mutant.
    pub(crate) fn without(&self) -> Verdict {
        (self.check)()
    }

    /// What the level says with it.
    pub(crate) fn with(&self) -> Verdict {
        (self.within)(&*self.check)
    }

    /// What another check says with it.
    pub(crate) fn under(&self, check: &Check) -> Verdict {
        (self.within)(check)
    }
}
