//! The environments alone, from start to end. One element is one step that counts.
//!
//! `calculator`: a batch of its last stage. Half of the episodes run a shortest program, half draw their tools. The reference
//! is the machine itself, computing with polynomials where the environment looks states up; milestones are off, as only
//! the solver could judge them.
//!
//! `tutorial`: the transcripts of its own Python, `tests/golden/tutorial_env.jsonl`, of its last stage; the reference is
//! what that paid.
#![forbid(unsafe_code)]

use std::ops::ControlFlow::{Break, Continue};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, criterion};
use rl::env::{Env, Step, Task};
use rl::solver::Machine;
use rl::tasks::calculator::{ActionSet, HORIZON, Rewards, machine::Symbolic};
use rl::tasks::{Calculator, token};
use serde_json::Value;
use tensor::philox::{Philox, Purpose, Stream};
use tutorial::STEP_LIMIT;
use tutorial::env::TutorialEnv;

const STAGE: usize = 2;
const EPISODES: usize = 192;
const REWARDS: Rewards = Rewards { correct: 1.0, milestone: 0.0, step: -0.25 };

fn env(c: &mut Criterion) {
    let task = Calculator::new(ActionSet::Tools, REWARDS);
    let actions = actions(&task);
    let (returns, steps) = by_machine(&actions);
    let mut contest = Contest::new(c, "env/calculator", Throughput::Elements(steps), 0.0, || returns);
    contest.enter("calculator", by_env(&task, &actions));
    drop(contest);

    let transcripts = transcripts();
    let steps = transcripts.iter().map(|transcript| transcript.actions.len() as u64).sum();
    let paid = || transcripts.iter().map(|transcript| transcript.reward).collect();
    let mut contest = Contest::new(c, "env/tutorial", Throughput::Elements(steps), 1e-12, paid);
    contest.enter("tutorial", by_tutorial(&transcripts));
}

fn streams(purpose: Purpose) -> Vec<Philox> {
    (0..EPISODES as u32).map(|episode| Philox::stream(42, Stream { purpose, update: 0, episode })).collect()
}

/// What the episodes do, \[T,B\].
fn actions(task: &Calculator) -> Vec<Vec<u32>> {
    let program = &task.graph(STAGE).shortest_programs()[0];
    let mut rngs = streams(Purpose::ACTIONS);
    let mut action = |t: usize, i: usize| match i % 2 {
        0 => program[t % program.len()] as u32,
        _ => rngs[i].below(task.actions() as u32),
    };
    (0..HORIZON).map(|t| (0..EPISODES).map(|i| action(t, i)).collect()).collect()
}

/// The sum of each episode's rewards.
fn by_env(task: &Calculator, actions: &[Vec<u32>]) -> impl FnMut() -> Vec<f64> {
    let mut env = task.env(STAGE, EPISODES);
    let operands = streams(Purpose::OPERANDS);
    move || {
        env.reset(&mut operands.clone());
        let mut returns = vec![0.0; EPISODES];
        let mut results = [Step::default(); EPISODES];
        for actions in actions {
            env.step(actions, &mut results);
            returns.iter_mut().zip(&results).for_each(|(sum, step)| *sum += step.reward);
        }
        returns
    }
}

/// The same sums, and the number of steps until the episodes end.
fn by_machine(actions: &[Vec<u32>]) -> (Vec<f64>, u64) {
    let machine = Symbolic::new(STAGE, ActionSet::Tools);
    let mut steps = 0;
    let mut play = |i: usize| {
        let (mut state, mut sum) = (machine.start(), 0.0);
        for actions in actions {
            steps += 1;
            sum += REWARDS.step;
            match machine.step(&state, actions[i] as usize) {
                Continue(next) => state = next,
                Break(correct) => return if correct { sum + REWARDS.correct } else { sum },
            }
        }
        sum
    };
    ((0..EPISODES).map(&mut play).collect(), steps)
}

/// An episode of the tutorial's Python.
struct Transcript {
    operands: [u32; 5],
    actions: Vec<u32>,
    reward: f64,
}

fn transcripts() -> Vec<Transcript> {
    let numbers = |list: &Value| -> Vec<u32> {
        list.as_array().expect("a list").iter().map(|x| x.as_u64().expect("a natural number") as u32).collect()
    };
    let text = include_str!("../../../tests/golden/tutorial_env.jsonl");
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("one JSON object a line"));
    let of_stage = cases.filter(|case| case["stage"] == STAGE);
    let transcript = |case: Value| Transcript {
        operands: numbers(&case["operands"]).try_into().expect("five operands"),
        actions: numbers(&case["actions"]),
        reward: case["reward"].as_f64().expect("a reward"),
    };
    // Some were broken off; here an episode ends by itself.
    let ended = |t: &Transcript| t.actions.last() == Some(&token::ANS) || t.actions.len() == STEP_LIMIT;
    of_stage.map(transcript).filter(ended).collect()
}

/// What each episode is paid; all run side by side, until the longest ends. Who is done takes ANS again, for nothing.
fn by_tutorial(transcripts: &[Transcript]) -> impl FnMut() -> Vec<f64> {
    let mut env = TutorialEnv::new(STAGE, transcripts.len());
    let longest = transcripts.iter().map(|transcript| transcript.actions.len()).max().expect("transcripts");
    let at = |t: usize| transcripts.iter().map(move |transcript| *transcript.actions.get(t).unwrap_or(&token::ANS));
    let actions: Vec<Vec<u32>> = (0..longest).map(|t| at(t).collect()).collect();
    move || {
        transcripts.iter().enumerate().for_each(|(i, transcript)| env.start(i, transcript.operands));
        let mut paid = vec![0.0; transcripts.len()];
        let mut results = vec![Step::default(); transcripts.len()];
        for actions in &actions {
            env.step(actions, &mut results);
            paid.iter_mut().zip(&results).for_each(|(sum, step)| *sum += step.reward);
        }
        paid
    }
}

criterion_group! { name = benches; config = criterion(); targets = env }
criterion_main!(benches);
