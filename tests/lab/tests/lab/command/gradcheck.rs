//! Tests of `gradus gradcheck` on every operation and layer, and of the museum.

use autograd::ops::Kind;
use proofs::measure::Method;
use proofs::museum::exhibits;
use serde_json::{Value, json};

use super::sandbox::{Sandbox, assert_self_contained};

#[test]
fn gradcheck_every_operation_and_layer_agrees() {
    let sandbox = Sandbox::new();
    let mut wanted: Vec<&str> = proofs::all_cases().iter().map(|case| case.target.name()).collect();
    wanted.dedup();
    let json: Value = serde_json::from_str(&sandbox.expect_success(&["gradcheck", "--json"])).expect("JSON");
    assert_eq!((&json["agree"], &json["cases"]), (&json!(true), &json!(proofs::all_cases().len())));
    let subjects = json["subjects"].as_array().expect("a list");
    let names = |kind: &str| -> Vec<&str> {
        let of_kind = subjects.iter().filter(|subject| subject["kind"] == kind);
        of_kind.map(|subject| subject["name"].as_str().expect("a name")).collect()
    };
    assert_eq!(names("operation"), Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
    assert_eq!(names("layer"), wanted[Kind::ALL.len()..]);
    for subject in subjects {
        for method in Method::ALL.map(Method::name) {
            let (error, tolerance) = (&subject["worst"][method]["error"], &json["tolerances"][method]);
            let agree = error.as_f64().zip(tolerance.as_f64()).is_some_and(|(error, tolerance)| error <= tolerance);
            assert!(agree, "{}, {method}: {error} and {tolerance}", subject["name"]);
        }
        assert!(subject["limit"].as_f64().is_some_and(|limit| limit <= 1e-12), "{}", subject["limit"]);
        assert!(subject["richardson_estimate"].as_f64().is_some_and(|estimate| estimate < 2e-11), "{subject}");
        assert!(!subject["cases"].as_array().expect("a list").is_empty());
    }
    let curve = &json["curve"];
    let errors = [&curve["reverse_mode"], &curve["richardson"], &curve["best"]["error"], &curve["pytorch"]["error"]];
    assert!(errors.map(|error| error.as_f64().expect("a number")).is_sorted(), "{errors:?}");
}

#[test]
fn gradcheck_museum_shows_every_wrong_gradient() {
    let sandbox = Sandbox::new();
    let output = sandbox.expect_success(&["gradcheck", "--museum"]);
    let json: Value =
        serde_json::from_str(&sandbox.expect_success(&["gradcheck", "--museum", "--json"])).expect("JSON");
    let message = sandbox.expect_success(&["gradcheck", "--museum", "--html"]);
    let found = format!("finds {} of them", exhibits().len());
    assert!(message.contains(&found) && message.ends_with("\nwrote museum.html\n"), "{message}");
    let page = sandbox.text("museum.html");
    assert_self_contained(&page);
    let shown = json["exhibits"].as_array().expect("a list");
    assert_eq!((&json["found"], shown.len()), (&json!(true), exhibits().len()));
    for (exhibit, known) in shown.iter().zip(exhibits()) {
        assert_eq!(exhibit["title"], known.title);
        assert!(exhibit["report"]["compared"].is_array() && !exhibit["sources"].as_array().expect("a list").is_empty());
        for part in [known.title, known.lesson, known.mistake, known.weak_test.description, known.sources[0]] {
            assert!(output.contains(part), "no {part} in {output}");
        }
        for source in known.sources {
            assert!(page.contains(&format!("<a href=\"{source}\">")), "no link to {source}");
        }
        let escaped = known.lesson.replace('"', "&quot;").replace('<', "&lt;");
        assert!(page.contains(known.title) && page.contains(&escaped), "{}", known.title);
    }
    assert!(output.contains("DO NOT AGREE") && page.contains("DO NOT AGREE"));
    sandbox.expect_refusal(&["gradcheck", "--museum", "--op", "tanh"], &["--museum", "--op"]);
}
