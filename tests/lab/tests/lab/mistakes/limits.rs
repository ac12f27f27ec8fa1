//! Detection limits: the smallest d for which a factor 1 + d in a rule is seen by duals (L1).
//!
//! There is a limit for every input of every operation, by an operation around it that scales one gradient, and for every line of the
//! fused GRU's derivation. Each is measured in the operation's own cases, in a GRU over seven steps that is composed of operations, and
//! in the A2C loss of such a GRU.

use std::fmt;

use autograd::gradcheck::{Overloaded, duals};
use autograd::ops::Kind;
use autograd::{Backward, CustomOp, Forward, Function, Recorded, Tape, Var, function};
use gradus_tests::composed;
use proofs::limit::OnNumbers;
use proofs::{Case, Draw, Of, operations};
use rl::a2c::{Terms, Update};
use rl::policy::Decisions;
use rl::returns::Judged;
use rl::trajectories::Trajectories;
use tensor::{Real, Tensor};

use super::gru::{LINES, with_factor};

/// An operation of the tape, with the gradient of one input times a factor.
struct Scaled {
    op: Recorded<f64>,
    input: usize,
    factor: f64,
}

impl CustomOp<f64> for Scaled {
    fn name(&self) -> &str {
        "scaled"
    }

    fn forward(&self, f: &mut Forward<'_, f64>) {
        self.op.forward(f);
    }

    fn backward(&self, b: &mut Backward<'_, f64>) {
        for (k, dx) in self.op.gradients(b).iter().enumerate() {
            let (kernels, factor) = (b.kernels(), if k == self.input { self.factor } else { 1.0 });
            b.grad(k).into_iter().for_each(|to| kernels.sum_to(factor, dx.view(), to));
        }
    }
}

/// True if duals see a factor 1 + d on the gradient that an operation sends to an input, in any of these cases.
fn sees(cases: &[Case], kind: Kind, input: usize, d: f64) -> bool {
    let off = |case: &Case| -> bool {
        let around = |op| Scaled { op, input, factor: 1.0 + d };
        let f = OnNumbers::new(&*case.f, |tape, x| tape.wrap(kind, around, || case.f.on_numbers(tape, x)));
        !duals(&f, &case.inputs).is_ok()
    };
    cases.iter().any(off)
}

/// The smallest power of two that is seen; `None` if 1 is not seen either.
fn limit(sees: impl Fn(f64) -> bool) -> Option<f64> {
    let tried: Vec<f64> = (-48..=-34).map(|exponent| 2.0_f64.powi(exponent)).collect();
    let first = tried.partition_point(|&d| !sees(d));
    tried.get(first).copied().or_else(|| sees(1.0).then_some(f64::INFINITY))
}

/// T, B and H.
const SIZES: [usize; 3] = [7, 3, 4];

fn case(f: impl Overloaded + Send + Sync + 'static, inputs: Vec<Tensor<f64>>) -> Case {
    Case::new(Of::Layer("shared"), "", inputs, f)
}

fn composed_gru() -> Case {
    let [steps, batch, hidden] = SIZES;
    let mut d = Draw::new(21);
    let w = &d.normal([3 * hidden, hidden]) * &Tensor::scalar(0.6);
    let inputs = vec![d.normal([steps, batch, 3 * hidden]), d.normal([batch, hidden]), w, d.normal([3 * hidden])];
    case(function!(|x| Var::stack(&composed::gru(x[0], x[1], x[2], x[3]))), inputs)
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

fn a2c_loss() -> Case {
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
    case(Loss { played, judged }, inputs)
}

/// A rule, and the smallest factors that are seen.
pub(crate) struct Limit {
    /// The operation, and which of its inputs, or which line of the GRU's derivation.
    rule: String,
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

/// Every rule: an operation, its own cases, and an input. The GRU has its cases over seven steps, a concatenation two inputs, since
/// its parts are all treated alike.
fn rules() -> Vec<(Kind, Vec<Case>, usize)> {
    let mut rules = Vec::new();
    for &kind in Kind::ALL.iter().filter(|&&kind| kind != Kind::Detach) {
        let is_own = |case: &Case| kind != Kind::Gru || case.name.starts_with("T=7");
        let own: Vec<Case> = operations(kind).into_iter().filter(is_own).collect();
        let most = if kind == Kind::Concat { 2 } else { 4 };
        rules.extend((0..most).filter(|&k| sees(&own, kind, k, 1.0)).map(|k| (kind, own.clone(), k)));
    }
    rules
}

/// All limits.
pub(crate) fn limits() -> Vec<Limit> {
    let shared = [[composed_gru()], [a2c_loss()]];
    let of_input = |(kind, own, k): (Kind, Vec<Case>, usize)| {
        let [own, gru, loss] = [&own[..], &shared[0], &shared[1]].map(|cases| limit(|d| sees(cases, kind, k, d)));
        let gru = if kind == Kind::Gru { own } else { gru };
        Limit { rule: format!("{}, input {k}", kind.name()), seen: [own, gru, loss] }
    };
    let of_line = |(line, words): (usize, &&str)| {
        let is_wrong = |case: &Case| !duals(&*case.f, &case.inputs).is_ok();
        let seen = limit(|d| with_factor(line, 1.0 + d).iter().any(is_wrong));
        Limit { rule: format!("gru, (B{line}) {words}"), seen: [seen, seen, None] }
    };
    rules().into_iter().map(of_input).chain((1..).zip(&LINES).map(of_line)).collect()
}

/// The standard asks for a factor of 1 + 1e-10 at least; −1 is a flipped sign.
#[test]
fn a_small_error_and_a_flipped_sign_in_any_rule_are_seen() {
    for (kind, own, k) in rules() {
        assert!(!sees(&own, kind, k, 0.0), "{} as it is", kind.name());
        for d in [1e-10, -2.0] {
            assert!(sees(&own, kind, k, d), "{}, input {k}, times {}", kind.name(), 1.0 + d);
        }
    }
    for line in 1..=LINES.len() {
        let is_seen = |factor| with_factor(line, factor).iter().any(|case| !duals(&*case.f, &case.inputs).is_ok());
        assert!(!is_seen(1.0) && is_seen(-1.0), "(B{line})");
    }
}
