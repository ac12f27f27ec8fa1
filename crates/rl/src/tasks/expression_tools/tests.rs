//! Tests of `expression-tools` against its exact figures, and of what hindsight makes of episodes.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use tensor::philox::Philox;

use super::problem::Problem;
use super::*;
use crate::env::{Actions, Episodes, check};
use crate::hindsight::{Achieved, Hindsight};
use crate::tasks::expression::tree::{Digest, Tree, Value};
use crate::tasks::expression::{SLOT, machine::run};
use crate::trajectories::Row;

/// Reads a text back.
fn parse(tokens: &mut impl Iterator<Item = u32>) -> Problem {
    match tokens.next().expect("a token") {
        IF => {
            let condition = tokens.next().expect("a slot") - SLOT;
            Problem::choice(condition, true, parse(tokens), parse(tokens))
        }
        _ => {
            let [a, operator, b, _] = [(); 4].map(|()| tokens.next().expect("a token"));
            let operator = Operator::ALL[(operator - SLOT) as usize - RULES.slots];
            Problem::Expression(Tree::apply(operator, Tree::Slot(a - SLOT), Tree::Slot(b - SLOT)))
        }
    }
}

/// Plays one episode. `choose` sees what was read so far. Returns the episode.
fn play(task: &ExpressionTools, stage: usize, seed: u64, mut choose: impl FnMut(&[u32], &[bool]) -> u32) -> Row {
    let (mut episodes, mut rngs) = (Episodes::new(task, stage, 1), [Philox::new(seed)]);
    episodes.reset(&[0], &mut rngs).expect("no fault");
    let (mut row, mut actions) = (Row::default(), Vec::new());
    loop {
        row.tokens.extend_from_slice(episodes.observations().tokens(0));
        row.ends.push(row.tokens.len() as u32 - 1);
        actions.push(choose(&row.tokens, episodes.observations().legal(0)));
        episodes.step(&[0], &Actions::Discrete(actions[actions.len() - 1..].to_vec()), &mut rngs).expect("no fault");
        if episodes.transitions().is_done(0) {
            row.solved = episodes.transitions().solved[0];
            return Row { actions: Actions::Discrete(actions), ..row };
        }
    }
}

fn random(rng: &mut Philox) -> impl FnMut(&[u32], &[bool]) -> u32 {
    |_, legal| loop {
        let action = rng.below(legal.len() as u32);
        if legal[action as usize] {
            return action;
        }
    }
}

#[test]
fn patterns_have_distinct_numbers_of_which_a_fifth_is_held_out() {
    let task = ExpressionTools::default();
    let mut rng = Philox::new(2);
    for (stage, (count, held_out)) in [(9, 2), (54, 11)].into_iter().enumerate() {
        let mut patterns = [BTreeSet::new(), BTreeSet::new()];
        for _ in 0..3000 {
            let problem = Problem::draw(stage, &mut rng);
            let is_held_out = task.patterns[stage].held_out.contains(&problem.pattern());
            patterns[usize::from(is_held_out)].insert(problem.pattern());
        }
        assert_eq!(patterns.map(|of| of.len()), [count - held_out, held_out]);
    }
}

/// All expressions of a problem differ as trees, and so do its conditions: each bit matters.
#[test]
fn draw_makes_problems_whose_bits_matter() {
    let mut rng = Philox::new(3);
    for k in 0..500 {
        let problem = Problem::draw(k % STAGES, &mut rng);
        let tokens = problem.to_tokens();
        assert_eq!(parse(&mut tokens.iter().copied()), problem);
        let selected: BTreeSet<u64> = (0..16).map(|bits| problem.selected(bits).value::<Digest>().hash).collect();
        assert_eq!(selected.len(), k % STAGES + 2);
    }
}

#[test]
fn env_keeps_every_promise() {
    for task in [ExpressionTools::default(), ExpressionTools::new(0.5), ExpressionTools::default().lying()] {
        assert_eq!(check::check(&task), Ok(()));
        assert_eq!(check::check(&task.held_out()), Ok(()));
    }
}

/// The bits that the answers told.
fn known_bits(tokens: &[u32]) -> [Option<bool>; RULES.slots] {
    let mut bits = [None; RULES.slots];
    for pair in tokens.windows(2).filter(|pair| pair[1] == HIGH || pair[1] == LOW) {
        bits[(pair[0] - ACTION) as usize - RULES.instructions().len()] = Some(pair[1] == HIGH);
    }
    bits
}

