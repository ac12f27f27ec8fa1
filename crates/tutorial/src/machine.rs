//! The machine of `tutorial`: what each tool does to `last` and `mem`, and what an answer is paid.
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
//! The original keeps a word in `mem` that the stage decides, so that set or empty is all there is to know.

use std::ops::ControlFlow;

use rl::solver::Machine;
use rl::tasks::{self, Number, poly::Poly, token};

/// What the tools work on, holding integers or polynomials.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State<V> {
    /// The last result.
    pub last: Option<V>,
    /// Whether STO was used.
    pub mem: bool,
}

impl<V: Number> State<V> {
    /// The state after `token`, on operands a to e. ANS changes nothing here: see [`correct`] and [`hundredths`].
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

/// What the environment calls correct: g0, g1, g2 by stage, one short of what is printed.
pub fn correct<V: Number>(stage: usize, operands: &[V; 5]) -> V {
    let [g0, g1, g2, ..] = partial_results(operands);
    match stage {
        0 => g0,
        1 => g1,
        _ => g2,
    }
}

/// The reward for the answer `last`, in hundredths: so that means over all operands are exact.
///
/// `[last = correct] + 0.2·shaped`, where shaped adds up a part for each partial result that `last` equals.
pub fn hundredths(stage: usize, last: i64, operands: &[i64; 5]) -> u32 {
    let [g0, g1, g2, g3, g4] = partial_results(operands);
    let paid = |hundredths: u32, goal: i64| if last == goal { hundredths } else { 0 };
    let shaped = match stage {
        0 => paid(5, g0) + paid(10, g1),
        1 => paid(5, g0) + paid(10, g1) + paid(15, g2),
        _ => paid(4, g0) + paid(8, g1) + paid(12, g4) + paid(12, g3),
    };
    paid(100, correct(stage, operands)) + shaped
}

/// The machine on polynomials, with the six tools as actions.
#[derive(Clone, Debug)]
pub struct Symbolic {
    stage: usize,
    operands: [Poly; 5],
    correct: Poly,
}

impl Symbolic {
    /// The machine of `stage`.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn new(stage: usize) -> Self {
        tasks::operands(stage);
        let operands = symbols();
        Self { stage, correct: correct(stage, &operands), operands }
    }
}

fn symbols() -> [Poly; 5] {
    let symbols: Vec<Poly> = Poly::variables(5);
    symbols.try_into().expect("five variables were asked for")
}

impl Machine for Symbolic {
    type State = State<Poly>;

    fn start(&self) -> State<Poly> {
        State::default()
    }

    fn actions(&self) -> usize {
        token::TOOLS.len()
    }

    fn step(&self, state: &State<Poly>, action: usize) -> ControlFlow<bool, State<Poly>> {
        match token::TOOLS[action] {
            token::ANS => ControlFlow::Break(state.last.as_ref() == Some(&self.correct)),
            token => ControlFlow::Continue(state.clone().step(self.stage, token, &self.operands)),
        }
    }
}
