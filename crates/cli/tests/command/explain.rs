//! Output and page of `explain`.

use autograd::Tape;
use console::measure_text_width;
use nn::Checkpoint;
use rl::config::Config;
use rl::distribution::Distribution;
use rl::env::Episodes;
use rl::evaluate::test_stream;
use rl::explain::Explain;
use rl::model::{Decisions, Inputs, Model, Pass};
use rl::settings::Settings;
use rl::tasks::CalculatorStages;
use rl::train::Run;
use serde_json::Value;
use tensor::Tensor;

use crate::sandbox::{
    AssertContains, Sandbox, assert_self_contained, change_task_in_checkpoint, concat_args, small_training,
};

fn json(sandbox: &Sandbox, args: &[&str]) -> Value {
    serde_json::from_str(&sandbox.expect_success(&concat_args(&["explain", "run", "--json"], args))).expect("JSON")
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
    assert!((got - want).abs() < 1e-5, "found {got}, expected {want}");
}

/// Loads the agent of `run` without the command.
fn agent(sandbox: &Sandbox) -> Run<f32, CalculatorStages> {
    let mut config = Config::default();
    config.set("width", "16").expect("a width");
    let mut run = Run::new(config.calculator_stages(), &config, 0);
    let checkpoint = Checkpoint::load(sandbox.path("run/model.safetensors")).expect("a checkpoint");
    checkpoint.load_params(&mut run.learner.params).expect("a checkpoint of this network");
    run
}

/// The reference computes the whole episode in one pass, as in learning. `explain` computes it step by step.
#[test]
fn explain_numbers_equal_the_policy() {
    let sandbox = Sandbox::with_trained_run();
    let Run { learner, task, .. } = agent(&sandbox);
    for (stage, args) in [(0, ["--context", "4,2,7"]), (1, ["--context", "0,9,9,1"]), (2, ["--stage", "2"])] {
        let explained = json(&sandbox, &args);
        let (episode, steps) = (&explained["episode"], list(&explained["episode"]["steps"]));
        let tokens = |names: &mut dyn Iterator<Item = String>| -> Vec<u32> {
            let find = |name: String| (0..18).find(|&token| rl::tasks::token::name(token) == name).expect("a token");
            names.map(find).collect()
        };
        let context = tokens(&mut list(&episode["context"]).iter().map(text));
        let actions = tokens(&mut steps.iter().map(|step| text(&step["action"])));

        let (tape, policy) = (Tape::no_grad(), &learner.model);
        let pass = Pass::new(policy, learner.params.bind(&tape));
        let read = [&context[..], &actions[..actions.len() - 1]].concat();
        let inputs = Inputs::Tokens(Tensor::new([read.len(), 1], read.clone()));
        let states =
            policy.read_all(pass, &inputs, policy.start(pass, stage, 1)).slice(0, context.len() - 1..read.len());
        let decided = Decisions::new(policy.decide(pass, states.reshape([actions.len(), 16])), &[]);
        let Distribution::Categorical { log_probs } = decided.actions else { panic!("actions have names") };
        let rows: Vec<f32> = log_probs.exp().value().to_vec();
        let (values, entropies) = (decided.values.value().to_vec(), log_probs.entropy().value().to_vec());
        assert!(!steps.is_empty());
        for (t, step) in steps.iter().enumerate() {
            let probabilities = numbers(&step["probabilities"]);
            probabilities.iter().zip(&rows[t * 6..]).for_each(|(&p, &want)| assert_close(p, want.into()));
            assert_close(step["value"].as_f64().expect("a number"), values[t].into());
            assert_close(step["entropy"].as_f64().expect("a number"), entropies[t].into());
            let best = probabilities.iter().copied().fold(0.0, f64::max);
            let chosen =
                list(&explained["actions"]).iter().position(|name| *name == step["action"]).expect("an action");
            assert_eq!(probabilities[chosen], best, "the greedy action is the most probable one");
        }

        let program: Vec<u32> = steps.iter().map(|step| position(&explained, &step["action"])).collect();
        let operands = &context[..task.operand_count(stage)];
        let states = task.states(stage, operands, &program);
        for (step, state) in steps.iter().zip(&states[1..]) {
            for (shown, register) in list(&step["state"]).iter().zip(state) {
                let line = match (&shown["holds"], &shown["number"]) {
                    (Value::Null, _) => format!("{} empty", text(&shown["name"])),
                    (holds, Value::Null) => format!("{} {}", text(&shown["name"]), text(holds)),
                    (holds, number) => format!("{} = {} = {number}", text(&shown["name"]), text(holds)),
                };
                assert_eq!(line, register.to_string());
            }
        }
    }
}

