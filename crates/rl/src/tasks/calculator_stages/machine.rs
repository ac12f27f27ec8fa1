//! The machine of `calculator-stages`: the effect of each tool on position, accumulator, memory and recalled left operand.
//!
//! | tool | condition | effect |
//! |---|---|---|
//! | MUL | `acc` empty, two operands left | `acc` := their product; `left` stays |
//! | MUL, ADD, SUB | `acc` and `left` set | `acc` := `left` ∘ `acc`; `left` emptied |
//! | MUL, ADD, SUB | `acc` set, `left` empty, an operand left | `acc` := `acc` ∘ operand |
//! | STO | `acc` set | `mem` := `acc`; `acc` emptied |
//! | RCL | `mem` set, `left` empty | `left` := `mem`; `mem` emptied |
//! | ANS | | ends the episode; correct if `acc` is the goal |
//!
//! A tool has no effect if its condition does not hold. The other tokens never have an effect.
//!
//! Each operand is used once, and values are moved, never copied. Therefore `acc`, `mem` and `left` consist of different
//! operands, and no absolute value exceeds 9⁵ = 59,049.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::ActionSet;
use crate::solver::Machine;
use crate::tasks::{self, Number, poly::Poly, token};

/// The registers, holding integers or polynomials.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State<V> {
    /// The number of operands used so far.
    pub position: usize,
    /// The accumulator.
    pub acc: Option<V>,
    /// The memory.
    pub mem: Option<V>,
    /// The recalled left operand of the next tool.
    pub left: Option<V>,
}

impl<V: Number> State<V> {
    /// The state after `token`. For an answer: `Break(true)` if `acc` is the goal, otherwise `Break(false)`.
    pub fn step(mut self, token: u32, operands: &[V], goal: &V) -> ControlFlow<bool, Self> {
        match token {
            token::MUL if self.acc.is_none() => self.load_product(operands),
            token::MUL => self.combine(operands, V::mul),
            token::ADD => self.combine(operands, V::add),
            token::SUB => self.combine(operands, V::sub),
            token::STO => self.mem = self.acc.take().or(self.mem),
            token::RCL if self.left.is_none() => self.left = self.mem.take(),
            token::ANS => return ControlFlow::Break(self.acc.as_ref() == Some(goal)),
            _ => (),
        }
        ControlFlow::Continue(self)
    }

    fn load_product(&mut self, operands: &[V]) {
        if let [x, y, ..] = &operands[self.position..] {
            self.acc = Some(x.clone() * y.clone());
            self.position += 2;
        }
    }

    fn combine(&mut self, operands: &[V], op: fn(V, V) -> V) {
        let Some(acc) = self.acc.clone() else { return };
        if let Some(left) = self.left.take() {
            self.acc = Some(op(left, acc));
        } else if let Some(next) = operands.get(self.position) {
            self.acc = Some(op(acc, next.clone()));
            self.position += 1;
        }
    }
}

/// The machine on polynomials: one run covers all operands.
#[derive(Clone, Debug)]
pub struct SymbolicMachine {
    actions: ActionSet,
    operands: Vec<Poly>,
    goal: Poly,
}

impl SymbolicMachine {
    /// Creates the machine of `stage`.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn new(stage: usize, actions: ActionSet) -> Self {
        let operands = Poly::variables(tasks::operand_count(stage));
        let goal = tasks::goal(stage, &operands);
        Self { actions, operands, goal }
    }
}

impl Machine for SymbolicMachine {
    type State = State<Poly>;

    fn start(&self) -> State<Poly> {
        State::default()
    }

    fn actions(&self) -> usize {
        self.actions.tokens().len()
    }

