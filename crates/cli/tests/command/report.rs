//! The pages that `report` writes: complete, from the files alone, and with nothing from elsewhere.

use std::fs;

use crate::place::{AssertContains, Place, assert_self_contained, small};
use serde_json::{Value, json};

/// The page of a folder after `report`.
#[track_caller]
fn page(place: &Place, folder: &str) -> String {
    place.succeeds(&["report", folder]);
    place.text(&format!("{folder}/report.html"))
}

/// A run of two validations, with figures that are known.
fn known(place: &Place, name: &str) {
    place.succeeds(&small(&["--out", name]));
    let update = |update: usize, grad_norm: f64| {
        json!({
            "update": update, "rate": 0.005, "entropy_coefficient": 0.3, "unlocked": 0, "loss": -0.25, "policy_loss": 0.5,
            "value_loss": 0.75, "entropy": 1.625, "grad_norm": grad_norm, "reward": 0.125, "steps": 9,
            "episodes": [4, 4, 4], "solved": [1, 0, 0],
        })
    };
    let validation = |update: usize, exact: [f64; 3]| {
        let stage =
            |stage: usize| json!({"stage": stage, "exact": exact[stage], "reward": 0.5, "steps": 4.0, "programs": 3});
        let stages = [0, 1, 2].map(stage);
        json!({"validation": update, "stages": stages})
    };
    let lines = [update(1, 0.625), update(2, 31.25), validation(2, [0.1234, 0.0, 0.0]), update(3, 0.5), update(4, 0.5)];
    let lines = lines.into_iter().chain([validation(4, [0.9876, 0.4321, 0.0])]);
    place.write(&format!("{name}/metrics.jsonl"), jsonl(lines));
}

fn jsonl(lines: impl Iterator<Item = Value>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

/// Lines of episodes.jsonl at three validations.
fn episodes(goal: &str) -> String {
    let line = |update: usize| {
        let p = [0.25, 0.5, 0.75][update / 2 - 1];
        let register = |name: &str, holds: &str, number: usize| json!({"name": name, "holds": holds, "number": number});
        let step = json!({
            "action": "ADD", "probabilities": [1.0 - p, p], "value": 0.5, "entropy": 0.7, "reward": 0.1, "reset": 0.5,
            "update": 0.5, "state": [register("acc", "a+b", update), {"name": "mem", "holds": null, "number": null}, register("top", "a", 4)],
        });
        json!({
            "validation": update, "stage": 2, "actions": ["MUL", "ADD"], "probabilities": [[1.0 - p, p], [0.125, 0.875]],
            "episode": {
                "stage": 2, "goals": [register("goal", goal, 41)], "context": ["4", "2", "CTX"],
                "read": [{"token": "4", "reset": 0.5, "update": 0.5}], "steps": [step], "solved": update > 2,
            },
        })
    };
    jsonl([2, 4, 6].map(line).into_iter())
}

#[test]
fn the_page_of_a_run_shows_the_figures_of_its_files() {
    let place = Place::new();
    known(&place, "run");
    place.write("run/episodes.jsonl", episodes("(a·b+c)−(d·e)"));
    let page = page(&place, "run");
    assert_self_contained(&page);
    page.assert_contains(&[
        "update 2: 0.1234</title>",
        "update 4: 0.9876</title>",
        "update 4: 0.4321</title>",
        "Gradient norm: from 0.6250 at update 1 to 0.5000 at update 4; least 0.5000 at update 3, greatest 31.25 at update 2",
        "Entropy: from 1.625",
        "Value error: from 0.7500",
        "Reward: from 0.1250",
        "clipped at 1<",
        "A fixed program per stage is optimal here",
        "step 1, ADD: from 0.2500 to 0.7500",
        "step 2, MUL: from 0.1250 to 0.1250",
        "<b>Update 2</b> <span class=\"bad\">✗ no exact match",
        "<b>Update 6</b> <span class=\"good\">✓ exact match",
        "goal = (a·b+c)−(d·e) = 41",
        "acc = a+b = 4<br>top = a = 4",
        "gradus train --width=16",
        "max_updates = 3",
    ]);
    let stages = place.json("run/test.json")["stages"].as_array().expect("a list").clone();
    for stage in stages {
        let program = format!(
            "{} ({:.3})",
            stage["program"].as_str().expect("text"),
            stage["program_share"].as_f64().expect("a number")
        );
        assert!(page.contains(&program), "no {program}");
    }
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let place = Place::new();
    place.succeeds(&small(&["--seeds", "0..2", "--out", "runs"]));
    let first = page(&place, "runs");
    assert_self_contained(&first);
    assert!(first.contains("3 of 3") || first.contains("0 of 3"), "{first}");
    first.assert_contains(&[
        "interquartile mean",
        "95 % interval",
        "Stage 2, seed 1: from",
        "Performance profile",
        "of 2000 bootstrap resamples",
    ]);
    assert!(first == page(&place, "runs"));
    place.succeeds(&["report", "runs", "--out", "page.html"]);
    assert!(first == place.text("page.html"));
}

/// Names and texts come from files, and are never markup.
#[test]
fn hostile_text_is_escaped() {
    let place = Place::new();
    let hostile = "\"><script>alert(1)</script>&<b onload=\"x\">";
    known(&place, "a&b<i>");
    let mut about = place.json("a&b<i>/about.json");
    for (field, value) in
        [("version", json!(hostile)), ("made", json!(hostile)), ("arguments", json!([hostile, "2026é122T"]))]
    {
        about[field] = value;
    }
    about["machine"] = json!({"system": hostile, "architecture": hostile, "processor": hostile, "threads": 1});
    place.write("a&b<i>/about.json", about.to_string());
    place.write("a&b<i>/episodes.jsonl", episodes(hostile));
    let page = page(&place, "a&b<i>");
    assert!(!page.contains("<script") && !page.contains("<b onload") && !page.contains("<i>"), "{page}");
    assert!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;&amp;").count() >= 7, "{page}");
    assert!(page.contains("<h1>a&amp;b&lt;i&gt;</h1>"), "{page}");
}

/// A run in progress: its lock is held, it has no test, and its last line is half written, within a letter even.
#[test]
fn a_run_may_go_on_meanwhile() {
    let place = Place::new();
    known(&place, "run");
    fs::remove_file(place.path("run/test.json")).expect("removed");
    let lock = fs::File::options().write(true).open(place.path("run/lock")).expect("a lock");
    lock.lock().expect("nobody else holds it");
    let metrics = place.text("run/metrics.jsonl") + "{\"update\":5,\"ra";
    place.write("run/metrics.jsonl", metrics);
    let half = episodes("a·b");
    let within = half.rfind('·').expect("a dot") + 1;
    place.write("run/episodes.jsonl", &half.as_bytes()[..within]);
    let page = page(&place, "run");
    assert_self_contained(&page);
    page.assert_contains(&[
        "Not over: 4 updates so far.",
        "There is no test yet",
        "update 4: 0.9876",
        "<b>Update 4</b>",
    ]);
    assert!(!page.contains("<b>Update 6</b>"));
}

#[test]
fn what_a_folder_does_not_have_is_said_in_words() {
    let place = Place::new();
    known(&place, "old");
    fs::remove_file(place.path("old/about.json")).expect("removed");
    fs::remove_file(place.path("old/episodes.jsonl")).expect("removed");
    let old = page(&place, "old");
    assert_self_contained(&old);
    assert!(old.contains("did not write down its version") && old.contains("has left its episodes"), "{old}");

    place.succeeds(&small(&["--stop-after", "1", "--out", "short"]));
    let short = place.text("short/report.html");
    assert_self_contained(&short);
    assert!(short.contains("There is no validation: the first follows update 2."), "{short}");

    let failed = place.gradus(&small(&["--rate", "1e38", "--out", "failed"]));
    assert_eq!(failed.code, 1, "{failed:?}");
    let failed = page(&place, "failed");
    assert_self_contained(&failed);
    assert!(failed.contains("Failed: update 2:") && failed.contains("There was no test: the run failed."), "{failed}");
}

#[test]
fn what_is_no_run_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).expect("made");
    place.refuses(&["report", "empty"], &["empty holds no run", "config.toml", "name a folder"]);
    place.refuses(&["report", "nowhere"], &["nowhere holds no run"]);
    place.succeeds(&small(&["--out", "run"]));
    place.write("run/metrics.jsonl", "{\"update\":1}\n");
    place.refuses(&["report", "run"], &["metrics.jsonl, line 1", "expected the metrics"]);
    place.write("run/metrics.jsonl", "");
    place.write("run/episodes.jsonl", "{}\n");
    place.refuses(&["report", "run"], &["episodes.jsonl, line 1", "expected the episodes"]);
    place.write("run/episodes.jsonl", "");
    place.write("run/test.json", "{}");
    place.refuses(&["report", "run"], &["cannot read run/test.json", "remove it"]);
}