fn position(explained: &Value, action: &Value) -> u32 {
    list(&explained["actions"]).iter().position(|name| name == action).expect("an action") as u32
}

#[test]
fn explain_episode_is_a_test_episode_or_the_given_context() {
    let sandbox = Sandbox::with_trained_run();
    let task = agent(&sandbox).task;
    let shown =
        |explained: &Value| list(&explained["episode"]["context"]).iter().map(text).collect::<Vec<_>>().join(" ");
    for (stage, number) in [(2, 0), (1, 17)] {
        let mut episodes = Episodes::new(&task, stage, 1);
        episodes.reset(&[0], &mut [test_stream(0, stage, number)]).expect("no fault");
        let drawn: Vec<_> =
            episodes.observations().tokens(0).iter().map(|&token| rl::tasks::token::name(token)).collect();
        let explained = json(&sandbox, &["--stage", &stage.to_string(), "--episode", &number.to_string()]);
        assert_eq!((shown(&explained), &explained["number"]), (drawn.join(" "), &number.into()));
    }
    assert_eq!(shown(&json(&sandbox, &[])), shown(&json(&sandbox, &["--stage", "2", "--seed", "0"])), "the last stage");
    for (context, stage) in [("4,2,7", 0), (" 4, 2 ,7,1", 1), ("9,9,9,9,9", 2)] {
        let explained = json(&sandbox, &["--context", context]);
        assert_eq!(explained["episode"]["stage"], stage);
        assert_eq!(shown(&explained), context.replace([' ', ','], "").replace("", " ").trim().to_owned() + " CTX");
        assert_eq!(explained["number"], Value::Null);
    }
    let goal = &json(&sandbox, &["--context", "4,2,7,3,5"])["episode"]["goals"][0];
    assert_eq!((&goal["holds"], &goal["number"]), (&"(a·b+c)−(d·e)".into(), &0.into()));
}

#[test]
fn explain_sampled_episodes_depend_only_on_the_seed() {
    let sandbox = Sandbox::with_trained_run();
    let program = |seed: &str| json(&sandbox, &["--context", "4,2,7", "--sampled", "--seed", seed])["episode"].clone();
    assert_eq!(program("1"), program("1"));
    let distinct = ["1", "2", "3", "4", "5"].map(program);
    assert!(distinct.iter().any(|episode| *episode != distinct[0]), "an agent with little training explores");
}

/// Covers all actions and stages, greedy and sampled, in a folder with a long and wide name.
#[test]
fn explain_lines_are_at_most_eighty_columns_wide() {
    let sandbox = Sandbox::new();
    let name =
        format!("runs/{}/漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", "long".repeat(30));
    for actions in ["--actions=tools", "--actions=tokens"] {
        sandbox.expect_success(&small_training(&[actions, "--out", &name]));
        for stage in ["0", "1", "2"] {
            for more in [&[][..], &["--sampled"], &["--sampled", "--seed", "5"]] {
                let out = sandbox.expect_success(&concat_args(&["explain", &name, "--stage", stage], more));
                let lines = out.lines().filter(|line| line.contains(' ')); // the long path is one word
                let widest = lines.max_by_key(|line| measure_text_width(line)).expect("a line");
                assert!(measure_text_width(widest) <= 80, "{widest}");
                assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
                out.assert_contains(&[
                    "context ",
                    "goal ",
                    "reset ",
                    " 1 ▸ ",
                    "value ",
                    "entropy ",
                    "empty",
                    "total reward",
                ]);
            }
        }
        std::fs::remove_dir_all(sandbox.path(&name)).expect("removed");
    }
}

#[test]
fn a_page_stands_alone_and_shows_every_number() {
    let sandbox = Sandbox::with_trained_run();
    let args = ["explain", "run", "--context", "4,2,7"];
    assert_eq!(sandbox.expect_success(&concat_args(&args, &["--html"])), "wrote run/explain.html\n");
    let first = sandbox.text("run/explain.html");
    assert_self_contained(&first);
    let explained = json(&sandbox, &["--context", "4,2,7"]);
    for step in list(&explained["episode"]["steps"]) {
        for p in numbers(&step["probabilities"]) {
            assert!(first.contains(&format!("{:.3}", if p < 1.0 { p.min(0.999) } else { p })), "no {p}");
        }
    }
    first.assert_contains(&["a·b+c = 15", "4 2 7 CTX", "prefers-color-scheme: dark", "@media print", "</html>"]);

    sandbox.expect_success(&["explain", "run", "--html"]);
    assert!(sandbox.text("run/explain.html") != first, "an earlier page is replaced");
    assert_eq!(sandbox.expect_success(&concat_args(&args, &["--html=page.html"])), "wrote page.html\n");
    assert_eq!(sandbox.text("page.html"), first, "the same episode is the same page");
    assert!(sandbox.names("run").iter().all(|name| !name.contains("part") && !name.contains("tmp")));
}

