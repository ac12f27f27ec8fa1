//! The machine of `tutorial`: the effect of each tool on `last` and `mem`, and the reward of an answer.
//!
//! | tool | stage 0 | stage 1 | stage 2 |
//! |---|---|---|---|
//! | MUL, `last` empty | `a·b` | `a·b` | `a·b` |
//! | MUL | `last·1` | `last·d` | `last·d` |
//! | ADD, `last` set | `last+c` | `last+c` | `last+c` |
//! | SUB, `last` set | `last−0` | `last−d` | `last−d`, after STO `last−e` |
//! | STO | sets `mem` | sets `mem` | sets `mem` |
//! | RCL, `mem` set | `last` or 0 | `last` or 0 | `d·e` |
//!
//! The original stores a word in `mem` that depends on the stage alone. Therefore one flag, set or empty, is enough here.

use std::ops::ControlFlow;

use rl::solver::Machine;
use rl::tasks::{self, Number, poly::Poly, token};

/// The registers of the machine, with integers or polynomials.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State<V> {
    /// The last result.
    pub last: Option<V>,
    /// True if STO was used.
    pub mem: bool,
}

impl<V: Number> State<V> {
    /// The state after `token`, with operands a to e. ANS has no effect here: see [`rewarded_target`] and
    /// [`reward_hundredths`].
    pub fn step(self, stage: usize, token: u32, operands: &[V; 5]) -> Self {
        let [a, b, c, d, e] = operands.clone();
        let Self { last, mem } = self;
        let last = match (token, last) {
            (token::MUL, None) => Some(a * b),
            (token::MUL, Some(last)) if stage > 0 => Some(last * d),
            (token::ADD, Some(last)) => Some(last + c),
            (token::SUB, Some(last)) if stage == 2 && mem => Some(last - e),
            (token::SUB, Some(last)) if stage > 0 => Some(last - d),
            (token::RCL, _) if stage == 2 && mem => Some(d * e),
            (token::RCL, last) if mem => Some(last.unwrap_or_default()),
            (_, last) => last,
        };
        Self { last, mem: mem || token == token::STO }
    }
}

/// The partial results g0 to g4: `a·b`, `a·b+c`, `(a·b+c)−d`, `d·e`, `(a·b+c)−(d·e)`.
fn partial_results<V: Number>([a, b, c, d, e]: &[V; 5]) -> [V; 5] {
    let g0 = a.clone() * b.clone();
    let g1 = g0.clone() + c.clone();
    let g3 = d.clone() * e.clone();
    [g0, g1.clone(), g1.clone() - d.clone(), g3.clone(), g1 - g3]
}

/// The target that the environment rewards: g0, g1, g2 by stage. The printed targets are g1, g2, g4.
pub fn rewarded_target<V: Number>(stage: usize, operands: &[V; 5]) -> V {
    let [g0, g1, g2, ..] = partial_results(operands);
    match stage {
        0 => g0,
        1 => g1,
        _ => g2,
    }
}

/// The reward for the answer `last`, in hundredths. Integers make means over all operands exact.
///
/// The reward is `[last = target] + 0.2·shaped`, with the target of [`rewarded_target`]. `shaped` is a sum with one term for
/// each partial result that `last` equals.
pub fn reward_hundredths(stage: usize, last: i64, operands: &[i64; 5]) -> u32 {
    let [g0, g1, g2, g3, g4] = partial_results(operands);
    let reward_if_at = |goal: i64, hundredths: u32| if last == goal { hundredths } else { 0 };
    let shaped = match stage {
        0 => reward_if_at(g0, 5) + reward_if_at(g1, 10),
        1 => reward_if_at(g0, 5) + reward_if_at(g1, 10) + reward_if_at(g2, 15),
        _ => reward_if_at(g0, 4) + reward_if_at(g1, 8) + reward_if_at(g4, 12) + reward_if_at(g3, 12),
    };
    reward_if_at(rewarded_target(stage, operands), 100) + shaped
}

/// The machine on polynomials, with the six tools as actions.
#[derive(Clone, Debug)]
pub struct SymbolicMachine {
    stage: usize,
    operands: [Poly; 5],
    target: Poly,
}

impl SymbolicMachine {
    /// Creates the machine of `stage`.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn new(stage: usize) -> Self {
        tasks::operand_count(stage);
        let operands = symbols();
        Self { stage, target: rewarded_target(stage, &operands), operands }
    }
}

fn symbols() -> [Poly; 5] {
    let symbols: Vec<Poly> = Poly::variables(5);
    symbols.try_into().expect("Poly::variables(5) has five entries")
}

impl Machine for SymbolicMachine {
    type State = State<Poly>;

    fn start(&self) -> State<Poly> {
        State::default()
    }

    fn actions(&self) -> usize {
        token::TOOLS.len()
    }

    fn step(&self, state: &State<Poly>, action: usize) -> ControlFlow<bool, State<Poly>> {
        match token::TOOLS[action] {
            token::ANS => ControlFlow::Break(state.last.as_ref() == Some(&self.target)),
            token => ControlFlow::Continue(state.clone().step(self.stage, token, &self.operands)),
        }
    }
}
