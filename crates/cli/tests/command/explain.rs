//! What `explain` prints and writes.

use autograd::Tape;
use console::measure_text_width;
use nn::Checkpoint;
use rl::config::Config;
use rl::evaluate::test_stream;
use rl::explain::Explain;
use rl::settings::Settings;
use rl::train::Run;
use serde_json::Value;
use tensor::Tensor;

use crate::place::{AssertContains, Place, of_another_task, small, with};

fn json(place: &Place, args: &[&str]) -> Value {
    serde_json::from_str(&place.succeeds(&with(&["explain", "run", "--json"], args))).expect("JSON")
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[track_caller]
fn assert_close(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-5, "{got} instead of {want}");
}

/// The agent of `run` in `place`, loaded with the libraries alone.
fn agent(place: &Place) -> Run<f32> {
    let mut config = Config::default();
    config.set("width", "16").expect("a width");
    let mut run = Run::new(&config, 0);
    let checkpoint = Checkpoint::load(place.path("run/model.safetensors")).expect("a checkpoint");
    checkpoint.load_params(&mut run.learner.params).expect("of this network");
    run
}

/// The network judges the whole episode in one pass, as when it learns, and not step by step, as when it was traced.
#[test]
fn the_numbers_are_those_of_the_policy() {
    let place = Place::trained();
    let Run { learner, task, .. } = agent(&place);
    for (stage, args) in [(0, ["--context", "4,2,7"]), (1, ["--context", "0,9,9,1"]), (2, ["--stage", "2"])] {
        let told = json(&place, &args);
        let (episode, steps) = (&told["episode"], list(&told["episode"]["steps"]));
        let tokens = |names: &mut dyn Iterator<Item = String>| -> Vec<u32> {
            let find = |name: String| (0..18).find(|&token| rl::tasks::token::name(token) == name).expect("a token");
            names.map(find).collect()
        };
        let context = tokens(&mut list(&episode["context"]).iter().map(text));
        let actions = tokens(&mut steps.iter().map(|step| text(&step["action"])));
        let column = |tokens: &[u32]| Tensor::new([tokens.len(), 1], tokens.to_vec());

        let tape = Tape::evaluating();
        let network = learner.policy.on(learner.params.bind(&tape));
        let decided = network.decisions(stage, &column(&context), &column(&actions));
        let rows: Vec<f32> = decided.log_probs.exp().value().to_vec();
        let (values, entropies) = (decided.values.value().to_vec(), decided.log_probs.entropy().value().to_vec());
        assert!(!steps.is_empty());
        for (t, step) in steps.iter().enumerate() {
            let probabilities = numbers(&step["probabilities"]);
            probabilities.iter().zip(&rows[t * 6..]).for_each(|(&p, &want)| assert_close(p, want.into()));
            assert_close(step["value"].as_f64().expect("a number"), values[t].into());
            assert_close(step["entropy"].as_f64().expect("a number"), entropies[t].into());
            let best = probabilities.iter().copied().fold(0.0, f64::max);
            let chosen = list(&told["actions"]).iter().position(|name| *name == step["action"]).expect("an action");
            assert_eq!(probabilities[chosen], best, "the greedy action is the most probable one");
        }

        let program: Vec<u32> = steps.iter().map(|step| position(&told, &step["action"])).collect();
        let operands = &context[..task.operands(stage)];
        let states = task.states(stage, operands, &program);
        for (step, state) in steps.iter().zip(&states[1..]) {
            for (shown, register) in list(&step["state"]).iter().zip(state) {
                let words = match (&shown["holds"], &shown["number"]) {
                    (Value::Null, _) => format!("{} empty", text(&shown["name"])),
                    (holds, Value::Null) => format!("{} {}", text(&shown["name"]), text(holds)),
                    (holds, number) => format!("{} = {} = {number}", text(&shown["name"]), text(holds)),
                };
                assert_eq!(words, register.to_string());
            }
        }
    }
}

fn position(told: &Value, action: &Value) -> u32 {
    list(&told["actions"]).iter().position(|name| name == action).expect("an action") as u32
}

