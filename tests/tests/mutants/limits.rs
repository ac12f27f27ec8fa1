//! Detection limits: the smallest d for which a factor 1 + d in a rule is seen by duals (L1).
//!
//! Once for every input of every operation and every line of the fused GRU's derivation: in the operation's own cases, in
//! a GRU over seven steps that is composed of operations, and in the A2C loss of such a GRU.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use autograd::gradcheck::{Function, Input, Overloaded, duals};
use autograd::mutants::{Seen, Sent, with};
use autograd::ops::Kind;
use autograd::{Tape, Var, function};
use gradus_tests::composed;
use proofs::Draw;
use rl::a2c::{Terms, Update};
use rl::policy::Decisions;
use rl::returns::Judged;
use rl::trajectories::Trajectories;
use tensor::{Real, Tensor};

use crate::gru::{self, LINES};
use crate::slips::{Wrong, times};

/// A function at a point.
struct Place {
    f: Arc<dyn Overloaded + Send + Sync>,
    inputs: Vec<Input>,
}

impl Place {
    fn new(f: impl Overloaded + Send + Sync + 'static, inputs: Vec<Tensor<f64>>) -> Self {
        Self { f: Arc::new(f), inputs: inputs.into_iter().map(Input::from).collect() }
    }

    fn is_exact(&self) -> bool {
        duals(&*self.f, &self.inputs).is_ok()
    }
}

/// T, B and H.
const SIZES: [usize; 3] = [7, 3, 4];

fn composed_gru() -> Place {
    let [steps, batch, hidden] = SIZES;
    let mut d = Draw::new(21);
    let w = &d.normal([3 * hidden, hidden]) * &Tensor::scalar(0.6);
    let inputs = vec![d.normal([steps, batch, 3 * hidden]), d.normal([batch, hidden]), w, d.normal([3 * hidden])];
    Place::new(function!(|x| Var::stack(&composed::gru(x[0], x[1], x[2], x[3]))), inputs)
}

/// The A2C loss of an embedding, a composed GRU and two heads.
struct Loss {
    played: Trajectories,
    judged: Judged,
}

const ACTIONS: usize = 5;

impl Function for Loss {
    fn call<'t, T: Real>(&self, _: &'t Tape<T>, x: &[Var<'t, T>]) -> Var<'t, T> {
        let &[table, w_ih, b_ih, start, w_hh, b_hh, pi, v] = x else { panic!("eight parameters") };
        let [steps, batch, hidden] = SIZES;
        let rows = |x: Var<'t, T>| x.reshape([steps * batch, x.shape().last_extent()]);
        let gx = rows(table.embedding(&self.played.tokens())).matmul_nt(w_ih) + b_ih;
        let h0 = start.tanh().broadcast_to([batch, hidden]);
        let states = rows(Var::stack(&composed::gru(gx.reshape([steps, batch, 3 * hidden]), h0, w_hh, b_hh)));
        let values = states.matmul_nt(v).reshape([steps * batch]);
        let decisions = Decisions { log_probs: states.matmul_nt(pi).log_softmax(), values };
        let update = Update { entropy: 1.0, ..Update::default() };
        Terms::of(decisions, &self.played, &self.judged).loss(&update, batch, self.played.valid_steps())
    }
}

fn a2c_loss() -> Place {
    let [steps, batch, hidden] = SIZES;
    let (mut d, size) = (Draw::new(22), steps * batch);
    let numbers = |n: usize| (0..size).map(|k| (5 * k % n) as u32).collect();
    let played = Trajectories {
        episodes: batch,
        steps,
        actions: numbers(ACTIONS),
        tokens: numbers(6),
        valid: (0..size).map(|k| k / batch < [7, 7, 5][k % batch]).collect(),
        ..Trajectories::default()
    };
    let mut counted =
        || d.normal([size]).to_vec().into_iter().zip(&played.valid).map(|(x, &v)| x * f64::from(v)).collect();
    let judged = Judged { advantages: counted(), targets: counted() };
    let wide = 3 * hidden;
    let shapes: [&[usize]; 8] =
        [&[6, 3], &[wide, 3], &[wide], &[1, hidden], &[wide, hidden], &[wide], &[ACTIONS, hidden], &[1, hidden]];
    let inputs = shapes.map(|shape| &d.normal(shape) * &Tensor::scalar(0.6)).to_vec();
    Place::new(Loss { played, judged }, inputs)
}

/// A rule, and the smallest factors that are seen.
pub(crate) struct Limit {
    /// The operation, and which of its inputs, or which line of the GRU's derivation.
    pub(crate) rule: String,
    /// In its own cases, in the GRU, and in the loss, where it occurs there.
    pub(crate) seen: [Option<f64>; 3],
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} |", self.rule)?;
        self.seen.iter().try_for_each(|seen| match seen {
            Some(d) => write!(f, " {d:.1e} |"),
            None => write!(f, " |"),
        })
    }
}

