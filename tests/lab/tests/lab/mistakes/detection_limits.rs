//! Detection limits: the smallest d for which duals (L1) detect a factor 1 + d in a rule.
//!
//! Every input of every operation and every line of the fused GRU's derivation has a limit. A wrapper that scales one gradient
//! measures it for an input. Each limit is measured in the operation's own cases, in a GRU over seven steps that is composed of
//! operations, and in the A2C loss of such a GRU.

use std::fmt;

use autograd::gradcheck::{DynFunction, duals};
use autograd::ops::Kind;
use autograd::{Backward, CustomOp, Forward, Function, RecordedOp, Tape, Var, function};
use gradus_tests::composed;
use proofs::limit::OverrideF64;
use proofs::{Case, RandomTensors, Target, operation_cases};
use rl::a2c::{LossTerms, Update};
use rl::distribution::Distribution;
use rl::env::Actions;
use rl::model::Decisions;
use rl::returns::Advantages;
use rl::trajectories::Trajectories;
use tensor::{Real, Tensor};

use super::gru::{LINES, with_factor};

/// A wrapper of an operation that multiplies the gradient of one input by a factor.
struct Scaled {
    op: RecordedOp<f64>,
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

/// Returns true if duals detect a factor 1 + d on the gradient of an operation's input, in any of these cases.
fn is_detected(cases: &[Case], kind: Kind, input: usize, d: f64) -> bool {
    let off = |case: &Case| -> bool {
        let around = |op| Scaled { op, input, factor: 1.0 + d };
        let f = OverrideF64::new(&*case.f, |tape, x| tape.wrap(kind, around, || case.f.call_f64(tape, x)));
        !duals(&f, &case.inputs).is_ok()
    };
    cases.iter().any(off)
}

/// Returns the smallest power of two that is detected, infinity if only d = 1 is detected, or `None` if no d is.
fn find_limit(is_detected: impl Fn(f64) -> bool) -> Option<f64> {
    let tried: Vec<f64> = (-48..=-34).map(|exponent| 2.0_f64.powi(exponent)).collect();
    let first = tried.partition_point(|&d| !is_detected(d));
    tried.get(first).copied().or_else(|| is_detected(1.0).then_some(f64::INFINITY))
}

/// T, B and H.
const SIZES: [usize; 3] = [7, 3, 4];

fn case(f: impl DynFunction + Send + Sync + 'static, inputs: Vec<Tensor<f64>>) -> Case {
    Case::new(Target::Layer("shared"), "", inputs, f)
}

fn composed_gru() -> Case {
    let [steps, batch, hidden_size] = SIZES;
    let mut d = RandomTensors::new(21);
    let w_hh = &d.normal([3 * hidden_size, hidden_size]) * &Tensor::scalar(0.6);
    let inputs = vec![
        d.normal([steps, batch, 3 * hidden_size]),
        d.normal([batch, hidden_size]),
        w_hh,
        d.normal([3 * hidden_size]),
    ];
    case(function!(|x| Var::stack(&composed::gru(x[0], x[1], x[2], x[3]))), inputs)
}

/// The A2C loss of an embedding, a composed GRU and two heads.
struct Loss {
    /// The token before each decision, \[T,B\].
    tokens: Tensor<u32>,
    trajectories: Trajectories,
    advantages: Advantages,
}

const ACTIONS: usize = 5;

impl Function for Loss {
    fn call<'t, T: Real>(&self, _: &'t Tape<T>, x: &[Var<'t, T>]) -> Var<'t, T> {
        let &[table, w_ih, b_ih, start, w_hh, b_hh, pi, v] = x else { panic!("eight parameters") };
        let [steps, batch, hidden_size] = SIZES;
        let rows = |x: Var<'t, T>| x.reshape([steps * batch, x.shape().last_extent()]);
        let gx = rows(table.embedding(&self.tokens)).matmul_nt(w_ih) + b_ih;
        let h0 = start.tanh().broadcast_to([batch, hidden_size]);
        let states = rows(Var::stack(&composed::gru(gx.reshape([steps, batch, 3 * hidden_size]), h0, w_hh, b_hh)));
        let values = states.matmul_nt(v).reshape([steps * batch]);
        let decisions = Decisions { actions: Distribution::categorical(states.matmul_nt(pi), &[]), values };
        let update = Update { entropy: 1.0, ..Update::default() };
        LossTerms::compute(decisions, &self.trajectories, &self.advantages).loss(
            &update,
            batch,
            self.trajectories.valid_step_count(),
        )
    }
}

fn a2c_loss() -> Case {
    let [steps, batch, hidden_size] = SIZES;
    let (mut d, size) = (RandomTensors::new(22), steps * batch);
    let numbers = |n: usize| (0..size).map(|k| (5 * k % n) as u32).collect();
    let trajectories = Trajectories {
        episodes: batch,
        steps,
        actions: Actions::Discrete(numbers(ACTIONS)),
        valid: (0..size).map(|k| k / batch < [7, 7, 5][k % batch]).collect(),
        ..Trajectories::default()
    };
    let mut counted =
        || d.normal([size]).to_vec().into_iter().zip(&trajectories.valid).map(|(x, &v)| x * f64::from(v)).collect();
    let advantages = Advantages { advantages: counted(), targets: counted() };
    let wide = 3 * hidden_size;
    let shapes: [&[usize]; 8] = [
        &[6, 3],
        &[wide, 3],
        &[wide],
        &[1, hidden_size],
        &[wide, hidden_size],
        &[wide],
        &[ACTIONS, hidden_size],
        &[1, hidden_size],
    ];
    let inputs = shapes.map(|shape| &d.normal(shape) * &Tensor::scalar(0.6)).to_vec();
    case(Loss { tokens: Tensor::new([steps, batch], numbers(6)), trajectories, advantages }, inputs)
}

/// A rule and its detection limits.
pub(crate) struct Limit {
    /// The operation with its input, or the line of the GRU's derivation.
    rule: String,
    /// The limits in the rule's own cases, in the GRU and in the loss. `None` if the rule does not occur there.
    pub(crate) detected: [Option<f64>; 3],
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} |", self.rule)?;
        self.detected.iter().try_for_each(|detected| match detected {
            Some(d) => write!(f, " {d:.1e} |"),
            None => write!(f, " |"),
        })
    }
}