#[test]
fn an_episode_is_the_one_of_the_test_or_the_one_that_was_asked_for() {
    let place = Place::trained();
    let task = agent(&place).task;
    let shown = |told: &Value| list(&told["episode"]["context"]).iter().map(text).collect::<Vec<_>>().join(" ");
    for (stage, number) in [(2, 0), (1, 17)] {
        let mut env = rl::env::Task::env(&task, stage, 1);
        env.reset(&mut [test_stream(0, stage, number)]);
        let drawn: Vec<_> = env.context(0).iter().map(|&token| rl::tasks::token::name(token)).collect();
        let told = json(&place, &["--stage", &stage.to_string(), "--episode", &number.to_string()]);
        assert_eq!((shown(&told), &told["number"]), (drawn.join(" "), &number.into()));
    }
    assert_eq!(shown(&json(&place, &[])), shown(&json(&place, &["--stage", "2", "--seed", "0"])), "the last stage");
    for (context, stage) in [("4,2,7", 0), (" 4, 2 ,7,1", 1), ("9,9,9,9,9", 2)] {
        let told = json(&place, &["--context", context]);
        assert_eq!(told["episode"]["stage"], stage);
        assert_eq!(shown(&told), context.replace([' ', ','], "").replace("", " ").trim().to_owned() + " CTX");
        assert_eq!(told["number"], Value::Null);
    }
    let goal = &json(&place, &["--context", "4,2,7,3,5"])["episode"]["goals"][0];
    assert_eq!((&goal["holds"], &goal["number"]), (&"(a·b+c)−(d·e)".into(), &0.into()));
}

#[test]
fn sampled_episodes_follow_from_the_seed() {
    let place = Place::trained();
    let program = |seed: &str| json(&place, &["--context", "4,2,7", "--sampled", "--seed", seed])["episode"].clone();
    assert_eq!(program("1"), program("1"));
    let distinct = ["1", "2", "3", "4", "5"].map(program);
    assert!(distinct.iter().any(|episode| *episode != distinct[0]), "an agent that is hardly trained explores");
}

/// All actions, all stages, greedy and sampled, under a long and wide name.
#[test]
fn no_line_is_wider_than_eighty_columns() {
    let place = Place::new();
    let name =
        format!("runs/{}/漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", "long".repeat(30));
    for actions in ["--actions=tools", "--actions=tokens"] {
        place.succeeds(&small(&[actions, "--out", &name]));
        for stage in ["0", "1", "2"] {
            for more in [&[][..], &["--sampled"], &["--sampled", "--seed", "5"]] {
                let out = place.succeeds(&with(&["explain", &name, "--stage", stage], more));
                let widest = out.lines().max_by_key(|line| measure_text_width(line)).expect("a line");
                assert!(measure_text_width(widest) <= 80, "{widest}");
                assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
                out.assert_contains(&[
                    "shown ",
                    "goal ",
                    "reset ",
                    " 1 ▸ ",
                    "value ",
                    "entropy ",
                    "empty",
                    "rewards add up to",
                ]);
            }
        }
        std::fs::remove_dir_all(place.path(&name)).expect("removed");
    }
}

#[test]
fn a_page_stands_alone_and_shows_every_number() {
    let place = Place::trained();
    let args = ["explain", "run", "--context", "4,2,7"];
    assert_eq!(place.succeeds(&with(&args, &["--html"])), "run/explain.html\n");
    let first = place.text("run/explain.html");
    for reference in ["http", "//", "url(", "@import", "src=", "href=", "<script", "<link"] {
        assert!(!first.contains(reference), "{reference} in {first}");
    }
    let told = json(&place, &["--context", "4,2,7"]);
    for step in list(&told["episode"]["steps"]) {
        for p in numbers(&step["probabilities"]) {
            assert!(first.contains(&format!("{:.3}", if p < 1.0 { p.min(0.999) } else { p })), "no {p}");
        }
    }
    first.assert_contains(&["a·b+c = 15", "4 2 7 CTX", "prefers-color-scheme: dark", "@media print", "</html>"]);

    place.succeeds(&["explain", "run", "--html"]);
    assert!(place.text("run/explain.html") != first, "an earlier page is replaced");
    assert_eq!(place.succeeds(&with(&args, &["--html=page.html"])), "page.html\n");
    assert_eq!(place.text("page.html"), first, "the same episode is the same page");
    assert!(place.names("run").iter().all(|name| !name.contains("part") && !name.contains("tmp")));
}

