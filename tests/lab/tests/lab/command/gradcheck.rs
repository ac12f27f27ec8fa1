//! `gradus gradcheck` on every operation and layer, and the museum.

use autograd::ops::Kind;
use proofs::measure::Method;
use proofs::museum::exhibits;
use serde_json::{Value, json};

use super::place::{Place, assert_self_contained};

/// The layer that takes as long as all others together; it is in the run without names, which is an example in the help.
const SLOWEST: &str = "Gru";

#[test]
fn all_of_them_are_proved() {
    let place = Place::new();
    let mut wanted: Vec<&str> = proofs::all().iter().map(|case| case.of.name()).collect();
    wanted.dedup();
    let named = wanted.iter().filter(|name| **name != SLOWEST).flat_map(|name| ["--op", name]);
    let args: Vec<_> = ["gradcheck", "--json"].into_iter().chain(named).collect();
    let json: Value = serde_json::from_str(&place.succeeds(&args)).expect("JSON");
    let cases = proofs::all().iter().filter(|case| case.of.name() != SLOWEST).count();
    assert_eq!((&json["agree"], &json["cases"]), (&json!(true), &json!(cases)));
    let subjects = json["subjects"].as_array().expect("a list");
    let names = |kind: &str| -> Vec<&str> {
        let of_kind = subjects.iter().filter(|subject| subject["kind"] == kind);
        of_kind.map(|subject| subject["name"].as_str().expect("a name")).collect()
    };
    assert_eq!(names("operation"), Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
    let layers = wanted[Kind::ALL.len()..].iter().copied().filter(|name| *name != SLOWEST);
    assert_eq!(names("layer"), layers.collect::<Vec<_>>());
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
fn the_museum_can_be_visited() {
    let place = Place::new();
    let told = place.succeeds(&["gradcheck", "--museum"]);
    let json: Value = serde_json::from_str(&place.succeeds(&["gradcheck", "--museum", "--json"])).expect("JSON");
    let said = place.succeeds(&["gradcheck", "--museum", "--html"]);
    let found = format!("finds {} of them", exhibits().len());
    assert!(said.contains(&found) && said.ends_with("\nwrote museum.html\n"), "{said}");
    let page = place.text("museum.html");
    assert_self_contained(&page);
    let shown = json["exhibits"].as_array().expect("a list");
    assert_eq!((&json["found"], shown.len()), (&json!(true), exhibits().len()));
    for (exhibit, known) in shown.iter().zip(exhibits()) {
        assert_eq!(exhibit["title"], known.title);
        assert!(exhibit["report"]["compared"].is_array() && !exhibit["sources"].as_array().expect("a list").is_empty());
        for part in [known.title, known.lesson, known.mistake, known.weak.test, known.sources[0]] {
            assert!(told.contains(part), "no {part} in {told}");
        }
        let escaped = known.lesson.replace('"', "&quot;").replace('<', "&lt;");
        assert!(page.contains(known.title) && page.contains(&escaped), "{}", known.title);
    }
    assert!(told.contains("DO NOT AGREE") && page.contains("DO NOT AGREE"));
    place.refuses(&["gradcheck", "--museum", "--op", "tanh"], &["--museum", "--op"]);
}
