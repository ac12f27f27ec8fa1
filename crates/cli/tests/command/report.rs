//! Pages of `report`: they are complete, depend only on the files of the folder, and load nothing from elsewhere.

use std::fs;

use crate::sandbox::{AssertContains, Sandbox, assert_self_contained, small_training};
use serde_json::{Value, json};

/// Runs `report` on a folder and returns the page.
#[track_caller]
fn page(sandbox: &Sandbox, folder: &str) -> String {
    sandbox.expect_success(&["report", folder]);
    sandbox.text(&format!("{folder}/report.html"))
}

/// Writes a run with two validations and known metrics.
fn write_known_run(sandbox: &Sandbox, name: &str) {
    sandbox.expect_success(&small_training(&["--out", name]));
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
    sandbox.write(&format!("{name}/metrics.jsonl"), jsonl(lines));
}

fn jsonl(lines: impl Iterator<Item = Value>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

/// Returns lines of `episodes.jsonl` at three validations.
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
fn report_page_shows_the_numbers_of_the_files() {
    let sandbox = Sandbox::new();
    write_known_run(&sandbox, "run");
    sandbox.write("run/episodes.jsonl", episodes("(a·b+c)−(d·e)"));
    let page = page(&sandbox, "run");
    assert_self_contained(&page);
    page.assert_contains(&[
        "update 2: 0.1234</title>",
        "update 4: 0.9876</title>",
        "update 4: 0.4321</title>",
        "Gradient norm: from 0.6250 at update 1 to 0.5000 at update 4; minimum 0.5000 at update 3, maximum 31.25 at update 2",
        "Entropy: from 1.625",
        "Value loss: from 0.7500",
        "Return: from 0.1250",
        "clipped at 1<",
        "A fixed program per stage is optimal here",
        "step 1, ADD: from 0.2500 to 0.7500",
        "step 2, MUL: from 0.1250 to 0.1250",
        "<b>Update 2</b> <span class=\"bad\">✗ no exact match",
        "<b>Update 6</b> <span class=\"good\">✓ exact match",
        "goal = (a·b+c)−(d·e) = 41",
        "acc = a+b = 4<br>top = a = 4",
        "gradus train --task=calculator-stages --width=16",
        "max_updates = 3",
    ]);
    let stages = sandbox.json("run/test.json")["stages"].as_array().expect("a list").clone();
    for stage in stages {
        let program = format!(
            "{} ({:.3})",
            stage["program"].as_str().expect("text"),
            stage["program_share"].as_f64().expect("a number")
        );
        assert!(page.contains(&program), "no {program}");
    }
}

/// `assert_self_contained` checks that the target of each link exists.
#[test]
fn report_points_of_learning_curves_lead_to_episodes() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&[
        "--max-updates=30",
        "--validate-every=2",
        "--seeds",
        "0..1",
        "--out",
        "runs",
    ]));
    let (one, several) = (page(&sandbox, "runs/seed-0"), page(&sandbox, "runs"));
    for (page, points) in [(&one, 15), (&several, 11)] {
        assert_self_contained(page);
        assert_eq!(page.matches("<a href=\"#episode-2-").count(), points, "points of a stage");
        assert_eq!(page.matches("id=\"episode-2-").count(), 11, "at most 11 of 15 episodes of a stage");
        assert_eq!(page.matches("<section class=\"episode\"").count(), 9, "three of each stage are always visible");
        page.assert_contains(&[
            "role=\"group\" aria-label=\"Stage 2 ",
            "<svg class=\"chart\" viewBox=\"0 0 320 196\" role=\"img\"",
        ]);
    }
    one.assert_contains(&[
        "update 8: 0.000; leads to the episode of update 6</title>",
        "<section class=\"episode more\" id=\"episode-0-10\">",
    ]);
    assert!(several.contains("The points belong to seed "), "{several}");
    fs::remove_file(sandbox.path("runs/seed-0/episodes.jsonl")).expect("removed");
    let old = page(&sandbox, "runs/seed-0");
    assert!(old.contains("update 4: 0.000</title>") && !old.contains("<a "), "without episodes there are no links");
}

