//! Tests of `calculator-stages`: the solver's results against brute force and against the interpreter.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow::{self, Break, Continue};

use proptest::prelude::*;
use rl::env::{Actions, Episodes};
use rl::solver::{FAILED, INFINITE, Machine, SOLVED, START, Solvable};
use rl::tasks::calculator_stages::machine::{State, SymbolicMachine};
use rl::tasks::calculator_stages::{ActionSet, CalculatorStages, HORIZON, Rewards};
use rl::tasks::{goal, operand_count, poly::Poly, token};
use tensor::philox::{Philox, Purpose, Stream};

const SETS: [ActionSet; 2] = [ActionSet::Tools, ActionSet::Tokens];

#[test]
fn solver_report_states_and_shortest_programs_match() {
    let task = CalculatorStages::default();
    let reports = [0, 1, 2].map(|stage| task.report(stage));
    assert_eq!([13, 51, 206], reports.each_ref().map(|report| report.states));
    assert_eq!([Some(3), Some(4), Some(7)], reports.each_ref().map(|report| report.optimum));
    assert_eq!(reports[0].programs, [["MUL", "ADD", "ANS"]]);
    assert_eq!(reports[1].programs, [["MUL", "ADD", "SUB", "ANS"]]);
    let seven_steps = ["MUL ADD STO MUL RCL SUB ANS", "MUL ADD STO RCL MUL SUB ANS"];
    assert_eq!(reports[2].programs.iter().map(|p| p.join(" ")).collect::<Vec<_>>(), seven_steps);
    assert!(
        reports.iter().all(|report| 2 * report.dead_states > report.states),
        "the goal is unreachable from most states"
    );
}

/// Runs every sequence of at most seven tools one by one, without the solver.
#[test]
fn solver_shortest_programs_match_brute_force() {
    for stage in 0..3 {
        let machine = SymbolicMachine::new(stage, ActionSet::Tools);
        let mut found = Vec::new();
        try_all(&machine, &machine.start(), &mut Vec::new(), 7, &mut found);
        let shortest = found.iter().map(Vec::len).min().expect("a program");
        found.retain(|program| program.len() == shortest);
        assert_eq!(found, CalculatorStages::default().graph(stage).shortest_programs(), "stage {stage}");
    }
}

fn try_all(
    machine: &SymbolicMachine,
    state: &State<Poly>,
    program: &mut Vec<usize>,
    left: usize,
    found: &mut Vec<Vec<usize>>,
) {
    if left == 0 {
        return;
    }
    for action in 0..machine.actions() {
        program.push(action);
        match machine.step(state, action) {
            Continue(next) => try_all(machine, &next, program, left - 1, found),
            Break(true) => found.push(program.clone()),
            Break(false) => (),
        }
        program.pop();
    }
}

/// Compares each entry of the transition table with the interpreter, for every state and action.
#[test]
fn solver_graph_matches_the_interpreter() {
    for set in SETS {
        let task = CalculatorStages::new(set, Rewards::default());
        for stage in 0..3 {
            let (graph, machine) = (task.graph(stage), SymbolicMachine::new(stage, set));
            assert_eq!(graph.states()[0], machine.start());
            for (number, state) in (START..).zip(graph.states()) {
                for action in 0..machine.actions() {
                    let next = graph.next(number, action);
                    match machine.step(state, action) {
                        Continue(state) => assert_eq!(graph.state(next), Some(&state)),
                        Break(solved) => assert_eq!(next, if solved { SOLVED } else { FAILED }),
                    }
                }
            }
        }
    }
}

/// Computes each distance again: searches from every state for a program of k steps, for k up to the horizon.
#[test]
fn solver_distances_match_exhaustive_search() {
    for stage in 0..3 {
        let machine = SymbolicMachine::new(stage, ActionSet::Tools);
        let task = CalculatorStages::default();
        let mut known = BTreeMap::new();
        for (number, state) in (START..).zip(task.graph(stage).states()) {
            let fewest = (1..=HORIZON as u16).find(|&k| solvable(&machine, state, k, &mut known));
            assert_eq!(task.graph(stage).distance(number), fewest.unwrap_or(INFINITE), "{state:?}");
        }
    }
}

type Known = BTreeMap<(State<Poly>, u16), bool>;

fn solvable(machine: &SymbolicMachine, state: &State<Poly>, within: u16, known: &mut Known) -> bool {
    if within == 0 {
        return false;
    }
    let key = (state.clone(), within);
    if let Some(&answer) = known.get(&key) {
        return answer;
    }
    let answer = (0..machine.actions()).any(|action| match machine.step(state, action) {
        Break(solved) => solved,
        Continue(next) => solvable(machine, &next, within - 1, known),
    });
    known.insert(key, answer);
    answer
}

fn rng(episode: u32) -> Philox {
    Philox::stream(7, Stream { purpose: Purpose::OPERANDS, update: 0, episode })
}

/// Starts one episode for each generator.
fn start(task: &CalculatorStages, stage: usize, mut rngs: Vec<Philox>) -> Episodes {
    let mut episodes = Episodes::new(task, stage, rngs.len());
    let all: Vec<usize> = (0..rngs.len()).collect();
    episodes.reset(&all, &mut rngs).expect("no fault");
    episodes
}

