//! A test of our tutorial environment against 2,874 transcripts of the original one: rewards and step counts agree.

use std::collections::BTreeSet;

use rl::env::Step;
use rl::tasks::{operand_count, token};
use serde_json::Value;
use tensor::philox::Philox;
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

/// The generators of 64 episodes.
fn rngs() -> Vec<Philox> {
    (0..64).map(Philox::new).collect()
}

#[test]
fn tutorial_env_context_is_digits_then_ctx() {
    for stage in 0..3 {
        let mut env = TutorialEnv::new(stage, 64);
        env.reset(&mut rngs());
        let contexts = env.contexts(0);
        let count = operand_count(stage);
        assert_eq!(contexts.shape(), [count + 1, 64].into());
        let tokens = contexts.to_vec();
        let (digits, last) = tokens.split_at(64 * count);
        assert!(last.iter().all(|&token| token == token::CTX));
        assert!(digits.iter().copied().collect::<BTreeSet<_>>().into_iter().eq(0..10), "stage {stage}");
    }
}

#[test]
fn tutorial_env_shifted_context_is_that_of_the_next_episode() {
    let mut env = TutorialEnv::new(1, 3);
    env.reset(&mut rngs()[..3]);
    let (own, shifted) = (env.contexts(0).transpose(), env.contexts(1).transpose());
    assert_ne!(own.select(0, 0), own.select(0, 1));
    (0..3).for_each(|i| assert_eq!(shifted.select(0, i), own.select(0, (i + 1) % 3)));
}

#[test]
fn tutorial_env_step_after_the_end_changes_nothing() {
    let mut env = TutorialEnv::new(0, 1);
    env.start(0, [2, 3, 0, 5, 6]);
    let mut out = [Step::default()];
    [token::MUL, token::ANS].into_iter().for_each(|token| env.step(&[token], &mut out));
    assert_eq!(out[0], Step::solved(1.15));
    env.step(&[token::MUL], &mut out);
    assert_eq!((out[0], env.steps(0)), (Step::solved(0.0), 2));
}

#[test]
#[should_panic(expected = "step: 2 episodes, but 1 tokens and room for 2 results")]
fn tutorial_env_step_missing_token_panics() {
    TutorialEnv::new(0, 2).step(&[0], &mut [Step::default(); 2]);
}

#[test]
#[should_panic(expected = "reset: 2 episodes, but 1 generators")]
fn tutorial_env_reset_missing_generator_panics() {
    TutorialEnv::new(0, 2).reset(&mut rngs()[..1]);
}