#[test]
fn a_page_replaces_nothing_else() {
    let place = Place::trained();
    place.write("notes.html", "<!DOCTYPE html><title>mine</title>");
    place.refuses(&["explain", "run", "--html=notes.html"], &["notes.html is there already", "name another file"]);
    place.refuses(&["explain", "run", "--html=run/model.safetensors"], &["is no page of gradus"]);
    place.refuses(&["explain", "run", "--html=missing/page.html"], &["cannot write missing/page.html", "name another"]);
    place.refuses(&["explain", "run", "--html=run"], &["cannot write run", "it is a folder"]);
    #[cfg(unix)]
    place.refuses(&["explain", "run", "--html=/dev/zero"], &["cannot write /dev/zero", "a pipe or a device"]);
    place.refuses(&["explain", "run", "--html", "--json"], &["--html", "cannot be used with", "--json"]);
}

#[test]
fn contexts_that_no_stage_has() {
    let place = Place::trained();
    let all = "stage 0 takes 3 digits, as in 4,2,7; stage 1 takes 4 digits, as in 4,2,7,3; stage 2 takes 5 digits";
    let huge = "9,".repeat(20_000) + "9";
    for (context, says) in [
        ("", "--context: there is nothing in it"),
        ("  ", "there is nothing in it"),
        ("4,2", "no stage takes 2 digits"),
        ("4,2,7,1,1,1", "no stage takes 6 digits"),
        ("4,2,-7", "its entry 3, \"-7\", is not a digit from 0 to 9"),
        ("-4,2,7", "its entry 1, \"-4\", is not a digit"),
        ("4,12,7", "its entry 2, \"12\", is not a digit"),
        ("4,x,7", "its entry 2, \"x\", is not a digit"),
        ("4,2,7,", "its entry 4, \"\", is not a digit"),
        ("4,٣,7", "its entry 2, \"٣\", is not a digit"),
        ("4 2 7", "its entry 1, \"4 2 7\", is not a digit"),
        (&huge, "no stage takes 20001 digits"),
    ] {
        place.refuses(&["explain", "run", "--context", context], &[says, all]);
    }
    place.refuses(
        &["explain", "run", "--stage", "2", "--context", "4,2,7"],
        &["--context: it has 3 digits, and there must be 5; stage 2 takes 5 digits, as in 4,2,7,3,5"],
    );
    place.refuses(&["explain", "run", "--stage", "3"], &["there is no stage 3", "stages 0 to 2"]);
    place.refuses(&["explain", "run", "--context", "4,2,7", "--episode", "1"], &["--episode", "cannot be used with"]);
    place.refuses(&["explain", "run", "--episode", "16777216"], &["16777216 is not in 0..16777216"]);
}

#[test]
fn folders_and_checkpoints_that_cannot_be_explained() {
    let place = Place::trained();
    place.refuses(&["explain", "nowhere"], &["nowhere holds no run", "config.toml", "gradus train"]);
    place.refuses(&["explain", "run", "--checkpoint", "none"], &["none"]);
    place.write("broken.safetensors", "not a checkpoint, but a text of some length");
    place.refuses(&["explain", "run", "--checkpoint", "broken.safetensors"], &["is not a safetensors file"]);
    place.write("other.safetensors", of_another_task(&place.read("run/model.safetensors")));
    let other = ["explain", "run", "--checkpoint", "other.safetensors"];
    place.refuses(&other, &["its task is tutorial-1, expected calculator"]);
    let same = ["explain", "run", "--checkpoint", "run/model.safetensors"];
    assert_eq!(place.succeeds(&same), place.succeeds(&["explain", "run"]));
    place.succeeds(&small(&["--seeds", "0,1", "--out", "seeds"]));
    place.refuses(&["explain", "seeds"], &["seeds holds the runs of several seeds", "seeds/seed-0"]);
    std::fs::remove_file(place.path("run/model.safetensors")).expect("it is there");
    place.refuses(&["explain", "run"], &["run holds no trained agent", "model.safetensors", "interrupted"]);
}