/// Calls what the problem asks until it knows, then computes the selected expression. With four steps left it guesses, if it may.
fn oracle(tokens: &[u32], can_guess: bool) -> u32 {
    let (actions, answer) = (RULES.instructions().len() as u32, 10);
    let mut problem = &parse(&mut tokens.iter().copied());
    let read = problem.to_tokens().len();
    let is_action = |token: &&u32| **token >= ACTION;
    let taken: Vec<u32> = tokens[read..].iter().filter(is_action).map(|token| token - ACTION).collect();
    let program: Vec<u32> = taken.iter().copied().filter(|&action| action < actions).collect();
    let bits = known_bits(&tokens[read..]);
    let is_late = taken.len() - program.len() == HORIZON - 4;
    while let Problem::If(condition, branches) = problem {
        let guess = (can_guess && is_late).then(|| matches!(branches[0], Problem::Expression(_)));
        match bits[*condition as usize].or(guess) {
            Some(bit) => problem = &branches[usize::from(!bit)],
            None if is_late => return answer,
            None => return actions + condition,
        }
    }
    let Problem::Expression(Tree::Node(operator, sides)) = problem else { panic!("an expression of two slots") };
    let load = |tree: &Tree| if let Tree::Slot(slot) = tree { *slot } else { panic!("a slot") };
    [load(&sides[0]), load(&sides[1]), 4 + *operator as u32, answer][program.len()]
}

/// Calls that never fail: all is solved, in five and in five and a half steps. If half of the calls fail: within four standard
/// errors of 63/64 and 15/16 without guesses, and of 127/128 and 31/32 with them.
#[test]
fn oracle_has_the_exact_figures() {
    let measure = |task: &ExpressionTools, stage, can_guess| {
        let count = 4000;
        let played = (0..count).map(|seed| play(task, stage, seed, |tokens, _| oracle(tokens, can_guess)));
        let sums = played.fold((0.0, 0.0), |(solved, steps), row| {
            (solved + f64::from(u8::from(row.solved)), steps + row.actions.len() as f64)
        });
        (sums.0 / count as f64, sums.1 / count as f64)
    };
    for stage in 0..STAGES {
        let (exact, steps) = measure(&ExpressionTools::default(), stage, false);
        let optimum = ExpressionTools::default().optimum(stage).expect("calls never fail");
        assert!(exact == 1.0 && (steps - optimum).abs() < 0.04, "{steps}");
        assert_eq!(measure(&ExpressionTools::default().lying(), stage, false).0, 0.0);
        assert_eq!(measure(&ExpressionTools::default().held_out(), stage, false).0, 1.0);
        for (can_guess, share) in [(false, [63.0 / 64.0, 15.0 / 16.0]), (true, [127.0 / 128.0, 31.0 / 32.0])] {
            let (exact, _) = measure(&ExpressionTools::new(0.5), stage, can_guess);
            let p: f64 = share[stage];
            assert!((exact - p).abs() < 4.0 * (p * (1.0 - p) / 4000.0).sqrt(), "{stage} {can_guess}: {exact} {p}");
        }
    }
}

/// Each demonstration is an episode that the machine could have played: its answers are those of its bits, its program computes
/// what they select, whatever the other bits are, and its problem is not held out.
#[test]
fn relabelled_programs_solve_their_problems_by_the_bits_they_observe() {
    let task = ExpressionTools::new(0.3);
    let (mut rng, mut counts) = (Philox::new(5), [0; 4]);
    for seed in 0..3000 {
        let mut achieved = Vec::new();
        task.achieved(&play(&task, seed as usize % STAGES, seed, random(&mut rng)), &mut achieved);
        for one in achieved {
            let Some(row) = task.relabel(&one, &mut rng) else { panic!("{one:?} has a problem that is shown") };
            let context = &row.tokens[..=row.ends[0] as usize];
            let problem = parse(&mut context.iter().copied());
            assert_eq!(problem.to_tokens(), context);
            assert!(!task.patterns[one.stage].held_out.contains(&problem.pattern()));
            let actions = row.actions.discrete();
            assert_eq!(actions, one.actions);
            assert!(actions.len() <= HORIZON && row.legal.len() == 15 * actions.len());
            let program = actions.iter().filter(|&&action| task.called(action).is_none());
            let result = run::<Digest>(program.map(|&action| task.instructions[action as usize])).expect("a result");
            let bits = known_bits(&row.tokens[context.len()..]);
            let fits = |all: u32| {
                bits.iter().enumerate().all(|(slot, bit)| bit.is_none_or(|bit| bit == (all >> slot & 1 == 1)))
            };
            for all in (0..16).filter(|&all| fits(all)) {
                assert_eq!(problem.selected(all).value::<Digest>(), result, "{one:?}");
            }
            for (t, &action) in actions.iter().enumerate() {
                assert!(row.legal[15 * t + action as usize]);
                let read = row.ends.get(t + 1).map(|&end| &row.tokens[row.ends[t] as usize + 1..=end as usize]);
                assert!(read.is_none_or(
                    |read| read[0] == ACTION + action && (read.len() == 2) == task.called(action).is_some()
                ));
            }
            let observed = bits.iter().flatten().count();
            counts[2 * one.stage + observed - 1] += 1;
        }
    }
    assert!(counts[0] > 50 && counts[1] == 0 && counts[2] > 50 && counts[3] > 10, "{counts:?}");
}

