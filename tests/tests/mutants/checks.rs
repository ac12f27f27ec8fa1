//! Every check of every level has been seen red: for each there is a wrong rule that this very check refuses.

use autograd::mutants::{Seen, Sent, with};
use autograd::ops::Kind;
use gradus_tests::levels::{CHECKS, Check, Verdict};
use proofs::operations;

use crate::gru;
use crate::operations::not_reduced;
use crate::slips::{
    ONE, constants, hearing, last_stays, looks_at_wanted, reads_everything, rows_leak, slope, stored, swapped,
};

type Rule = dyn Fn(&Seen) -> Vec<Sent>;

/// The bits that [`repeats`](gradus_tests::levels::repeats) compares are those of other threads, where the switch is off:
/// here are only its shapes. Of the bits there is a mutant in the list, which `level.rs` judges on this thread.
fn wrong_for(check: &Check) -> (Kind, Box<Rule>) {
    match check.name {
        "repeats" => (Kind::Add, Box::new(not_reduced(1))),
        "exact" => (Kind::MatMul, Box::new(swapped())),
        "exact on top of other gradients" => (Kind::Tanh, Box::new(stored())),
        "exact along other cotangents" => (Kind::Exp, Box::new(hearing(|_| ONE))),
        "Richardson's extrapolation" => (Kind::Log, Box::new(slope(|_, y| ONE / y))),
        "central differences" => (Kind::Relu, Box::new(slope(|_, _| ONE))),
        "dot products" => (Kind::Embedding, Box::new(last_stays(0))),
        "second order" => (Kind::Sigmoid, Box::new(constants())),
        "slope of the gradient" => (Kind::Softmax, Box::new(constants())),
        "symmetric" => (Kind::LayerNorm, Box::new(constants())),
        "linear" => (Kind::Slice, Box::new(hearing(|dy| dy * dy))),
        "accumulates" => (Kind::Gru, Box::new(stored())),
        "ignores constants" => (Kind::Mul, Box::new(looks_at_wanted())),
        "adds up over rows" => (Kind::LayerNorm, Box::new(rows_leak())),
        "goes step by step" => (Kind::Gru, Box::new(gru::rule(gru::Slip::DetachedAfterSteps(2)))),
        "withstands poison" => (Kind::Slice, Box::new(reads_everything())),
        other => panic!("{other}: no rule is wrong for it"),
    }
}

#[test]
fn every_check_has_been_seen_red() {
    for check in CHECKS {
        let (kind, rule) = wrong_for(check);
        let judge = || -> Verdict { operations(kind).iter().try_for_each(check.check) };
        assert_eq!(judge(), Ok(()), "{} refuses {} as it is", check.name, kind.name());
        let words = with(kind, rule, judge).expect_err(check.name);
        assert!(!words.contains("panicked"), "{}: {words}", check.name);
    }
}