/// Whether a factor 1 + d at some place is seen.
fn sees<W: Wrong>(places: &[Place], kind: Kind, rule: impl Fn(f64) -> W, d: f64) -> bool {
    with(kind, rule(1.0 + d), || places.iter().any(|place| !place.is_exact()))
}

/// The smallest power of two that is seen.
fn limit<W: Wrong>(places: &[Place], kind: Kind, rule: impl Fn(f64) -> W) -> f64 {
    let tried: Vec<f64> = (-48..=-34).map(|exponent| 2.0_f64.powi(exponent)).collect();
    let first = tried.partition_point(|&d| !sees(places, kind, &rule, d));
    tried.get(first).copied().unwrap_or(f64::INFINITY)
}

/// How many inputs of an operation are asked for a gradient in these places, at most: one more than the last of them.
fn arity(places: &[Place], kind: Kind) -> usize {
    let most = Rc::new(Cell::new(0));
    let count = most.clone();
    let counts = move |seen: &Seen| {
        let last = seen.wanted.iter().rposition(|&wanted| wanted);
        count.set(count.get().max(last.map_or(0, |last| last + 1)));
        seen.right(&seen.dy).into_iter().map(Sent::Added).collect()
    };
    with(kind, counts, || places.iter().for_each(|place| assert!(place.is_exact(), "{} as it is", kind.name())));
    most.get()
}

/// An operation's own cases; of the GRU those over seven steps.
fn own(kind: Kind) -> Vec<Place> {
    let cases = proofs::operations(kind).into_iter().filter(|case| kind != Kind::Gru || case.name.starts_with("T=7"));
    cases.map(|case| Place { f: case.f, inputs: case.inputs }).collect()
}

/// The inputs of an operation. The parts of a concatenation are all treated alike: two stand for all.
fn inputs(kind: Kind, own: &[Place]) -> Range<usize> {
    0..arity(own, kind).min(if kind == Kind::Concat { 2 } else { usize::MAX })
}

/// All limits.
pub(crate) fn limits() -> Vec<Limit> {
    let shared = [[composed_gru()], [a2c_loss()]];
    let mut limits = Vec::new();
    for &kind in Kind::ALL.iter().filter(|&&kind| kind != Kind::Detach) {
        let own = own(kind);
        let occurs = shared.each_ref().map(|places| arity(places, kind));
        for k in inputs(kind, &own) {
            let rule = |factor| times(k, factor);
            let there = |at: usize| (k < occurs[at]).then(|| limit(&shared[at], kind, rule));
            let own = Some(limit(&own, kind, rule));
            let seen = [own, if kind == Kind::Gru { own } else { there(0) }, there(1)];
            limits.push(Limit { rule: format!("{}, input {k}", kind.name()), seen });
        }
    }
    let fused = own(Kind::Gru);
    for (k, line) in LINES.iter().enumerate() {
        let seen = Some(limit(&fused, Kind::Gru, |factor| gru::rule(gru::Slip::Line(k + 1, factor))));
        limits.push(Limit { rule: format!("gru, (B{}) {line}", k + 1), seen: [seen, seen, None] });
    }
    limits
}

/// What the standard asks for at least.
#[test]
fn an_error_of_1e_10_in_any_rule_is_seen() {
    for &kind in Kind::ALL.iter().filter(|&&kind| kind != Kind::Detach) {
        let own = own(kind);
        for k in inputs(kind, &own) {
            assert!(sees(&own, kind, |factor| times(k, factor), 1e-10), "{}, input {k}", kind.name());
        }
    }
}