    fn step(&self, state: &State<Poly>, action: usize) -> ControlFlow<bool, State<Poly>> {
        state.clone().step(self.actions.tokens()[action], &self.operands, &self.goal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::Graph;
    use token::{ADD, ANS, MUL, RCL, STO, SUB};

    const OPERANDS: [i64; 5] = [2, 3, 4, 5, 6];

    fn run(program: &[u32]) -> State<i64> {
        let step = |state: State<i64>, &token: &u32| match state.step(token, &OPERANDS, &0) {
            ControlFlow::Continue(state) => state,
            ControlFlow::Break(_) => panic!("the program has ended"),
        };
        program.iter().fold(State::default(), step)
    }

    fn state(position: usize, acc: Option<i64>, mem: Option<i64>, left: Option<i64>) -> State<i64> {
        State { position, acc, mem, left }
    }

    /// One case for each line of the table, on the operands 2, 3, 4, 5, 6.
    #[test]
    fn step_each_tool_has_the_effect_in_the_table() {
        assert_eq!(run(&[MUL]), state(2, Some(6), None, None));
        assert_eq!(run(&[MUL, ADD]), state(3, Some(10), None, None));
        assert_eq!(run(&[MUL, SUB]), state(3, Some(2), None, None));
        assert_eq!(run(&[MUL, MUL]), state(3, Some(24), None, None));
        assert_eq!(run(&[MUL, STO]), state(2, None, Some(6), None));
        assert_eq!(run(&[MUL, STO, RCL]), state(2, None, None, Some(6)));
        assert_eq!(run(&[MUL, STO, RCL, MUL]), state(4, Some(20), None, Some(6)), "loading leaves `left`");
        assert_eq!(run(&[MUL, STO, RCL, MUL, SUB]), state(4, Some(-14), None, None), "left − acc");
        assert_eq!(run(&[MUL, STO, RCL, MUL, MUL]), state(4, Some(120), None, None));
        assert_eq!(run(&[MUL, STO, MUL, STO]), state(4, None, Some(20), None), "the memory is overwritten");
    }

    #[test]
    fn step_outside_the_table_changes_nothing() {
        for no_op in [ADD, SUB, STO, RCL, token::CTX, token::EOS, 0, 9] {
            assert_eq!(run(&[no_op]), State::default(), "{}", token::name(no_op));
        }
        assert_eq!(run(&[MUL, STO, STO]), run(&[MUL, STO]), "an empty accumulator overwrites nothing");
        let full = [MUL, STO, RCL, MUL, STO];
        assert_eq!(run(&[&full[..], &[RCL]].concat()), run(&full), "`left` is in use");
        let used_up = [MUL, ADD, ADD, ADD];
        for tool in [MUL, ADD, SUB] {
            assert_eq!(run(&[&used_up[..], &[tool]].concat()), run(&used_up), "no operand remains");
        }
        let one_left = [MUL, ADD, ADD, STO];
        assert_eq!(run(&[&one_left[..], &[MUL]].concat()), run(&one_left), "two operands are needed");
    }

    #[test]
    fn step_answer_is_right_only_symbolically() {
        let symbols = Poly::variables(3);
        let answer = |program: &[u32], goal: &Poly| {
            let mut state = State::default();
            for &token in program {
                match state.step(token, &symbols, goal) {
                    ControlFlow::Continue(next) => state = next,
                    ControlFlow::Break(correct) => return Some(correct),
                }
            }
            None
        };
        let goal = tasks::goal(0, &symbols);
        assert_eq!(answer(&[MUL, ADD, ANS], &goal), Some(true));
        assert_eq!(answer(&[MUL, ANS], &goal), Some(false));
        assert_eq!(answer(&[ANS], &Poly::default()), Some(false), "an empty accumulator is not zero");
        assert_eq!(answer(&[MUL, ADD], &goal), None);
    }

    /// Values are multilinear in the operands, so they are largest where each operand is 0 or 9.
    #[test]
    fn values_of_all_states_do_not_exceed_nine_to_the_fifth() {
        let graph = Graph::explore(&SymbolicMachine::new(2, ActionSet::Tools), usize::MAX);
        let corner = |bits: u32| [0, 1, 2, 3, 4].map(|i| i64::from(bits >> i & 1) * 9);
        let registers = graph.states().iter().flat_map(|s| [&s.acc, &s.mem, &s.left]).flatten();
        let largest = registers.flat_map(|value| (0..32).map(|bits| value.value(&corner(bits)).abs())).max();
        assert_eq!(largest, Some(59_049));
    }
}
