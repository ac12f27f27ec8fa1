//! The environment of `calculator` alone: a batch of its last stage, from reset to end. One element is one step that
//! counts.
//!
//! Half of the episodes run a shortest program, half draw their tools. The reference is the machine itself, computing
//! with polynomials where the environment looks states up; milestones are off, as only the solver could judge them.
#![forbid(unsafe_code)]

use std::ops::ControlFlow::{Break, Continue};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, criterion};
use rl::env::{Step, Task};
use rl::solver::Machine;
use rl::tasks::Calculator;
use rl::tasks::calculator::{ActionSet, HORIZON, Rewards, machine::Symbolic};
use tensor::philox::{Philox, Purpose, Stream};

const STAGE: usize = 2;
const EPISODES: usize = 192;
const REWARDS: Rewards = Rewards { correct: 1.0, milestone: 0.0, step: -0.25 };

fn env(c: &mut Criterion) {
    let task = Calculator::new(ActionSet::Tools, REWARDS);
    let actions = actions(&task);
    let (returns, steps) = by_machine(&actions);
    let mut contest = Contest::new(c, "env", Throughput::Elements(steps), 0.0, || returns);
    contest.enter("calculator", by_env(&task, &actions));
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

criterion_group! { name = benches; config = criterion(); targets = env }
criterion_main!(benches);
