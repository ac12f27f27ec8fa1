//! A test of our tutorial environment against 2,874 transcripts of the original one: rewards and step counts agree.

use rl::env::{Env, Step};
use serde_json::Value;
use tutorial::env::TutorialEnv;

const TRANSCRIPTS: &str = include_str!("../../golden/tutorial_env.jsonl");

fn integers<const N: usize>(value: &Value) -> [u32; N] {
    list(value).try_into().unwrap_or_else(|list: Vec<_>| panic!("{} numbers instead of {N}", list.len()))
}

fn list(value: &Value) -> Vec<u32> {
    value.as_array().expect("a list").iter().map(|v| v.as_u64().expect("a natural number") as u32).collect()
}

#[test]
fn tutorial_env_transcripts_have_the_same_reward_and_steps() {
    let mut count = 0;
    for line in TRANSCRIPTS.lines() {
        let case: Value = serde_json::from_str(line).expect("one JSON object a line");
        let stage = case["stage"].as_u64().expect("a stage") as usize;
        let mut env = TutorialEnv::new(stage, 1);
        env.start(0, integers(&case["operands"]));
        let mut out = [Step::default()];
        let mut reward = 0.0;
        for action in list(&case["actions"]) {
            env.step(&[action], &mut out);
            reward += out[0].reward;
        }
        assert!((reward - case["reward"].as_f64().expect("a reward")).abs() <= 1e-12, "{reward} for {line}");
        assert_eq!(env.steps(0) as u64, case["steps"].as_u64().expect("steps"), "{line}");
        count += 1;
    }
    assert_eq!(count, 2874);
}
