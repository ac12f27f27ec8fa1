//! Tests of `expression` against its exact figures and against searches over all states of its machine.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use tensor::philox::Philox;

use super::env::ExpressionEnv;
use super::machine::{Instruction, Machine, Rules, run};
use super::relabel::shorten;
use super::tree::{Digest, Tree, Value};
use super::*;
use crate::env::{Actions, Episodes, check};
use crate::hindsight::{Achieved, Hindsight};
use crate::solver::START;
use crate::trajectories::Row;

/// The contexts of each stage, trained and held out.
fn counts(split: Split) -> [[usize; 3]; 2] {
    let task = Expression::new(split);
    [task.clone(), task.held_out()].map(|task| [0, 1, 2].map(|stage| task.contexts(stage).len()))
}

#[test]
fn contexts_have_the_exact_figures() {
    assert_eq!(counts(Split::Kinds), [[36, 432 - 96, 3240 - 648], [0, 96, 648]]);
    assert_eq!(counts(Split::Patterns), counts(Split::Kinds));
    assert_eq!([2, 3, 4].map(|leaves| Tree::patterns(leaves).len()), [3, 18, 135]);
    let task = Expression::default();
    for (stage, leaves) in LEAVES.into_iter().enumerate() {
        for set in [task.clone(), task.held_out()] {
            assert!(set.contexts(stage).iter().all(|context| context.tokens.len() == 4 * leaves - 3 + 1));
        }
        assert_eq!(task.stages[stage].horizon, 2 * leaves + 2 * (leaves / 2).saturating_sub(1) + 4);
    }
    assert_eq!(task.stages[2].horizon, task.spec().horizon);
}

/// A program is right in the contexts with one goal. So the largest share of one goal bounds every policy that does not read.
#[test]
fn best_blind_policy_is_right_in_one_of_18_108_and_405() {
    let task = Expression::default();
    for (stage, share) in [18, 108, 405].into_iter().enumerate() {
        let (mut goals, mut total) = (BTreeMap::new(), 0);
        for set in [task.clone(), task.held_out()] {
            for context in set.contexts(stage) {
                *goals.entry(context.goal).or_insert(0) += 1;
                total += 1;
            }
        }
        assert_eq!(goals.values().max().expect("a goal") * share, total);
    }
}

#[test]
fn registers_needed_are_the_known_numbers_of_patterns() {
    let needing = |leaves, has_reverse, count| {
        Tree::patterns(leaves).iter().filter(|tree| tree.registers(has_reverse) == count).count()
    };
    assert_eq!([4, 5, 6].map(|leaves| needing(leaves, true, 0)), [108, 648, 3888]);
    assert_eq!([3, 4, 5, 6].map(|leaves| needing(leaves, false, 0)), [15, 75, 375, 1875]);
    assert_eq!([5, 6].map(|leaves| needing(leaves, false, 2)), [9, 306]);
}

/// The number of steps of a shortest program, by a search over all states whose values are parts of the goal. Other values are
/// never part of an expression that is the goal.
fn shortest(goal: &Tree, rules: Rules) -> Option<usize> {
    fn collect(tree: &Tree, out: &mut BTreeSet<u64>) {
        out.insert(tree.value::<Digest>().hash);
        if let Tree::Node(_, sides) = tree {
            sides.iter().for_each(|side| collect(side, out));
        }
    }
    let mut parts = BTreeSet::new();
    collect(goal, &mut parts);
    let goal = goal.value::<Digest>().hash;
    let key = |machine: &Machine<Digest>| {
        let hash = |value: &Option<Digest>| value.map(|value| value.hash);
        (hash(&machine.acc), hash(&machine.arg), machine.registers.each_ref().map(hash))
    };
    let mut queue = VecDeque::from([(Machine::<Digest>::default(), 0)]);
    let mut known = BTreeSet::from([key(&queue[0].0)]);
    while let Some((machine, steps)) = queue.pop_front() {
        if machine.acc.is_some_and(|acc| acc.hash == goal) {
            return Some(steps + 1); // the answer
        }
        for instruction in rules.instructions() {
            let mut next = machine.clone();
            next.execute(instruction);
            if next.acc.is_none_or(|acc| parts.contains(&acc.hash)) && known.insert(key(&next)) {
                queue.push_back((next, steps + 1));
            }
        }
    }
    None
}

