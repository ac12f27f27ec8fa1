//! The table of cases itself: that it forgets nothing, and that its rows are what they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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

/// `Gru` of `impl<'a, T: Real> Gru<T> {` and of `impl Clone for Gru {`.
fn implemented(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest };
    let of = rest.rsplit(" for ").next()?.trim_start();
    of.split(|letter: char| !letter.is_alphanumeric()).next()
}

/// The types in the sources below a folder that have a method `forward`.
fn with_forward(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            found.extend(with_forward(&path));
            continue;
        }
        let (text, mut of) = (fs::read_to_string(&path).expect("text"), None);
        for line in text.lines() {
            of = implemented(line).or(of);
            if line.trim_start().starts_with("pub fn forward") {
                found.insert(of.unwrap_or_else(|| panic!("{}: {line} of what?", path.display())).to_owned());
            }
        }
    }
    found
}

/// So a layer that is new in `nn` and has none turns this red.
#[test]
fn every_layer_has_cases() {
    let in_the_table: BTreeSet<String> = layers().iter().map(|case| case.of.name().to_owned()).collect();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/nn/src");
    assert_eq!(in_the_table, with_forward(&sources));
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
