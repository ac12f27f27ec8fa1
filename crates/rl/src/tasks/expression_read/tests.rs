//! Tests of `expression-read`: its texts, the rule that is right for all of them, and what hindsight accepts.

use alloc::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::env::{Episodes, check};
use crate::hindsight::Achieved;
use crate::trajectories::Row;

fn number(action: Action) -> u32 {
    Action::all().position(|other| other == action).expect("an action") as u32
}

/// Plays an episode by the latest observation. Returns it, and whether it was solved.
fn play(task: &ExpressionRead, stage: usize, seed: u64, mut choose: impl FnMut(&[u32]) -> Action) -> Row {
    let (mut episodes, mut rngs) = (Episodes::new(task, stage, 1), [Philox::new(seed)]);
    episodes.reset(&[0], &mut rngs).expect("no fault");
    let (mut row, mut actions) = (Row::default(), Vec::new());
    loop {
        row.tokens.extend_from_slice(episodes.observations().tokens(0));
        row.ends.push(row.tokens.len() as u32 - 1);
        actions.push(number(choose(episodes.observations().tokens(0))));
        episodes.step(&[0], &Actions::Discrete(actions[actions.len() - 1..].to_vec()), &mut rngs).expect("no fault");
        if episodes.transitions().is_done(0) {
            row.solved = episodes.transitions().solved[0];
            return Row { actions: Actions::Discrete(actions), ..row };
        }
    }
}

/// Of 5 shapes with four leaves, each is drawn as often as the others: within four standard errors.
#[test]
fn draw_has_uniform_shapes_operators_and_slots() {
    let (mut shapes, mut signs, mut slots) = (BTreeMap::new(), [0; 3], [0; 4]);
    for seed in 0..5000 {
        let tree = draw(4, &mut Philox::new(seed));
        assert_eq!(tree.leaves(), 4);
        let text = to_tokens(&tree);
        let shape: Vec<u32> = text.iter().map(|&token| token.min(SLOT)).collect();
        *shapes.entry(shape).or_insert(0_usize) += 1;
        for token in text {
            match token {
                SLOT..OPERATOR => slots[(token - SLOT) as usize] += 1,
                OPERATOR..END => signs[(token - OPERATOR) as usize] += 1,
                _ => {}
            }
        }
    }
    assert!(shapes.len() == 5 && shapes.values().all(|count| count.abs_diff(1000) < 114), "{shapes:?}");
    assert!(signs.iter().all(|&count: &usize| count.abs_diff(5000) < 231), "{signs:?}");
    assert!(slots.iter().all(|&count: &usize| count.abs_diff(5000) < 245), "{slots:?}");
}

#[test]
fn env_keeps_every_promise() {
    let task = ExpressionRead::default();
    assert_eq!(check::check(&task), Ok(()));
    assert_eq!(check::check(&task.with_leaves(LONGER[0]).without_notebook()), Ok(()));
}

/// Texts of up to 50 slots are solved at the optimum, after the 22 observations that `Task::rule` lists.
#[test]
fn rule_of_22_observations_solves_every_length_at_the_optimum() {
    let (task, mut seen) = (ExpressionRead::default(), BTreeSet::new());
    for leaves in [task.leaves, LONGER[0], LONGER[1]] {
        let task = task.with_leaves(leaves);
        for (stage, leaves) in leaves.into_iter().enumerate() {
            for seed in 0..40 {
                let row = play(&task, stage, seed, |observed| {
                    seen.insert(observed.to_vec());
                    act_by_rule(observed)
                });
                assert!(row.solved && row.actions.len() == optimum(leaves), "{leaves} {seed}");
                let lost = play(&task.without_notebook(), stage, seed, act_by_rule);
                assert_eq!(lost.solved, leaves == 1, "the signs are noted");
            }
        }
    }
    let listed: Vec<_> = task
        .rule()
        .into_iter()
        .map(|(observed, action)| (observed.clone(), Action::from_number(action), act_by_rule(&observed)))
        .collect();
    assert!(listed.len() == 22 && listed.iter().all(|(_, action, wanted)| action == wanted));
    assert_eq!(listed.into_iter().map(|(observed, ..)| observed).collect::<BTreeSet<_>>(), seen);
}