/// All patterns with two to four leaves, and every 23rd with five.
#[test]
fn optimum_and_registers_agree_with_a_search_over_all_states() {
    let few = [2, 3, 4].into_iter().flat_map(Tree::patterns);
    for tree in few.chain(Tree::patterns(5).into_iter().step_by(23)) {
        for has_reverse in [true, false] {
            let rules = |registers| Rules { slots: tree.leaves(), registers, has_reverse };
            let needed = tree.registers(has_reverse);
            assert_eq!(shortest(&tree, rules(needed)), Some(tree.optimum(has_reverse)), "{tree} {has_reverse}");
            if let Some(fewer) = needed.checked_sub(1) {
                assert_eq!(shortest(&tree, rules(fewer)), None, "{tree} {has_reverse}");
            }
        }
    }
}

#[test]
fn held_out_kinds_have_no_sibling_in_training() {
    let kinds_of = |split| {
        let task = Expression::new(split);
        let mut kinds = [BTreeSet::new(), BTreeSet::new()];
        for (stage, leaves) in LEAVES.into_iter().enumerate() {
            for tree in Tree::patterns(leaves) {
                kinds[usize::from(task.stages[stage].held_out.contains(&tree.pattern()))].insert((leaves, tree.kind()));
            }
        }
        let [trained, held_out] = kinds;
        trained.intersection(&held_out).count()
    };
    assert_eq!(kinds_of(Split::Kinds), 0);
    assert!(kinds_of(Split::Patterns) > 0);
}

#[test]
fn env_keeps_every_promise() {
    let task = Expression::default();
    assert_eq!(check::check(&task), Ok(()));
    assert_eq!(check::check(&task.without_registers()), Ok(()));
}

fn program(text: &str) -> Vec<Instruction> {
    let named = |name| RULES.instructions().into_iter().find(|known| known.name() == name).expect("an instruction");
    text.split(", ").map(named).collect()
}

#[test]
fn run_computes_the_expression_of_a_program() {
    for (text, expression) in [
        ("LD a, LD b, ADD", "(a+b)"),
        ("LD a, LD b, RSB", "(b−a)"),
        ("LD a, LD b, LD c, SUB", "(a−c)"),
        ("ADD, RC 0, ST 0, LD a, LD d, MUL", "(a·d)"),
        ("LD a, LD b, ADD, ST 0, LD c, LD d, SUB, RC 0, RSB", "((a+b)−(c−d))"),
        ("LD a, LD b, ADD, ST 0, RC 0, LD c, MUL", "((a+b)·c)"),
        ("LD a, LD b, ST 0, LD c, RC 0, ADD", "(c+a)"),
    ] {
        assert_eq!(run::<Tree>(program(text)).map(|tree| tree.to_string()), Some(String::from(expression)), "{text}");
    }
    assert_eq!(run::<Tree>(program("LD a, LD b, ADD, ST 0, RC 0, ST 0, ANS")), None);
}

#[test]
fn can_change_is_false_exactly_for_actions_without_effect() {
    let mut rng = Philox::new(3);
    let instructions = RULES.instructions();
    for _ in 0..200 {
        let mut machine = Machine::<Digest>::default();
        for _ in 0..14 {
            for &instruction in &instructions {
                let mut next = machine.clone();
                next.execute(instruction);
                let changes = next != machine || instruction == Instruction::Answer;
                assert_eq!(machine.can_change(instruction), changes, "{instruction:?} in {machine:?}");
            }
            machine.execute(instructions[rng.below(instructions.len() as u32) as usize]);
        }
    }
}

#[test]
fn shorten_leaves_what_the_result_needs() {
    let mut long = program("LD d, ADD, ST 0, LD a, LD c, LD b, ADD, LD d");
    shorten(&mut long);
    assert_eq!(long, program("LD a, LD b, ADD"));
    let mut short = program("LD a, LD b, ADD, ST 0, LD c, LD d, SUB, RC 0, RSB");
    shorten(&mut short);
    assert_eq!(short.len(), 9);
}

