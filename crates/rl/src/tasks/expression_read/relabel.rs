//! Hindsight for `expression-read`: an episode that has built one value, and has read as often as the text of that value has tokens,
//! is right for that text — if each of its acts had a cause in it.
//!
//! An act has a cause if it follows directly on the token that says it: LD x on its x, an operation on its own sign, which is noted
//! until both operands are there. Without this filter, programs are learned that load and compute before they have read, or that
//! take the sign of one operator for an equal one: they are right, and of no use for other texts. Which token causes which act is
//! said here; what to do with each observation is learned.

use alloc::vec::Vec;

use tensor::philox::Philox;

use super::machine::{Action, Machine};
use super::{ACTION, ExpressionRead, STAGES, START, horizon, to_tokens};
use crate::hindsight::{Achieved, Hindsight};
use crate::tasks::expression::tree::{Digest, Tree};
use crate::tasks::expression::{OPERATOR, SLOT};
use crate::trajectories::Row;

/// The number of texts that are tried for a program: the operands of + and · may stand in either order.
const TRIES: usize = 4;
/// The share of demonstrations that begin at a random step. They teach to act by the latest observation.
const LATE: f64 = 0.8;

/// The expression that a program computes, if it leaves one value, and as many READs as its text has tokens with END.
fn computed(program: &[u32]) -> Option<Tree> {
    let mut machine = Machine::<Tree>::default();
    program.iter().for_each(|&action| _ = machine.execute(Action::from_number(action), &[]));
    match (&mut machine.stack[..], machine.reads) {
        ([tree], reads) if reads == 4 * tree.leaves() - 2 => machine.stack.pop(),
        _ => None,
    }
}

/// What each action of a program shows on this text; `None` if an act has no cause, or the value is not the whole text.
fn observe(program: &[u32], text: &[u32]) -> Option<Vec<Option<u32>>> {
    // Places in the text: of tokens that were shown and noted, and of the first and last token of each value.
    let (mut latest, mut shown, mut notebook) = (None, None, Vec::new());
    let (mut reads, mut stack) = (0, Vec::<[usize; 2]>::new());
    let is_caused = |latest: Option<usize>, token| latest.filter(|&place| text[place] == token);
    let mut seen = Vec::with_capacity(program.len());
    for &action in program {
        let now = match Action::from_number(action) {
            Action::Load(slot) => {
                let place = is_caused(latest, SLOT + slot)?;
                stack.push([place; 2]);
                None
            }
            Action::Apply(operator) => {
                if let &[.., [first, end], [begin, last]] = &stack[..] {
                    let place = is_caused(latest, OPERATOR + operator as u32)?;
                    if [end + 1, begin] != [place, place + 1] {
                        return None; // the sign of another operator
                    }
                    stack.truncate(stack.len() - 2);
                    stack.push([first - 1, last + 1]);
                }
                None
            }
            Action::Read => {
                reads += 1;
                Some((reads - 1).min(text.len() - 1))
            }
            Action::Note => {
                notebook.extend(shown);
                None
            }
            Action::Recall => notebook.pop(),
            Action::Answer => None,
        };
        (latest, shown) = (now, now.or(shown));
        seen.push(now.map(|place| text[place]));
    }
    (stack == [[0, text.len() - 2]]).then_some(seen)
}

/// A text for which each act of the program has a cause.
fn find_text(program: &[u32], rng: &mut Philox) -> Option<(Vec<u32>, Vec<Option<u32>>)> {
    let mut tree = computed(program)?;
    (0..TRIES).find_map(|_| {
        let text = to_tokens(&tree);
        let shown = observe(program, &text);
        tree.exchange_operands(rng);
        Some((text, shown?))
    })
}

impl Hindsight for ExpressionRead {
    /// Steps that make no value and read nothing are left out, as long as each act still has its cause.
    fn achieved(&self, played: &Row, out: &mut Vec<Achieved>) {
        let actions = played.actions.discrete();
        let rng = &mut Philox::new(0);
        let mut machine = Machine::<Digest>::default();
        for (t, &action) in actions.iter().enumerate() {
            machine.execute(Action::from_number(action), &[]);
            let [value] = &machine.stack[..] else { continue };
            let leaves = usize::from(value.leaves);
            if leaves > STAGES || machine.reads != 4 * leaves - 2 || Action::from_number(action) == Action::Answer {
                continue;
            }
            let mut program = actions[..=t].to_vec();
            if find_text(&program, rng).is_none() {
                continue;
            }
            let mut k = 0;
            while k < program.len() {
                let shorter = || [&program[..k], &program[k + 1..]].concat();
                let is_needed = matches!(Action::from_number(program[k]), Action::Load(_) | Action::Read);
                match (!is_needed).then(shorter).filter(|shorter| find_text(shorter, rng).is_some()) {
                    Some(shorter) => program = shorter,
                    None => k += 1,
                }
            }
            program.push(super::answer());
            if program.len() <= horizon(leaves) {
                out.push(Achieved { stage: leaves - 1, kind: value.kind, actions: program });
            }
        }
    }

    fn relabel(&self, Achieved { actions, .. }: &Achieved, rng: &mut Philox) -> Option<Row> {
        let (answer, program) = actions.split_last()?;
        let (_, shown) = find_text(program, rng).filter(|_| *answer == super::answer())?;
        let first = if rng.uniform_f64() < LATE { rng.below(actions.len() as u32) as usize } else { 0 };
        let read = |t: usize| [Some(ACTION + actions[t]), shown.get(t).copied().flatten()].into_iter().flatten();
        let context: Vec<u32> = first.checked_sub(1).map_or([START].into(), |t| read(t).collect());
        Some(Row::from_program(&context, &actions[first..], |t, _| read(first + t)))
    }
}
