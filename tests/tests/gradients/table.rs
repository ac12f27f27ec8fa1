//! The table of cases itself: that it forgets nothing, and that its rows are what they say.

use std::collections::BTreeSet;

use autograd::Tape;
use autograd::ops::Kind;
use proofs::{Case, all, layers, operations};

/// The operations that a case puts on the tape: on a printed one, what stands between `=` and the inputs.
fn recorded(case: &Case) -> BTreeSet<String> {
    let tape = Tape::new();
    let x: Vec<_> = case.values().into_iter().map(|x| tape.input(x)).collect();
    case.f.on_numbers(&tape, &x);
    let name = |line: &str| Some(line.split_once(" = ")?.1.split_once('(')?.0.to_owned());
    tape.to_string().lines().filter_map(name).collect()
}

#[test]
fn every_case_of_an_operation_records_it() {
    for &kind in Kind::ALL {
        for case in operations(kind) {
            assert!(recorded(&case).contains(kind.name()), "{case}");
            assert_eq!(case.of.name(), kind.name(), "{case}");
        }
    }
}

/// Every pair of the seven shapes that broadcast to a matrix, and more than one case of everything else.
#[test]
fn no_operation_has_too_few_cases() {
    for &kind in Kind::ALL {
        let pairs = matches!(kind, Kind::Add | Kind::Sub | Kind::Mul | Kind::Div);
        assert!(operations(kind).len() >= if pairs { 7 * 7 } else { 2 }, "{}", kind.name());
    }
}

#[test]
fn every_layer_has_cases() {
    let named: BTreeSet<&str> = layers().iter().map(|case| case.of.name()).collect();
    assert_eq!(named, BTreeSet::from(["Embedding", "Gru", "GruCell", "LayerNorm", "Linear", "Mlp"]));
}

#[test]
fn names_are_distinct() {
    let mut seen = BTreeSet::new();
    for case in all() {
        assert!(seen.insert((case.of.name(), case.name.clone())), "{case} occurs twice");
    }
}

/// Where two extents of an input are equal, a mistake of one for the other is not seen: so only where a function takes an
/// input and its transpose, or its square; and where operands of one shape could be taken for each other.
#[test]
fn extents_are_pairwise_distinct() {
    for case in all().iter().filter(|case| !case.name.contains("f(x, x") && !case.name.ends_with(", square")) {
        for x in case.values() {
            let extents: Vec<usize> = x.shape().iter().copied().filter(|&extent| extent != 1).collect();
            assert_eq!(extents.iter().collect::<BTreeSet<_>>().len(), extents.len(), "{case}");
        }
    }
}
