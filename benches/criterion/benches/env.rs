//! Benchmarks of the environments alone, from the first to the last step of their episodes. One element is one valid step.
//!
//! `calculator-stages`: a batch of its last stage. Half of the episodes run a shortest program, half draw random tools. The
//! environment looks states up in a table; the reference computes them with polynomials. Milestone rewards are off, because
//! only the solver knows the milestones.
//!
//! `tutorial`: the last stage's transcripts of the tutorial's own Python code, `tests/golden/tutorial_env.jsonl`. The
//! reference is the reward in the transcripts.
#![forbid(unsafe_code)]

use std::ops::ControlFlow::{Break, Continue};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, criterion};
use rl::env::{Actions, Step, Task, Transitions};
use rl::solver::Machine;
use rl::tasks::calculator_stages::{ActionSet, HORIZON, Rewards, machine::SymbolicMachine};
use rl::tasks::{CalculatorStages, token};
use serde_json::Value;
use tensor::philox::{Philox, Purpose, Stream};
use tutorial::STEP_LIMIT;
use tutorial::env::TutorialEnv;

const STAGE: usize = 2;
const EPISODES: usize = 192;
const REWARDS: Rewards = Rewards { correct: 1.0, milestone: 0.0, step: -0.25 };

fn env(c: &mut Criterion) {
    let task = CalculatorStages::new(ActionSet::Tools, REWARDS);
    let actions = actions(&task);
    let (returns, steps) = by_machine(&actions);
    let mut contest = Contest::new(c, "env/calculator", Throughput::Elements(steps), 0.0, || returns);
    contest.bench("calculator-stages", by_env(&task, &actions));
    drop(contest);

    let transcripts = transcripts();
    let steps = transcripts.iter().map(|transcript| transcript.actions.len() as u64).sum();
    let earned = || transcripts.iter().map(|transcript| transcript.reward).collect();
    let mut contest = Contest::new(c, "env/tutorial", Throughput::Elements(steps), 1e-12, earned);
    contest.bench("tutorial", by_tutorial(&transcripts));
}

fn streams(purpose: Purpose) -> Vec<Philox> {
    (0..EPISODES as u32).map(|episode| Philox::stream(42, Stream { purpose, update: 0, episode })).collect()
}

/// Returns the actions of all episodes, \[T,B\].
fn actions(task: &CalculatorStages) -> Vec<Actions> {
    let program = &task.graph(STAGE).shortest_programs()[0];
    let mut rngs = streams(Purpose::ACTIONS);
    let mut action = |t: usize, i: usize| match i % 2 {
        0 => program[t % program.len()] as u32,
        _ => rngs[i].below(task.spec().action.size() as u32),
    };
    (0..HORIZON).map(|t| Actions::Discrete((0..EPISODES).map(|i| action(t, i)).collect())).collect()
}

/// Returns a closure that sums the rewards of each episode.
fn by_env(task: &CalculatorStages, actions: &[Actions]) -> impl FnMut() -> Vec<f64> {
    let (mut env, mut out) = (task.env(STAGE, EPISODES), Transitions::new(&task.spec(), EPISODES));
    let operands = streams(Purpose::OPERANDS);
    move || {
        let (mut rngs, mut active) = (operands.clone(), (0..EPISODES).collect::<Vec<_>>());
        env.reset(&active, &mut rngs, &mut out.observations);
        out.terminated.fill(false);
        let mut returns = vec![0.0; EPISODES];
        for actions in actions {
            env.step(&active, actions, &mut rngs, &mut out);
            active.iter().for_each(|&i| returns[i] += out.rewards[i]);
            active.retain(|&i| !out.terminated[i]);
        }
        returns
    }
}

/// Computes the same sums without the environment, and the number of valid steps.
fn by_machine(actions: &[Actions]) -> (Vec<f64>, u64) {
    let machine = SymbolicMachine::new(STAGE, ActionSet::Tools);
    let mut steps = 0;
    let mut play = |i: usize| {
        let (mut state, mut sum) = (machine.start(), 0.0);
        for actions in actions {
            steps += 1;
            sum += REWARDS.step;
            match machine.step(&state, actions.discrete()[i] as usize) {
                Continue(next) => state = next,
                Break(correct) => return if correct { sum + REWARDS.correct } else { sum },
            }
        }
        sum
    };
    ((0..EPISODES).map(&mut play).collect(), steps)
}

/// An episode that the tutorial's Python code recorded.
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
    let of_last_stage = cases.filter(|case| case["stage"] == STAGE);
    let transcript = |case: Value| Transcript {
        operands: numbers(&case["operands"]).try_into().expect("five operands"),
        actions: numbers(&case["actions"]),
        reward: case["reward"].as_f64().expect("a reward"),
    };
    // Some transcripts stop before their episode ends. They are left out.
    let ended = |t: &Transcript| t.actions.last() == Some(&token::ANS) || t.actions.len() == STEP_LIMIT;
    of_last_stage.map(transcript).filter(ended).collect()
}

/// Returns a closure that plays all transcripts side by side and sums the rewards of each. An episode that has ended repeats
/// ANS, which earns nothing.
fn by_tutorial(transcripts: &[Transcript]) -> impl FnMut() -> Vec<f64> {
    let mut env = TutorialEnv::new(STAGE, transcripts.len());
    let longest = transcripts.iter().map(|transcript| transcript.actions.len()).max().expect("transcripts");
    let at = |t: usize| transcripts.iter().map(move |transcript| *transcript.actions.get(t).unwrap_or(&token::ANS));
    let actions: Vec<Vec<u32>> = (0..longest).map(|t| at(t).collect()).collect();
    move || {
        transcripts.iter().enumerate().for_each(|(i, transcript)| env.start(i, transcript.operands));
        let mut earned = vec![0.0; transcripts.len()];
        let mut results = vec![Step::default(); transcripts.len()];
        for actions in &actions {
            env.step(actions, &mut results);
            earned.iter_mut().zip(&results).for_each(|(sum, step)| *sum += step.reward);
        }
        earned
    }
}

criterion_group! { name = benches; config = criterion(); targets = env }
criterion_main!(benches);