#[test]
fn folders_are_compared() {
    let place = Place::new();
    place.succeeds(&small(&["--seeds", "0..2", "--out", "a"]));
    place.succeeds(&small(&["--max-updates=5", "--seeds", "0..1", "--rate", "1e-3", "--out", "b"]));
    place.succeeds(&small(&["--rate", "1e-3", "--out", "c"]));
    let words = place.succeeds(&["report", "a", "b", "c"]);
    words.assert_contains(&[
        "| rate ",
        "| b over a ",
        "| c over b ",
        "the intervals of c tell nothing",
        "3 of 3",
        "wrote compare.html",
    ]);
    let page = place.text("compare.html");
    assert_self_contained(&page);
    page.assert_contains(&[
        "A comparison of 3 configurations",
        "b over a",
        "a: Reward, interquartile mean of 3 runs: from",
        "c: Reward: from",
    ]);
    place.succeeds(&["report", "a", "c"]);
    assert!(place.text("compare.html") != page, "a page of gradus is replaced");
    place.write("compare.html", "");
    place.succeeds(&["report", "a", "c"]);
    place.write("compare.html", "mine");
    place.refuses(&["report", "a", "b"], &["compare.html is there already and is no page of gradus"]);

    let json = place.succeeds(&["report", "a", "b", "--json", "--out", "other.html"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["page"], &json["folders"][1]["folder"]), (&json!("other.html"), &json!("b")));
    let pair = &json["probability_of_improvement"][0];
    assert_eq!((&pair["of"], &pair["over"]), (&json!("b"), &json!("a")));
    let [low, estimate, high] = ["low", "estimate", "high"].map(|end| pair["test"][end].as_f64().expect("a number"));
    assert!(0.0 <= low && low <= estimate && estimate <= high && high <= 1.0, "{pair}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let place = Place::trained();
    place.refuses(&["report", "run", "./run"], &["./run is there twice"]);
    place.refuses(&["report", "run", "nowhere"], &["nowhere holds no run"]);
    place.refuses(&["report", "1", "2", "3", "4", "5", "6", "7"], &["7 folders", "at most 6"]);
}