/// An answer that came after the first step of the program was not used, and calls that failed count.
#[test]
fn achieved_uses_only_what_was_observed_before_the_program() {
    let task = ExpressionTools::new(0.5);
    let name = |name: &str| (0..15).find(|&action| task.spec().action_name(action) == name).expect("an action");
    let found = |text: &str, answers: &[u32]| {
        let actions: Vec<u32> = text.split(", ").map(name).collect();
        let mut answers = answers.iter();
        let read: Vec<Option<u32>> =
            actions.iter().map(|&action| task.called(action).and_then(|_| answers.next().copied())).collect();
        let row =
            Row::from_program(&[GO], &actions, |t, action| [Some(ACTION + action), read[t]].into_iter().flatten());
        let mut out = Vec::new();
        task.achieved(&row, &mut out);
        let names = |actions: Vec<u32>| {
            actions.iter().map(|&action| task.spec().action_name(action).to_string()).collect::<Vec<_>>().join(", ")
        };
        out.into_iter().map(|Achieved { stage, actions, .. }| (stage, names(actions))).collect::<Vec<_>>()
    };
    let one = "PR a, PR a, LD b, LD c, SUB, ANS".to_string();
    assert_eq!(found("PR a, PR a, LD b, LD c, SUB, ANS", &[FAIL, HIGH]), [(0, one.clone()), (1, one.clone())]);
    assert_eq!(found("PR a, PR a, PR a, ST 0, LD b, LD c, SUB", &[FAIL, LOW, LOW]), [(0, one.clone()), (1, one)]);
    assert_eq!(found("LD b, PR a, LD c, SUB, ANS", &[HIGH]), []);
    assert_eq!(found("PR a, LD b, LD c, SUB, ANS", &[FAIL]), []);
    let both = found("PR d, PR a, LD b, LD c, ADD, ANS", &[LOW, HIGH]);
    let pairs =
        ["PR d, PR a, LD b, LD c, ADD, ANS", "PR a, PR d, LD b, LD c, ADD, ANS"].map(|text| (1, text.to_string()));
    assert!(both.len() == 6 && pairs.iter().all(|pair| both.contains(pair)), "{both:?}");
}

/// Files may hold anything. What is no demonstration teaches nothing.
#[test]
fn relabel_program_of_an_edited_file_is_none() {
    let (task, mut rng) = (ExpressionTools::default(), Philox::new(0));
    let good = Achieved { stage: 0, kind: 0x0305, actions: [11, 0, 1, 4, 10].into() };
    assert!(task.relabel(&good, &mut rng).is_some());
    for bad in [
        Achieved { kind: 0x0505, ..good.clone() },
        Achieved { kind: 5, ..good.clone() },
        Achieved { kind: u64::MAX, ..good.clone() },
        Achieved { kind: 0x0003_0305, stage: 1, ..good.clone() },
        Achieved { actions: [12, 0, 1, 10].into(), ..good.clone() },
        Achieved { actions: [11, 4, 0, 1, 4, 10].into(), ..good.clone() },
        Achieved { actions: [11, 0, 1, 4, 11].into(), ..good.clone() },
        Achieved { actions: [11].into(), ..good.clone() },
        Achieved { actions: [11, 0, 0, 4, 10].into(), ..good },
    ] {
        assert_eq!(task.relabel(&bad, &mut rng).map(|row| row.tokens), None, "{bad:?}");
    }
}
