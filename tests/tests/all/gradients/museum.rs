//! Tests of every exhibit of the museum: the check finds and names the mistake, passes without it, and the weak test misses it.

use std::collections::BTreeSet;
use std::path::Path;

use autograd::gradcheck::{Finding, Report};
use proofs::museum::{exhibits, page};

/// Returns the inputs whose gradients the report rejects.
fn rejected_inputs(report: &Report) -> BTreeSet<&str> {
    let too_far = report.compared.iter().filter(|compared| compared.error > report.tolerance);
    let findings = report.findings.iter().filter_map(|finding| match finding {
        Finding::NoInfluence(input) | Finding::Severed(input) | Finding::NotLinear(input) => Some(&**input),
        Finding::WrongShape { input, .. } => Some(&**input),
        Finding::NotDeterministic => None,
        other => panic!("no exhibit should cause this finding: {other}"),
    });
    too_far.map(|compared| &*compared.input).chain(findings).collect()
}

#[test]
fn museum_every_mistake_is_found_and_named() {
    for exhibit in exhibits() {
        let report = (exhibit.wrong_report)();
        assert!(!report.is_ok(), "{}: {report}", exhibit.name);
        assert_eq!(
            rejected_inputs(&report),
            exhibit.wrong_inputs.iter().copied().collect(),
            "{}: {report}",
            exhibit.name
        );
        match exhibit.diagnosis {
            Some(says) => assert!(report.to_string().contains(says), "{}: not “{says}”, but {report}", exhibit.name),
            None => {
                assert!(report.findings.is_empty() && report.diagnoses().count() == 0, "{}: {report}", exhibit.name)
            }
        }
    }
}

#[test]
fn museum_corrected_exhibits_pass_the_check() {
    for exhibit in exhibits() {
        let report = (exhibit.right_report)();
        assert!(report.is_ok() && !report.compared.is_empty(), "{}: {report}", exhibit.name);
    }
}

#[test]
fn museum_weak_tests_miss_every_mistake() {
    for exhibit in exhibits() {
        assert!(
            (exhibit.weak_test.passes)(),
            "{}: “{}” notices it after all",
            exhibit.name,
            exhibit.weak_test.description
        );
    }
}

/// Returns true for a character that a link needs no escape for, in HTML and in Markdown.
fn is_url_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~/:".contains(c)
}

#[test]
fn museum_exhibits_have_unique_names_and_sources() {
    let names: BTreeSet<_> = exhibits().iter().map(|exhibit| exhibit.name).collect();
    assert_eq!(names.len(), exhibits().len());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace");
    for exhibit in exhibits() {
        for source in exhibit.sources {
            let host = source.strip_prefix("https://").and_then(|rest| rest.split_once('/')).map(|(host, _)| host);
            assert!(host.is_some_and(|host| host.contains('.')) && source.chars().all(is_url_char), "{source}");
            assert!(page().contains(&format!("<{source}>")), "the page has no link to {source}");
        }
        assert!(!exhibit.sources.is_empty() && root.join(exhibit.file).is_file(), "{}", exhibit.name);
    }
}

#[test]
fn museum_page_matches_the_printed_page() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/museum.md");
    let found = std::fs::read_to_string(&path).expect("docs/museum.md");
    assert!(
        found == page(),
        "the page is out of date; run cargo run -p gradus-proofs --example museum -- --page > docs/museum.md"
    );
}
