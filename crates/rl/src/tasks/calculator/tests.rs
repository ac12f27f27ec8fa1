//! Tests of `calculator`: what it shows, and what hindsight makes of its episodes.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow::{Break, Continue};

use tensor::philox::Philox;

use super::*;
use crate::env::{Actions, Episodes, check};
use crate::hindsight::Achieved;
use crate::tasks::{CalculatorStages, goal};
use crate::trajectories::Row;

/// The context of an episode, by the names of its tokens.
fn context(task: &Calculator, stage: usize, operands: Option<&[u32]>) -> String {
    let env = match operands {
        Some(operands) => task.explanations().expect("it has some").env_with_operands(stage, operands),
        None => task.env(stage, 1),
    };
    let mut episodes = Episodes::with_env(task.spec(), stage, env, 1);
    episodes.reset(&[0], &mut [Philox::new(1)]).expect("no fault");
    episodes.observations().tokens(0).iter().map(|&token| String::from(spec().token_name(token)) + " ").collect()
}

#[test]
fn context_is_digits_and_the_goal() {
    let task = Calculator::default();
    assert_eq!(context(&task, 0, Some(&[4, 2, 7])), "4 2 7 a · b + c CTX ");
    assert_eq!(context(&task, 1, Some(&[4, 2, 7, 0])), "4 2 7 0 ( a · b + c ) − d CTX ");
    assert_eq!(context(&task, 2, Some(&[4, 2, 7, 0, 9])), "4 2 7 0 9 ( a · b + c ) − ( d · e ) CTX ");
}

#[test]
fn context_of_another_goal_has_that_goals_operands() {
    let task = Calculator::default().with_another_goal();
    let goals = [0, 1, 2]
        .map(|stage| String::from(context(&task, stage, None).trim_start_matches(|c| "0123456789 ".contains(c))));
    assert_eq!(goals, ["( a · b + c ) − ( d · e ) CTX ", "a · b + c CTX ", "( a · b + c ) − d CTX "]);
}

#[test]
fn check_finds_no_broken_promise() {
    let task = Calculator::default();
    assert_eq!(check::check(&task), Ok(()));
    assert_eq!(check::check(&task.with_another_goal()), Ok(()));
}

/// The goals and the machine are those of `calculator-stages`.
#[test]
fn solver_has_the_shortest_programs() {
    let (task, stages) = (Calculator::default(), CalculatorStages::default());
    for stage in 0..STAGES {
        assert_eq!(task.report(stage), stages.solver().expect("it has one").report(stage));
    }
    assert_eq!([0, 1, 2].map(|stage| task.report(stage).optimum), [3, 4, 7].map(Some));
}

/// Computes a program of tools without its answer, step by step on the machine.
fn run(program: &[u32], operands: &[Poly]) -> Option<Poly> {
    let step =
        |state: State<Poly>, &action: &u32| match state.step(token::TOOLS[action as usize], operands, &Poly::default())
        {
            Continue(next) => next,
            Break(_) => panic!("the program has ended"),
        };
    program.iter().fold(State::default(), step).acc
}

/// Reads a formula: sums and differences of products of letters and parentheses.
fn read_sum(text: &mut &[u32], operands: &[Poly]) -> Poly {
    let mut sum = read_product(text, operands);
    while let Some((sign, rest)) = text.split_first().filter(|(token, _)| [SIGN + 7, SIGN + 8].contains(token)) {
        *text = rest;
        let right = read_product(text, operands);
        sum = if *sign == SIGN + 7 { sum + right } else { sum - right };
    }
    sum
}

fn read_product(text: &mut &[u32], operands: &[Poly]) -> Poly {
    let mut product = read_factor(text, operands);
    while let Some((_, rest)) = text.split_first().filter(|(token, _)| **token == SIGN + 9) {
        *text = rest;
        product = product * read_factor(text, operands);
    }
    product
}

fn read_factor(text: &mut &[u32], operands: &[Poly]) -> Poly {
    let (token, rest) = text.split_first().expect("a factor");
    *text = rest;
    if *token != SIGN + 5 {
        return operands[(token - SIGN) as usize].clone();
    }
    let inner = read_sum(text, operands);
    *text = text.split_first().expect("a parenthesis").1;
    inner
}

/// Random episodes of all stages. The text of each relabelled context, read by a parser of its own, is what the program computes
/// from all operands of the context. Each action is legal.
#[test]
fn relabelled_programs_compute_the_goals_that_their_contexts_show() {
    let (task, mut rng, mut count) = (Calculator::default(), Philox::new(6), 0);
    for k in 0..6000 {
        let digits = 3 + k % STAGES;
        // Three times as many MUL, ADD and SUB as the others, so that long formulae occur.
        let actions: Vec<u32> =
            (0..HORIZON).map(|_| if rng.below(2) == 0 { rng.below(3) } else { rng.below(6) }).collect();
        let end = actions.iter().position(|&action| action == 3).map_or(HORIZON, |answer| answer + 1);
        let played =
            Row { tokens: vec![1; digits], actions: Actions::Discrete(actions[..end].to_vec()), ..Row::default() };
        let mut achieved = Vec::new();
        task.achieved(&played, &mut achieved);
        count += achieved.len();
        for one in achieved {
            let Achieved { stage, kind, actions } = &one;
            let (answer, program) = actions.split_last().expect("an action");
            assert_eq!(*answer, 3);
            let operands = Poly::variables(stage + 3);
            let result = run(program, &operands).expect("a result");
            assert!(program.len() < end);
            let row = task.relabel(&one, &mut rng).expect("nothing is held out");
            let context = &row.tokens[..=row.ends[0] as usize];
            assert!(context[..stage + 3].iter().all(|&digit| digit < SIGN) && context.last() == Some(&CTX));
            let mut text = &context[stage + 3..context.len() - 1];
            assert_eq!(read_sum(&mut text, &operands), result, "{actions:?}");
            assert_eq!((text.len(), &task.results[*kind as usize]), (0, &result));
            assert!(actions.iter().enumerate().all(|(t, &action)| row.legal[6 * t + action as usize]));
        }
    }
    assert!(count > 1000, "{count} programs");
}

/// Files may hold any actions. A program with an illegal one teaches nothing.
#[test]
fn relabel_program_with_an_illegal_action_is_none() {
    let (task, mut rng) = (Calculator::default(), Philox::new(0));
    for (actions, is_shown) in [(vec![0, 1, 3], true), (vec![1, 0, 1, 3], false), (vec![0, 1, 3, 0], false)] {
        assert_eq!(task.relabel(&Achieved { stage: 0, kind: 0, actions }, &mut rng).is_some(), is_shown);
    }
}

/// A shortest program that is played for another goal is learned from as it is.
#[test]
fn achieved_has_the_goal_of_each_stage() {
    let task = Calculator::default();
    for stage in 0..STAGES {
        let goal = task.results.binary_search(&goal(stage, &Poly::variables(stage + 3))).expect("a result");
        for program in task.graphs[stage].shortest_programs() {
            let actions: Vec<u32> = program.iter().map(|&action| action as u32).collect();
            let played = Row { tokens: vec![1; 5], actions: Actions::Discrete(actions.clone()), ..Row::default() };
            let mut achieved = Vec::new();
            task.achieved(&played, &mut achieved);
            assert_eq!(achieved.last(), Some(&Achieved { stage, kind: goal as u64, actions }));
        }
    }
}
