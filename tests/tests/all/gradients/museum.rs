//! Every exhibit of the museum: the check finds the mistake and names it, is content without it, and the weak test passes.

use std::collections::BTreeSet;
use std::path::Path;

use autograd::gradcheck::{Finding, Report};
use proofs::museum::{exhibits, page};

/// The inputs with which a report is not content.
fn wrong_in(report: &Report) -> BTreeSet<&str> {
    let too_far = report.compared.iter().filter(|compared| compared.error > report.tolerance);
    let findings = report.findings.iter().filter_map(|finding| match finding {
        Finding::NoInfluence(input) | Finding::Severed(input) | Finding::NotLinear(input) => Some(&**input),
        Finding::WrongShape { input, .. } => Some(&**input),
        Finding::NotDeterministic => None,
        other => panic!("no exhibit is meant to show this: {other}"),
    });
    too_far.map(|compared| &*compared.input).chain(findings).collect()
}

#[test]
fn every_mistake_is_found_and_named() {
    for exhibit in exhibits() {
        let report = (exhibit.wrong)();
        assert!(!report.is_ok(), "{}: {report}", exhibit.name);
        assert_eq!(wrong_in(&report), exhibit.wrong_in.iter().copied().collect(), "{}: {report}", exhibit.name);
        match exhibit.says {
            Some(says) => assert!(report.to_string().contains(says), "{}: not “{says}”, but {report}", exhibit.name),
            None => {
                assert!(report.findings.is_empty() && report.diagnoses().count() == 0, "{}: {report}", exhibit.name)
            }
        }
    }
}

#[test]
fn without_the_mistake_the_check_is_content() {
    for exhibit in exhibits() {
        let report = (exhibit.right)();
        assert!(report.is_ok() && !report.compared.is_empty(), "{}: {report}", exhibit.name);
    }
}

#[test]
fn the_weak_test_lets_it_pass() {
    for exhibit in exhibits() {
        assert!((exhibit.weak.passes)(), "{}: “{}” sees it after all", exhibit.name, exhibit.weak.test);
    }
}

#[test]
fn every_exhibit_is_named_once_and_has_a_source() {
    let names: BTreeSet<_> = exhibits().iter().map(|exhibit| exhibit.name).collect();
    assert_eq!(names.len(), exhibits().len());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace");
    for exhibit in exhibits() {
        assert!(exhibit.sources.iter().all(|source| source.starts_with("https://")), "{}", exhibit.name);
        assert!(!exhibit.sources.is_empty() && root.join(exhibit.file).is_file(), "{}", exhibit.name);
    }
}

#[test]
fn the_page_is_the_one_that_the_museum_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/museum.md");
    let found = std::fs::read_to_string(&path).expect("docs/museum.md");
    assert!(found == page(), "write it again: cargo run -p proofs --example museum -- --page > docs/museum.md");
}