#[test]
fn explain_page_replaces_only_pages_of_gradus() {
    let sandbox = Sandbox::with_trained_run();
    sandbox.write("notes.html", "<!DOCTYPE html><title>mine</title>");
    sandbox
        .expect_refusal(&["explain", "run", "--html=notes.html"], &["notes.html exists already", "name another file"]);
    sandbox.expect_refusal(&["explain", "run", "--html=run/model.safetensors"], &["is not a page of gradus"]);
    sandbox.expect_refusal(
        &["explain", "run", "--html=missing/page.html"],
        &["cannot write missing/page.html", "name another"],
    );
    sandbox.expect_refusal(&["explain", "run", "--html=run"], &["cannot write run", "found a folder"]);
    #[cfg(unix)]
    sandbox.expect_refusal(&["explain", "run", "--html=/dev/zero"], &["cannot write /dev/zero", "a pipe or a device"]);
    sandbox.expect_refusal(&["explain", "run", "--html", "--json"], &["--html", "cannot be used with", "--json"]);
}

#[test]
fn explain_context_that_fits_no_stage_is_refused() {
    let sandbox = Sandbox::with_trained_run();
    let all = "stage 0 takes 3 digits, for example 4,2,7; stage 1 takes 4 digits, for example 4,2,7,3; stage 2 takes 5 digits";
    let huge = "9,".repeat(20_000) + "9";
    for (context, messages) in [
        ("", "--context: the text is empty"),
        ("  ", "the text is empty"),
        ("4,2", "no stage takes 2 digits"),
        ("4,2,7,1,1,1", "no stage takes 6 digits"),
        ("4,2,-7", "entry 3 is \"-7\", expected a digit from 0 to 9"),
        ("-4,2,7", "entry 1 is \"-4\", expected a digit"),
        ("4,12,7", "entry 2 is \"12\", expected a digit"),
        ("4,x,7", "entry 2 is \"x\", expected a digit"),
        ("4,2,7,", "entry 4 is \"\", expected a digit"),
        ("4,٣,7", "entry 2 is \"٣\", expected a digit"),
        ("4 2 7", "entry 1 is \"4 2 7\", expected a digit"),
        (&huge, "no stage takes 20001 digits"),
    ] {
        sandbox.expect_refusal(&["explain", "run", "--context", context], &[messages, all]);
    }
    sandbox.expect_refusal(
        &["explain", "run", "--stage", "2", "--context", "4,2,7"],
        &["--context: found 3 digits, expected 5; stage 2 takes 5 digits, for example 4,2,7,3,5"],
    );
    sandbox.expect_refusal(&["explain", "run", "--stage", "3"], &["'3'", "a whole number from 0 to 2"]);
    sandbox.expect_refusal(
        &["explain", "run", "--context", "4,2,7", "--episode", "1"],
        &["--episode", "cannot be used with"],
    );
    sandbox.expect_refusal(&["explain", "run", "--episode", "16777216"], &["a whole number from 0 to 16777215"]);
}

#[test]
fn explain_invalid_folder_or_checkpoint_is_refused() {
    let sandbox = Sandbox::with_trained_run();
    sandbox.expect_refusal(&["explain", "nowhere"], &["there is no folder nowhere", "gradus train"]);
    sandbox.expect_refusal(&["explain", "run", "--checkpoint", "none"], &["none"]);
    sandbox.write("broken.safetensors", "not a checkpoint, but a text of some length");
    sandbox.expect_refusal(&["explain", "run", "--checkpoint", "broken.safetensors"], &["is not a safetensors file"]);
    sandbox.write("other.safetensors", change_task_in_checkpoint(&sandbox.read("run/model.safetensors")));
    let other = ["explain", "run", "--checkpoint", "other.safetensors"];
    sandbox.expect_refusal(&other, &["its task is some-other-task-1, expected calculator-stages"]);
    let same = ["explain", "run", "--checkpoint", "run/model.safetensors"];
    assert_eq!(sandbox.expect_success(&same), sandbox.expect_success(&["explain", "run"]));
    sandbox.expect_success(&small_training(&["--seeds", "0,1", "--out", "seeds"]));
    sandbox.expect_refusal(&["explain", "seeds"], &["seeds holds the runs of several seeds", "seeds/seed-0"]);
    std::fs::remove_file(sandbox.path("run/model.safetensors")).expect("the file exists");
    sandbox.expect_refusal(&["explain", "run"], &["run holds no trained agent", "model.safetensors", "interrupted"]);
}
