//! The output and the files of `tutorial`.

use crate::place::{AssertContains, Place, SMALL_TUTORIAL, with};

const CAVEAT: &str = "rewards follow a target that is off by one";

#[test]
fn one_run_is_a_line_for_each_evaluation_and_a_table_of_stages() {
    let out = Place::new().succeeds(&SMALL_TUTORIAL);
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    let lines: Vec<_> = out.lines().filter(|line| line.starts_with("update ")).collect();
    assert!(lines.len() == 2 && lines[0].starts_with("update    5/6  stage 1  "), "{out}");
    out.assert_contains(&[
        "'accuracy'",
        "exact match",
        "shuffled contexts",
        "most frequent program",
        "(a·b+c)−(d·e)",
        CAVEAT,
    ]);
}

#[test]
fn several_runs_are_counted_and_at_other_settings_not_compared() {
    let place = Place::new();
    let out = place.succeeds(&with(&SMALL_TUTORIAL, &["--seeds=0..1", "--threads=2", "--out=two.json"]));
    out.assert_contains(&["0 of 2 runs end", "'accuracy' 0", "exact 0", "seed 1: update ", "median", "range", CAVEAT]);
    assert!(!out.contains("Fisher"), "{out}");
    let json = place.json("two.json");
    assert_eq!((&json["above_one"], &json["of"], &json["p"]), (&0.into(), &2.into(), &serde_json::Value::Null));
    assert_eq!((&json["runs"][1]["seed"], &json["settings"]["width"]), (&1.into(), &"8".into()));
    place.succeeds(&with(&SMALL_TUTORIAL, &["--seed=1", "--threads=1", "--out=one.json"]));
    assert_eq!(place.json("one.json")["runs"][0], json["runs"][1]);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let place = Place::new();
    place.write("mine", "mine");
    place.refuses(&with(&SMALL_TUTORIAL, &["--out", "mine"]), &["mine is there already", "name another file"]);
    place.refuses(&with(&SMALL_TUTORIAL, &["--out", "no/file"]), &["cannot write no/file", "name another file"]);
    place.refuses(&["tutorial", "--rate=-1"], &["--rate: rate = -1 is out of range", "numbers above 0"]);
    place.refuses(&["tutorial", "--clip=1e-50"], &["--clip: clip = 1e-50 becomes 0.0 in f32"]);
    let called = place.gradus(&with(&SMALL_TUTORIAL, &["--rate", "1e30"]));
    assert!(called.code == 1 && called.err.starts_with("error: seed 0: update 2: "), "{called:?}");
}