/// Files may hold any actions. A program with an illegal one teaches nothing.
#[test]
fn relabel_program_with_an_illegal_action_is_none() {
    let (task, mut rng) = (Expression::default(), Philox::new(0));
    for (actions, is_shown) in [(vec![0, 1, 4, 10], true), (vec![4, 0, 1, 4, 10], false), (vec![10, 4, 10], false)] {
        assert_eq!(task.relabel(&Achieved { stage: 0, kind: 0, actions }, &mut rng).is_some(), is_shown);
    }
}

/// An episode of these actions, as hindsight reads it.
fn episode(actions: Vec<u32>) -> Row {
    Row { actions: Actions::Discrete(actions), ..Row::default() }
}

fn random_actions(rng: &mut Philox) -> Vec<u32> {
    // Operations twice as often, so that long expressions occur.
    (0..14).map(|_| if rng.below(2) == 0 { rng.below(4) } else { rng.below(11) }).collect()
}

/// Each relabelled program is played in its problem: the episode reads what `relabel` says, and is solved.
#[test]
fn relabelled_programs_solve_their_problems_and_none_is_held_out() {
    for split in [Split::Kinds, Split::Patterns] {
        let task = Expression::new(split);
        let secret = task.held_out();
        let held_out: BTreeSet<&[u32]> =
            (0..3).flat_map(|stage| secret.contexts(stage)).map(|context| &context.tokens[..]).collect();
        let (mut rng, mut achieved, mut filtered) = (Philox::new(1), Vec::new(), 0);
        for _ in 0..3000 {
            let actions = random_actions(&mut rng);
            let known = achieved.len();
            task.achieved(&episode(actions.clone()), &mut achieved);
            let instructions = RULES.instructions();
            let mut machine = Machine::<Tree>::default();
            for &action in &actions {
                machine.execute(instructions[action as usize]);
                let is_operation = instructions[action as usize].is_operation();
                let text = machine.acc.as_ref().filter(|_| is_operation).map(to_tokens);
                filtered += usize::from(text.is_some_and(|text| held_out.contains(&text[..])));
            }
            assert!(achieved.len() - known <= 14);
        }
        assert!(filtered > 20, "random programs compute held-out expressions, too: {filtered}");
        let mut of_stages = [0; 3];
        for found in &achieved {
            let Some(row) = task.relabel(found, &mut rng) else {
                assert_eq!(split, Split::Patterns);
                continue;
            };
            of_stages[found.stage] += 1;
            let context = &row.tokens[..=row.ends[0] as usize];
            assert!(!held_out.contains(context), "{found:?}");
            let place = task.contexts(found.stage).iter().position(|known| known.tokens == context);
            let mut episodes = Episodes::with_env(
                task.spec(),
                found.stage,
                task.env_with_contexts(found.stage, &[place.expect("a context")]),
                1,
            );
            let mut rngs = [Philox::new(0)];
            episodes.reset(&[0], &mut rngs).expect("no fault");
            let mut read = Vec::new();
            for (t, &action) in found.actions.iter().enumerate() {
                read.extend_from_slice(episodes.observations().tokens(0));
                assert_eq!(row.ends[t] as usize + 1, read.len());
                assert_eq!(row.legal[11 * t..][..11], *episodes.observations().legal(0));
                episodes.step(&[0], &Actions::Discrete(vec![action]), &mut rngs).expect("no fault");
            }
            assert_eq!(row.tokens, read);
            assert!(episodes.transitions().solved[0], "{found:?}");
        }
        assert!(of_stages.iter().all(|&count| count > 20), "{of_stages:?}");
    }
}