/// What the rule plays is a demonstration of its own text's kind; each step of it, from the start or from later on, follows the rule.
#[test]
fn relabelled_programs_of_the_rule_are_those_of_the_rule() {
    let (task, mut rng) = (ExpressionRead::default(), Philox::new(1));
    let mut starts = BTreeSet::new();
    for (stage, seed) in (0..STAGES).flat_map(|stage| (0..40).map(move |seed| (stage, seed))) {
        let row = play(&task, stage, seed, act_by_rule);
        let mut achieved = Vec::new();
        task.achieved(&row, &mut achieved);
        let last = achieved.pop().expect("the text was read to its end");
        assert_eq!((last.stage, &last.actions[..]), (stage, row.actions.discrete()));
        let shown = task.relabel(&last, &mut rng).expect("each act has a cause");
        let (mut from, count) = (0, shown.actions.len());
        assert_eq!(last.actions[last.actions.len() - count..], *shown.actions.discrete());
        for (&end, &action) in shown.ends.iter().zip(shown.actions.discrete()) {
            assert_eq!(Action::from_number(action), act_by_rule(&shown.tokens[from..=end as usize]));
            from = end as usize + 1;
        }
        starts.insert(last.actions.len() - count);
    }
    assert!(starts.contains(&0) && starts.len() > 20, "{starts:?}");
}

#[test]
fn achieved_keeps_programs_whose_acts_have_causes() {
    let task = ExpressionRead::default();
    let named = |name: &str| number(Action::all().find(|action| action.name() == name).expect("an action"));
    let found = |text: &str| {
        let actions = text.split(' ').map(|name| named(&name.replace('_', " "))).collect();
        let mut out = Vec::new();
        task.achieved(&Row { actions: Actions::Discrete(actions), ..Row::default() }, &mut out);
        out.into_iter().map(|Achieved { stage, actions, .. }| (stage, actions.len())).collect::<Vec<_>>()
    };
    assert_eq!(found("READ LD_a READ ANS"), [(0, 4)]);
    assert_eq!(found("NOTE RECALL READ LD_c ADD READ NOTE"), [(0, 4), (0, 4)], "the last step adds nothing");
    assert_eq!(found("LD_a READ READ"), [], "it was loaded before it was read");
    assert_eq!(found("READ LD_a READ READ"), [(0, 4)], "with one READ more, it is no text's program");
    let sum = "READ READ LD_a READ NOTE READ LD_b READ RECALL ADD READ";
    assert_eq!(found(sum), [(1, 12)]);
    assert_eq!(found(&sum.replace("NOTE READ", "READ NOTE")), [], "the slot is noted instead of the sign");
    assert_eq!(found(&sum.replace("RECALL ADD READ", "READ RECALL ADD")), [(1, 12)], "it is recalled at END");
    // ((a+b)+c) has one sign too few: the second + is taken for the first.
    let nested = "READ READ READ LD_a READ NOTE READ LD_b READ RECALL ADD READ NOTE READ LD_c READ RECALL ADD READ";
    assert_eq!(found(nested), [(2, 20)]);
    let confused = "READ READ READ LD_a READ NOTE READ LD_b READ READ ADD READ LD_c READ RECALL ADD READ";
    assert_eq!(found(confused), []);
}

/// Files may hold any program.
#[test]
fn relabel_program_of_an_edited_file_is_none() {
    let (task, mut rng) = (ExpressionRead::default(), Philox::new(0));
    let relabel = |actions: &[u32], rng: &mut Philox| {
        task.relabel(&Achieved { stage: 0, kind: 0, actions: actions.into() }, rng).is_some()
    };
    assert!(relabel(&[7, 0, 7, 10], &mut rng));
    for bad in [&[][..], &[10], &[7, 0, 7], &[0, 7, 7, 10], &[7, 0, 7, 7, 10], &[7, 1, 7, 7], &[4, 4, 10]] {
        assert!(!relabel(bad, &mut rng), "{bad:?}");
    }
}
