//! Tests of the table of cases itself: it is complete, and each row records the operation that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use autograd::Tape;
use autograd::ops::Kind;
use proofs::{Case, all_cases, layer_cases, operation_cases};

/// Returns the operations that a case records, from the printed tape: the word between `=` and the inputs.
fn recorded_operations(case: &Case) -> BTreeSet<String> {
    let tape = Tape::new();
    let x: Vec<_> = case.values().into_iter().map(|x| tape.input(x)).collect();
    case.f.call_f64(&tape, &x);
    let name = |line: &str| Some(line.split_once(" = ")?.1.split_once('(')?.0.to_owned());
    tape.to_string().lines().filter_map(name).collect()
}

#[test]
fn operation_cases_record_their_operation() {
    for &kind in Kind::ALL {
        for case in operation_cases(kind) {
            assert!(recorded_operations(&case).contains(kind.name()), "{case}");
            assert_eq!(case.target.name(), kind.name(), "{case}");
        }
    }
}

/// Binary operations have every pair of the seven shapes that broadcast to a matrix. All others have at least two cases.
#[test]
fn operations_all_have_enough_cases() {
    for &kind in Kind::ALL {
        let pairs = matches!(kind, Kind::Add | Kind::Sub | Kind::Mul | Kind::Div | Kind::Maximum | Kind::Minimum);
        assert!(operation_cases(kind).len() >= if pairs { 7 * 7 } else { 2 }, "{}", kind.name());
    }
}

/// Returns the type of an `impl` line: `Gru` for `impl<'a, T: Real> Gru<T> {` and for `impl Clone for Gru {`.
fn implemented_type(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest };
    let name = rest.rsplit(" for ").next()?.trim_start();
    name.split(|letter: char| !letter.is_alphanumeric()).next()
}

/// Returns the types with a method `forward` in the sources below a folder.
fn types_with_forward(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            found.extend(types_with_forward(&path));
            continue;
        }
        let (text, mut name) = (fs::read_to_string(&path).expect("text"), None);
        for line in text.lines() {
            name = implemented_type(line).or(name);
            if line.trim_start().starts_with("pub fn forward") {
                found.insert(name.unwrap_or_else(|| panic!("{}: no impl above: {line}", path.display())).to_owned());
            }
        }
    }
    found
}

/// The test fails if a new layer in `nn` has no cases.
#[test]
fn layers_all_have_cases() {
    let in_the_table: BTreeSet<String> = layer_cases().iter().map(|case| case.target.name().to_owned()).collect();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/nn/src");
    assert_eq!(in_the_table, types_with_forward(&sources));
}

#[test]
fn cases_names_are_distinct() {
    let mut seen = BTreeSet::new();
    for case in all_cases() {
        assert!(seen.insert((case.target.name(), case.name.clone())), "{case} occurs twice");
    }
}

/// If two extents of an input are equal, a test cannot notice that they are swapped. So equal extents are allowed only where a
/// function uses an input with its transpose or square, and where operands of the same shape could be swapped. Input 3 of
/// attention is the weight of the query, which is always square.
#[test]
fn cases_extents_are_pairwise_distinct() {
    for case in all_cases().iter().filter(|case| !case.name.contains("f(x, x") && !case.name.ends_with(", square")) {
        let is_square = |k| case.target.name() == "Attention" && k == 3;
        for (_, x) in case.values().iter().enumerate().filter(|(k, _)| !is_square(*k)) {
            let extents: Vec<usize> = x.shape().iter().copied().filter(|&extent| extent != 1).collect();
            assert_eq!(extents.iter().collect::<BTreeSet<_>>().len(), extents.len(), "{case}");
        }
    }
}