#[test]
fn report_same_folder_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--seeds", "0..2", "--out", "runs"]));
    let first = page(&sandbox, "runs");
    assert_self_contained(&first);
    assert!(first.contains("3 of 3") || first.contains("0 of 3"), "{first}");
    first.assert_contains(&[
        "interquartile mean",
        "95 % confidence interval",
        "Stage 2, seed 1: from",
        "Performance profile",
        "from 2000 resamples",
    ]);
    assert!(first == page(&sandbox, "runs"));
    sandbox.expect_success(&["report", "runs", "--out", "page.html"]);
    assert!(first == sandbox.text("page.html"));
}

/// Names and texts from files must never become markup.
#[test]
fn report_hostile_text_is_escaped() {
    let sandbox = Sandbox::new();
    let hostile = "\"><script>alert(1)</script>&<b onload=\"x\">";
    write_known_run(&sandbox, "a&b<i>");
    let mut about = sandbox.json("a&b<i>/about.json");
    for (field, value) in
        [("version", json!(hostile)), ("made", json!(hostile)), ("arguments", json!([hostile, "2026é122T"]))]
    {
        about[field] = value;
    }
    about["machine"] = json!({"system": hostile, "architecture": hostile, "processor": hostile, "threads": 1});
    sandbox.write("a&b<i>/about.json", about.to_string());
    sandbox.write("a&b<i>/episodes.jsonl", episodes(hostile));
    let page = page(&sandbox, "a&b<i>");
    assert!(!page.contains("<script") && !page.contains("<b onload") && !page.contains("<i>"), "{page}");
    assert!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;&amp;").count() >= 7, "{page}");
    assert!(page.contains("<h1>a&amp;b&lt;i&gt;</h1>"), "{page}");
}

/// The lock is held, the test does not exist, and the last line ends in the middle of a UTF-8 character.
#[test]
fn report_of_a_running_training_shows_its_complete_lines() {
    let sandbox = Sandbox::new();
    write_known_run(&sandbox, "run");
    fs::remove_file(sandbox.path("run/test.json")).expect("removed");
    let lock = fs::File::options().write(true).open(sandbox.path("run/lock")).expect("a lock");
    lock.lock().expect("the lock is free");
    let metrics = sandbox.text("run/metrics.jsonl") + "{\"update\":5,\"ra";
    sandbox.write("run/metrics.jsonl", metrics);
    let half = episodes("a·b");
    let within = half.rfind('·').expect("a dot") + 1;
    sandbox.write("run/episodes.jsonl", &half.as_bytes()[..within]);
    let page = page(&sandbox, "run");
    assert_self_contained(&page);
    page.assert_contains(&[
        "Not finished: 4 updates so far.",
        "There is no test yet",
        "update 4: 0.9876",
        "<b>Update 4</b>",
    ]);
    assert!(!page.contains("<b>Update 6</b>"));
}

#[test]
fn report_explains_missing_parts_of_a_folder() {
    let sandbox = Sandbox::new();
    write_known_run(&sandbox, "old");
    fs::remove_file(sandbox.path("old/about.json")).expect("removed");
    fs::remove_file(sandbox.path("old/episodes.jsonl")).expect("removed");
    let old = page(&sandbox, "old");
    assert_self_contained(&old);
    assert!(old.contains("did not record its version") && old.contains("recorded no validation episodes"), "{old}");

    sandbox.expect_success(&small_training(&["--stop-after", "1", "--out", "short"]));
    let short = sandbox.text("short/report.html");
    assert_self_contained(&short);
    assert!(short.contains("There is no validation yet: the first one follows update 2."), "{short}");

    let failed = sandbox.run_gradus(&small_training(&["--rate", "1e38", "--out", "failed"]));
    assert_eq!(failed.code, 1, "{failed:?}");
    let failed = page(&sandbox, "failed");
    assert_self_contained(&failed);
    assert!(
        failed.contains("Failed: update 2:") && failed.contains("There was no test, because the run failed."),
        "{failed}"
    );
}