/// A program that the machine repeats does not count twice, and neither does one of a held-out kind.
#[test]
fn achieved_finds_each_expression_once_with_its_shortest_program() {
    let task = Expression::default();
    let instructions = RULES.instructions();
    let actions = |text: &str| -> Vec<u32> {
        let place = |wanted| instructions.iter().position(|&known| known == wanted).expect("an instruction") as u32;
        program(text).into_iter().map(place).collect()
    };
    let found = |text| {
        let mut out = Vec::new();
        task.achieved(&episode(actions(text)), &mut out);
        out
    };
    let sum = Achieved { stage: 0, kind: Tree::patterns(2)[0].kind(), actions: actions("LD a, LD b, ADD, ANS") };
    assert_eq!(found("ST 0, LD a, LD c, LD b, ADD, LD a, ANS"), vec![sum.clone()]);
    assert_eq!(found("LD a, LD b, ADD, ST 0, ANS"), [sum]);
    assert_eq!(found("LD a, LD a, ADD, ANS"), [], "a slot occurs twice");
    assert_eq!(found("LD a, ANS"), [], "one leaf is no problem");
}

#[test]
fn digest_ignores_the_order_of_commuting_operands_alone() {
    let [a, b, c] = [0, 1, 2].map(Tree::Slot);
    let apply = |operator, a: &Tree, b: &Tree| Tree::apply(operator, a.clone(), b.clone());
    let digest = |tree: &Tree| tree.value::<Digest>();
    for operator in Operator::ALL {
        let (ab, ba) = (apply(operator, &a, &b), apply(operator, &b, &a));
        assert_eq!(digest(&ab) == digest(&ba), operator.is_commutative());
        assert_eq!(ab.kind(), ba.kind(), "a kind has no slots");
        for other in Operator::ALL {
            let nested = [apply(other, &ab, &c), apply(other, &c, &ab)];
            assert_eq!(nested[0].kind() == nested[1].kind(), other.is_commutative());
            assert_ne!(nested[0].pattern(), nested[1].pattern());
        }
    }
    let all: Vec<Tree> = [2, 3, 4].into_iter().flat_map(Tree::patterns).collect();
    let distinct: BTreeSet<u64> = all.iter().map(Tree::pattern).collect();
    assert_eq!(distinct.len(), all.len());
}

/// The distance of the start is the optimum. Along a shortest program it falls by one at each step, so every step is a milestone,
/// whatever the slots are; an action that leads nowhere is none, and the way back is none again.
#[test]
fn milestones_pay_each_step_of_a_shortest_program_once() {
    let rewards = Rewards { correct: 1.0, milestone: 0.25, step: -0.02 };
    let task = Expression::default().with_rewards(rewards);
    let graphs = task.graphs.as_ref().expect("there are milestones");
    for tree in LEAVES.into_iter().flat_map(Tree::patterns) {
        assert_eq!(usize::from(graphs[&tree.pattern()].distance(START)), tree.optimum(true), "{tree}");
    }
    let rewards_of = |context: &str, text: &str| {
        let problem = Context::new(&parse::parse(context).expect("an expression"));
        let stage = Expression::stage_of(problem.slots.len()).expect("a stage");
        let env = ExpressionEnv::with_context(&task, stage, problem);
        let (mut episodes, mut rngs) = (Episodes::with_env(task.spec(), stage, Box::new(env), 1), [Philox::new(0)]);
        episodes.reset(&[0], &mut rngs).expect("no fault");
        let play = |instruction: Instruction| {
            let place = RULES.instructions().iter().position(|&other| other == instruction).expect("an action");
            episodes.step(&[0], &Actions::Discrete(vec![place as u32]), &mut rngs).expect("no fault");
            episodes.transitions().rewards[0]
        };
        program(text).into_iter().map(play).collect::<Vec<_>>()
    };
    let (paid, cost, right) = (rewards.step + rewards.milestone, rewards.step, rewards.step + rewards.milestone + 1.0);
    assert_eq!(
        rewards_of("((d+b)−(c−a))", "LD d, LD b, ADD, ST 0, LD c, LD a, SUB, RC 0, RSB, ANS"),
        [[paid; 9].as_slice(), &[right]].concat()
    );
    assert_eq!(
        rewards_of("(c·b)", "LD a, ST 0, LD c, LD a, LD b, MUL, ANS"),
        [cost, cost, paid, cost, paid, paid, right]
    );
    assert_eq!(rewards_of("(c·b)", "LD c, ANS"), [paid, cost]);
}