/// Returns every rule: an operation, its own cases and an input. The GRU has its seven-step cases only. A concatenation has two
/// inputs, since it treats all its inputs in the same way.
fn rules() -> Vec<(Kind, Vec<Case>, usize)> {
    let mut rules = Vec::new();
    for &kind in Kind::ALL.iter().filter(|&&kind| kind != Kind::Detach) {
        let is_own = |case: &Case| kind != Kind::Gru || case.name.starts_with("T=7");
        let own: Vec<Case> = operation_cases(kind).into_iter().filter(is_own).collect();
        let most = if kind == Kind::Concat { 2 } else { 4 };
        rules.extend((0..most).filter(|&k| is_detected(&own, kind, k, 1.0)).map(|k| (kind, own.clone(), k)));
    }
    rules
}

/// Measures all limits.
pub(crate) fn limits() -> Vec<Limit> {
    let shared = [[composed_gru()], [a2c_loss()]];
    let of_input = |(kind, own, k): (Kind, Vec<Case>, usize)| {
        let [own, gru, loss] =
            [&own[..], &shared[0], &shared[1]].map(|cases| find_limit(|d| is_detected(cases, kind, k, d)));
        let gru = if kind == Kind::Gru { own } else { gru };
        Limit { rule: format!("{}, input {k}", kind.name()), detected: [own, gru, loss] }
    };
    let of_line = |(line, words): (usize, &&str)| {
        let is_wrong = |case: &Case| !duals(&*case.f, &case.inputs).is_ok();
        let detected = find_limit(|d| with_factor(line, 1.0 + d).iter().any(is_wrong));
        Limit { rule: format!("gru, (B{line}) {words}"), detected: [detected, detected, None] }
    };
    rules().into_iter().map(of_input).chain((1..).zip(&LINES).map(of_line)).collect()
}

/// The factors 1 + 1e-10 and −1 (a flipped sign) must be detected.
#[test]
fn duals_small_error_or_flipped_sign_in_any_rule_is_detected() {
    for (kind, own, k) in rules() {
        assert!(!is_detected(&own, kind, k, 0.0), "{} without a factor", kind.name());
        for d in [1e-10, -2.0] {
            assert!(is_detected(&own, kind, k, d), "{}, input {k}, times {}", kind.name(), 1.0 + d);
        }
    }
    for line in 1..=LINES.len() {
        let is_detected = |factor| with_factor(line, factor).iter().any(|case| !duals(&*case.f, &case.inputs).is_ok());
        assert!(!is_detected(1.0) && is_detected(-1.0), "(B{line})");
    }
}