/// Takes an action in an episode. Returns its reward.
fn take(episode: &mut Episodes, action: u32) -> f64 {
    episode.step(&[0], &Actions::Discrete(vec![action]), &mut [rng(0)]).expect("no fault");
    episode.transitions().rewards[0]
}

#[test]
fn calculator_shortest_program_earns_its_milestones() {
    let task = CalculatorStages::default();
    let program = task.graph(2).shortest_programs().remove(0);
    let mut episode = start(&task, 2, vec![rng(0)]);
    let step = |&action: &usize| {
        assert!(!episode.transitions().is_done(0));
        take(&mut episode, action as u32)
    };
    let rewards: Vec<f64> = program.iter().map(step).collect();
    assert_eq!(rewards, [0.23, 0.23, 0.23, 0.23, 0.23, 0.23, 1.23]);
    let out = episode.transitions();
    assert_eq!((out.terminated[0], out.truncated[0], out.solved[0]), (true, false, true));
}

#[test]
fn calculator_episode_uses_its_own_generator() {
    let task = CalculatorStages::default();
    let (both, second) = (start(&task, 1, vec![rng(0), rng(1)]), start(&task, 1, vec![rng(1)]));
    let (both, second) = (both.observations(), second.observations());
    assert_eq!(both.tokens(1), second.tokens(0));
    assert_ne!(both.tokens(0), both.tokens(1));
}

#[test]
fn calculator_context_is_digits_then_ctx() {
    for stage in 0..3 {
        let episodes = start(&CalculatorStages::default(), stage, (0..64).map(rng).collect());
        let contexts = || (0..64).map(|i| episodes.observations().tokens(i).split_last().expect("a context"));
        assert!(contexts().all(|(&last, digits)| last == token::CTX && digits.len() == operand_count(stage)));
        let seen: BTreeSet<u32> = contexts().flat_map(|(_, digits)| digits).copied().collect();
        assert!(seen.into_iter().eq(0..10), "stage {stage}");
    }
}

#[test]
#[should_panic(expected = "Episodes: 2 episodes, but 1 actions")]
fn episodes_step_missing_action_panics() {
    let mut episodes = start(&CalculatorStages::default(), 0, vec![rng(0), rng(1)]);
    episodes.step(&[0], &Actions::Discrete(vec![0]), &mut [rng(0), rng(1)]).ok();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Random programs over all tokens. The environment looks states up in tables. Its ends, solutions and rewards must match
    /// the interpreter on polynomials. The interpreter on integers must compute the values of these polynomials.
    #[test]
    fn calculator_random_programs_match_the_interpreters(
        stage in 0usize..3,
        program in prop::collection::vec(prop_oneof![4 => 11u32..17, 1 => 0u32..18], HORIZON + 2),
    ) {
        let rewards = Rewards::default();
        let task = CalculatorStages::new(ActionSet::Tokens, rewards);
        let mut episode = start(&task, stage, vec![rng(3)]);
        let context = episode.observations().tokens(0);
        let numbers: Vec<i64> = context[..operand_count(stage)].iter().map(|&digit| digit.into()).collect();
        let symbols = Poly::variables(operand_count(stage));
        let graph = task.graph(stage);

        let mut played: ControlFlow<bool, (State<Poly>, State<i64>)> = Continue(Default::default());
        let (mut steps, mut nearest, mut earned) = (0, graph.distance(START), 0.0);
        for &action in &program {
            let Continue((symbolic, numeric)) = played else { break };
            steps += 1;
            played = match symbolic.step(action, &symbols, &goal(stage, &symbols)) {
                Break(solved) => { nearest = if solved { 0 } else { nearest }; Break(solved) }
                Continue(symbolic) => {
                    let Continue(numeric) = numeric.step(action, &numbers, &goal(stage, &numbers)) else {
                        panic!("one interpreter ended, the other did not")
                    };
                    let value = |p: &Option<Poly>| p.as_ref().map(|p| p.value(&numbers));
                    prop_assert_eq!(value(&symbolic.acc), numeric.acc);
                    prop_assert_eq!(value(&symbolic.mem), numeric.mem);
                    prop_assert_eq!(value(&symbolic.left), numeric.left);
                    let at = graph.states().iter().position(|state| *state == symbolic).expect("a known state");
                    nearest = nearest.min(graph.distance(at as u16 + START));
                    if steps == HORIZON { Break(false) } else { Continue((symbolic, numeric)) }
                }
            };
            earned += take(&mut episode, action);
            let out = episode.transitions();
            prop_assert_eq!(out.terminated[0], played.is_break());
            prop_assert!(!out.truncated[0], "the last step is an end by the rules");
            prop_assert_eq!(episode.observations().tokens(0), [action]);
        }
        let solved = matches!(played, Break(true));
        prop_assert_eq!(episode.transitions().solved[0], solved);
        let milestones = f64::from(graph.distance(START) - nearest);
        let expected = rewards.step * steps as f64 + rewards.milestone * milestones + f64::from(u8::from(solved));
        prop_assert!((earned - expected).abs() < 1e-12, "{} instead of {}", earned, expected);
    }
}