#[test]
fn report_invalid_folder_is_refused() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).expect("created");
    sandbox.expect_refusal(&["report", "empty"], &["empty holds no run", "config.toml", "name a folder"]);
    sandbox.expect_refusal(&["report", "nowhere"], &["there is no folder nowhere"]);
    sandbox.expect_success(&small_training(&["--out", "run"]));
    sandbox.write("run/metrics.jsonl", "{\"update\":1}\n");
    sandbox.expect_refusal(&["report", "run"], &["metrics.jsonl, line 1", "expected the metrics"]);
    sandbox.write("run/metrics.jsonl", "");
    sandbox.write("run/episodes.jsonl", "{}\n");
    sandbox.expect_refusal(&["report", "run"], &["episodes.jsonl, line 1", "expected the episodes"]);
    sandbox.write("run/episodes.jsonl", "");
    sandbox.write("run/test.json", "{}");
    sandbox.expect_refusal(&["report", "run"], &["cannot read run/test.json", "delete it"]);
}

#[test]
fn report_several_folders_are_compared() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--seeds", "0..2", "--out", "a"]));
    sandbox.expect_success(&small_training(&["--max-updates=5", "--seeds", "0..1", "--rate", "1e-3", "--out", "b"]));
    sandbox.expect_success(&small_training(&["--rate", "1e-3", "--out", "c"]));
    let output = sandbox.expect_success(&["report", "a", "b", "c"]);
    output.assert_contains(&[
        "| rate ",
        "| b over a ",
        "| c over b ",
        "the intervals of c say nothing",
        "3 of 3",
        "wrote compare.html",
    ]);
    let page = sandbox.text("compare.html");
    assert_self_contained(&page);
    page.assert_contains(&[
        "Comparison of 3 configurations",
        "b over a",
        "a: Return, interquartile mean of 3 runs: from",
        "c: Return: from",
    ]);
    sandbox.expect_success(&["report", "a", "c"]);
    assert!(sandbox.text("compare.html") != page, "a page of gradus is replaced");
    sandbox.write("compare.html", "");
    sandbox.expect_success(&["report", "a", "c"]);
    sandbox.write("compare.html", "mine");
    sandbox.expect_refusal(&["report", "a", "b"], &["compare.html exists already and is not a page of gradus"]);

    let json = sandbox.expect_success(&["report", "a", "b", "--json", "--out", "other.html"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["page"], &json["folders"][1]["folder"]), (&json!("other.html"), &json!("b")));
    let pair = &json["probability_of_improvement"][0];
    assert_eq!((&pair["of"], &pair["over"]), (&json!("b"), &json!("a")));
    let [low, estimate, high] = ["low", "estimate", "high"].map(|end| pair["test"][end].as_f64().expect("a number"));
    assert!(0.0 <= low && low <= estimate && estimate <= high && high <= 1.0, "{pair}");
}

#[test]
fn report_incomparable_folders_are_refused() {
    let sandbox = Sandbox::with_trained_run();
    sandbox.expect_refusal(&["report", "run", "./run"], &["./run is given twice"]);
    sandbox.expect_refusal(&["report", "run", "nowhere"], &["there is no folder nowhere"]);
    sandbox.expect_refusal(&["report", "1", "2", "3", "4", "5", "6", "7"], &["7 folders", "at most 6"]);
}

/// "Solved" is the end of a training by its stop rule. A test without a wrong episode is "perfect".
#[test]
fn report_text_names_the_end_in_lower_case_and_perfect_tests() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "run"]));
    let text = sandbox.expect_success(&["report", "run"]);
    assert!(text.starts_with("run: out of updates; 3 updates, "), "{text}");
    let several = sandbox.expect_success(&small_training(&["--seeds=0,1", "--out", "seeds"]));
    assert!(
        several.contains("| seed   | perfect | updates |") && several.contains("\nperfect: every test"),
        "{several}"
    );
    assert!(sandbox.expect_success(&["report", "seeds"]).starts_with("seeds: 0 of 2 runs are perfect in the test."));
}
