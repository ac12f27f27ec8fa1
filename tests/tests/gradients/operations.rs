//! One table over all operations: broadcasting, views, repeated operands, and extents that are pairwise distinct where a
//! row does not ask for others.

use std::collections::BTreeSet;

use autograd::gradcheck::{Function, Report, central_differences, duals};
use autograd::ops::Kind;
use autograd::{Tape, Var, function};
use gradus_tests::Draw;
use tensor::{Real, Tensor};

/// A [`Function`] behind a pointer.
trait Checked {
    fn duals(&self, inputs: &[Tensor<f64>]) -> Report;
    fn duals_on_top(&self, inputs: &[Tensor<f64>]) -> Report;
    fn central_differences(&self, inputs: &[Tensor<f64>]) -> Report;
    fn tape(&self, inputs: &[Tensor<f64>]) -> String;
}

impl<F: Function> Checked for F {
    fn duals(&self, inputs: &[Tensor<f64>]) -> Report {
        duals(self, inputs)
    }
    fn duals_on_top(&self, inputs: &[Tensor<f64>]) -> Report {
        duals(&OnTop(self), inputs)
    }
    fn central_differences(&self, inputs: &[Tensor<f64>]) -> Report {
        central_differences(|tape, x| self.call(tape, x), inputs)
    }
    fn tape(&self, inputs: &[Tensor<f64>]) -> String {
        let tape = Tape::new();
        let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
        self.call(&tape, &x);
        tape.to_string()
    }
}

/// The same inputs used again further on, so that the gradients they have when the function's turn comes are not zero.
struct OnTop<'a, F>(&'a F);

impl<F: Function> Function for OnTop<'_, F> {
    fn call<'t, T: Real>(&self, tape: &'t Tape<T>, x: &[Var<'t, T>]) -> Var<'t, T> {
        let y = self.0.call(tape, x).square().sum();
        x.iter().fold(y, |y, x| y + x.scale(T::of(1.5)).sum())
    }
}

struct Row {
    what: &'static str,
    inputs: Vec<Tensor<f64>>,
    f: Box<dyn Checked>,
}

macro_rules! rows {
    ($($what:literal, [$($input:expr),*]: |$x:pat_param| $body:expr;)*) => {
        vec![$(Row {
            what: $what,
            inputs: vec![$($input),*],
            f: Box::new(function!(|$x| $body)),
        }),*]
    };
}

/// The four operations of two arguments, whose table is the same but for a divisor that stays away from 0.
fn binary(d: &mut Draw) -> Vec<Row> {
    rows! {
        "add", [d.normal([4, 5]), d.normal([4, 5])]: |x| x[0] + x[1];
        "add a row", [d.normal([4, 5]), d.normal([5])]: |x| x[0] + x[1];
        "add to a column", [d.normal([4, 1]), d.normal([3, 4, 5])]: |x| x[0] + x[1];
        "add, outer", [d.normal([3, 1, 5]), d.normal([4, 1])]: |x| x[0] + x[1];
        "add a scalar", [d.normal([]), d.normal([2, 3, 4, 5])]: |x| x[0] + x[1];
        "add, f(x, x)", [d.normal([3, 2])]: |x| x[0] + x[0];
        "add, f(x, xᵀ)", [d.normal([3, 3])]: |x| x[0] + x[0].transpose();
        "sub", [d.normal([4, 5]), d.normal([4, 5])]: |x| x[0] - x[1];
        "sub a column", [d.normal([4, 5]), d.normal([4, 1])]: |x| x[0] - x[1];
        "sub from a row", [d.normal([5]), d.normal([3, 4, 5])]: |x| x[0] - x[1];
        "sub, outer", [d.normal([1, 5]), d.normal([4, 1])]: |x| x[0] - x[1];
        "sub, f(x, xᵀ)", [d.normal([3, 3])]: |x| x[0] - x[0].transpose();
        "mul", [d.normal([4, 5]), d.normal([4, 5])]: |x| x[0] * x[1];
        "mul by a row", [d.normal([4, 5]), d.normal([5])]: |x| x[0] * x[1];
        "mul, outer", [d.normal([3, 1, 5]), d.normal([4, 1])]: |x| x[0] * x[1];
        "mul by a scalar", [d.normal([2, 3]), d.normal([])]: |x| x[0] * x[1];
        "mul, f(x, x)", [d.normal([3, 2])]: |x| x[0] * x[0];
        "mul views", [d.normal([5, 4]), d.normal([4, 7])]: |x| x[0].transpose() * x[1].slice(1, 1..6);
        "div", [d.normal([4, 5]), d.nonzero([4, 5])]: |x| x[0] / x[1];
        "div by a row", [d.normal([4, 5]), d.nonzero([5])]: |x| x[0] / x[1];
        "div of a column", [d.normal([4, 1]), d.nonzero([3, 4, 5])]: |x| x[0] / x[1];
        "div, outer", [d.normal([1, 5]), d.nonzero([4, 1])]: |x| x[0] / x[1];
        "div, f(x, xᵀ)", [d.nonzero([3, 3])]: |x| x[0] / x[0].transpose();
        "div views", [d.normal([5, 4]), d.nonzero([4, 7])]: |x| x[0].transpose() / x[1].slice(1, 1..6);
    }
}

fn elementwise(d: &mut Draw) -> Vec<Row> {
    rows! {
        "neg", [d.normal([2, 3])]: |x| -x[0];
        "scale", [d.normal([2, 3])]: |x| x[0].scale(T::of(-1.5));
        "shift", [d.normal([2, 3])]: |x| x[0].shift(T::of(-1.5));
        "exp", [d.normal([2, 3])]: |x| x[0].exp();
        "exp of a view", [d.normal([2, 3, 5])]: |x| x[0].permute(&[2, 0, 1]).slice(0, 1..4).exp();
        "log", [d.positive([2, 3])]: |x| x[0].log();
        "log of a view", [d.positive([5, 3])]: |x| x[0].transpose().slice(1, 1..4).log();
        "sqrt", [d.positive([2, 3])]: |x| x[0].sqrt();
        "sqrt of a view", [d.positive([5, 3])]: |x| x[0].transpose().slice(1, 1..4).sqrt();
        "square", [d.normal([2, 3])]: |x| x[0].square();
        "tanh", [d.normal([2, 3])]: |x| x[0].tanh();
        "tanh of a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).tanh();
        "sigmoid", [d.normal([2, 3])]: |x| x[0].sigmoid();
        "sigmoid of a number", [d.normal([])]: |x| x[0].sigmoid();
        "relu", [d.nonzero([4, 5])]: |x| x[0].relu();
        "relu of a view", [d.nonzero([5, 4])]: |x| x[0].transpose().slice(1, 1..4).relu();
        "hook", [d.normal([2, 3])]: |x| x[0].hook(|_| {}) * x[0];
        "detach", [d.normal([2, 3])]: |x| x[0] + x[0].detach().scale(T::zero());
    }
}

fn products(d: &mut Draw) -> Vec<Row> {
    rows! {
        "matmul nn", [d.normal([2, 3]), d.normal([3, 5])]: |x| x[0].matmul(x[1]);
        "matmul nt", [d.normal([2, 3]), d.normal([5, 3])]: |x| x[0].matmul_nt(x[1]);
        "matmul tn", [d.normal([3, 2]), d.normal([3, 5])]: |x| x[0].matmul_tn(x[1]);
        "matmul nn, one row", [d.normal([1, 7]), d.normal([7, 2])]: |x| x[0].matmul(x[1]);
        "matmul nt, one column", [d.normal([4, 3]), d.normal([1, 3])]: |x| x[0].matmul_nt(x[1]);
        "matmul tn, an outer product", [d.normal([1, 4]), d.normal([1, 3])]: |x| x[0].matmul_tn(x[1]);
        "matmul nn over blocks", [d.normal([17, 9]), d.normal([9, 33])]: |x| x[0].matmul(x[1]);
        "matmul nn of views", [d.normal([3, 4]), d.normal([5, 7])]:
            |x| x[0].transpose().slice(1, 0..2).matmul(x[1].slice(0, 2..4));
        "matmul nt of views", [d.normal([3, 4]), d.normal([3, 7])]: |x| x[0].transpose().matmul_nt(x[1].transpose());
        "matmul tn of views", [d.normal([4, 3]), d.normal([7, 3])]: |x| x[0].transpose().matmul_tn(x[1].transpose());
        "matmul nn, f(x, x)", [d.normal([3, 3])]: |x| x[0].matmul(x[0]);
        "matmul nt, f(x, x)", [d.normal([2, 3])]: |x| x[0].matmul_nt(x[0]);
        "matmul tn, f(x, x)", [d.normal([2, 3])]: |x| x[0].matmul_tn(x[0]);
        "matmul nn, f(x, xᵀ)", [d.normal([2, 3])]: |x| x[0].matmul(x[0].transpose());
    }
}

fn shapes(d: &mut Draw) -> Vec<Row> {
    rows! {
        "sum", [d.normal([2, 3, 4])]: |x| x[0].sum();
        "sum of a view", [d.normal([3, 5])]: |x| x[0].transpose().slice(0, 1..3).sum();
        "mean", [d.normal([2, 3, 4])]: |x| x[0].mean();
        "sum_axis 0", [d.normal([2, 3, 4])]: |x| x[0].sum_axis(0);
        "sum_axis 1", [d.normal([2, 3, 4])]: |x| x[0].sum_axis(1);
        "sum_axis 2", [d.normal([2, 3, 4])]: |x| x[0].sum_axis(2);
        "sum_axis of a view", [d.normal([2, 3, 4])]: |x| x[0].permute(&[1, 2, 0]).sum_axis(1);
        "mean_axis", [d.normal([2, 3, 4])]: |x| x[0].mean_axis(1);
        "reshape", [d.normal([2, 3, 4])]: |x| x[0].reshape([6, 4]).square();
        "reshape of a view", [d.normal([2, 3, 4])]: |x| x[0].permute(&[2, 0, 1]).reshape([8, 3]).square();
        "permute", [d.normal([2, 3, 4, 5])]: |x| x[0].permute(&[2, 0, 3, 1]).square();
        "permute twice", [d.normal([2, 3, 4])]: |x| x[0].permute(&[1, 2, 0]).permute(&[1, 2, 0]).square();
        "broadcast_to", [d.normal([3, 1])]: |x| x[0].broadcast_to([2, 3, 4]).square();
        "broadcast_to of a number", [d.normal([])]: |x| x[0].broadcast_to([2, 3]).square();
        "slice", [d.normal([2, 5, 3])]: |x| x[0].slice(1, 1..4).square();
        "slice of a slice", [d.normal([2, 7, 3])]: |x| x[0].slice(1, 1..6).slice(1, 2..4).slice(2, 1..3).square();
        "slices that overlap", [d.normal([7])]: |x| x[0].slice(0, 0..5) * x[0].slice(0, 2..7);
        "select", [d.normal([2, 5, 3])]: |x| x[0].select(1, 4).square();
        "concat along 0", [d.normal([2, 3]), d.normal([5, 3])]: |x| Var::concat(&[x[0], x[1]], 0).square();
        "concat along 1", [d.normal([2, 3, 4]), d.normal([2, 5, 4])]: |x| Var::concat(&[x[0], x[1]], 1).square();
        "concat, f(x, y, x)", [d.normal([2, 3]), d.normal([2, 1])]: |x| Var::concat(&[x[0], x[1], x[0]], 1).square();
        "concat of views", [d.normal([3, 2]), d.normal([2, 7])]:
            |x| Var::concat(&[x[0].transpose(), x[1].slice(1, 2..4)], 1).square();
        "stack", [d.normal([2, 3]), d.normal([2, 3])]: |x| Var::stack(&[x[0], x[1], x[0]]).square();
    }
}

fn rowwise(d: &mut Draw) -> Vec<Row> {
    rows! {
        "softmax", [d.normal([4, 5])]: |x| x[0].softmax();
        "softmax of a view", [d.normal([5, 2, 3])]: |x| x[0].permute(&[1, 2, 0]).slice(2, 1..5).softmax();
        "softmax of one column", [d.normal([3, 1])]: |x| x[0].softmax() + x[0];
        "log_softmax", [d.normal([4, 5])]: |x| x[0].log_softmax();
        "log_softmax of a view", [d.normal([5, 2, 3])]: |x| x[0].permute(&[1, 2, 0]).slice(2, 1..5).log_softmax();
        "logsumexp", [d.normal([4, 5])]: |x| x[0].logsumexp();
        "logsumexp of a view", [d.normal([5, 2, 3])]: |x| x[0].permute(&[1, 2, 0]).slice(2, 1..5).logsumexp();
        "entropy", [d.normal([4, 5])]: |x| -(x[0].softmax() * x[0].log_softmax()).sum_axis(1);
        "embedding, repeats", [d.normal([3, 2])]: |x| x[0].embedding(&Tensor::from([2, 0, 2, 2])).square();
        "embedding, a matrix of rows", [d.normal([5, 2])]: |x| x[0].embedding(&Tensor::from([[4, 0, 3], [1, 4, 2]])).square();
        "embedding, a view", [d.normal([2, 8])]: |x| x[0].transpose().embedding(&Tensor::from([6])).square();
        "gather", [d.normal([4, 5])]: |x| x[0].gather(&Tensor::from([[1, 4, 0], [2, 2, 3], [0, 1, 2], [4, 3, 1]])).square();
        "gather, repeats", [d.normal([2, 3])]: |x| x[0].gather(&Tensor::from([[2, 2], [0, 1]])).square();
        "gather of a vector", [d.normal([7])]: |x| x[0].gather(&Tensor::from([6])).square();
        "gather of a view", [d.normal([5, 4])]: |x| x[0].transpose().gather(&Tensor::from([[1, 4, 0], [2, 2, 3], [0, 1, 2], [4, 3, 1]])).square();
        "layer_norm", [d.normal([4, 5]), d.normal([5]), d.normal([5])]: |x| x[0].layer_norm(x[1], x[2], T::of(1e-5));
        "layer_norm, three axes", [d.normal([2, 3, 7]), d.normal([7]), d.normal([7])]:
            |x| x[0].layer_norm(x[1], x[2], T::of(1e-5));
        "layer_norm of a vector", [d.normal([5]), d.normal([5]), d.normal([5])]:
            |x| x[0].layer_norm(x[1], x[2], T::of(1e-2));
        "layer_norm of a view", [d.normal([7, 4]), d.normal([5]), d.normal([2, 5])]:
            |x| x[0].transpose().slice(1, 1..6).layer_norm(x[1], x[2].select(0, 1), T::of(1e-5));
        "layer_norm, w = b", [d.normal([4, 5]), d.normal([5])]: |x| x[0].layer_norm(x[1], x[1], T::of(1e-5));
    }
}

/// T = 1, 2, 7, 50; a batch of 3 and an H that is no multiple of 4; T, B, H and 3H distinct but for B = H = T = 1.
fn gru(d: &mut Draw) -> Vec<Row> {
    let scaled = |x: Tensor<f64>| &x * &Tensor::scalar(0.6);
    let mut inputs = |t: usize, b: usize, h: usize| {
        let (gx, h0) = (d.normal([t, b, 3 * h]), d.normal([b, h]));
        vec![gx, h0, scaled(d.normal([3 * h, h])), d.normal([3 * h])]
    };
    let sizes = [(1, 1, 1), (1, 3, 5), (2, 4, 3), (7, 3, 4), (7, 2, 5), (50, 2, 3)];
    let mut rows: Vec<Row> = sizes
        .into_iter()
        .map(|(t, b, h)| Row {
            what: "gru",
            inputs: inputs(t, b, h),
            f: Box::new(function!(|x| x[0].gru(x[1], x[2], x[3]))),
        })
        .collect();
    rows.extend(rows! {
        "gru of views", [d.normal([2, 4, 9]), d.normal([3, 2]), d.normal([3, 9]), d.normal([2, 9])]:
            |x| x[0].permute(&[1, 0, 2]).gru(x[1].transpose(), x[2].transpose(), x[3].select(0, 1));
        "gru, the last state alone", [d.normal([4, 2, 9]), d.normal([2, 3]), d.normal([9, 3]), d.normal([9])]:
            |x| x[0].gru(x[1], x[2], x[3]).select(0, 3);
        "gru, one input in two places", [d.normal([1, 4, 9]), d.normal([4, 3]), d.normal([9, 3]), d.normal([2, 9])]:
            |x| x[0].gru(x[1], x[2], x[3].select(0, 0)) + x[3].sum_axis(0).slice(0, 0..3) * x[1];
        "gru twice", [d.normal([4, 2, 9]), d.normal([2, 3]), d.normal([9, 3]), d.normal([9])]: |x| {
            let first = x[0].gru(x[1], x[2], x[3]).select(0, 3);
            x[0].gru(first, x[2], x[3])
        };
    });
    rows
}

fn table() -> Vec<Row> {
    let mut d = Draw::new(1);
    [binary, elementwise, products, shapes, rowwise, gru].into_iter().flat_map(|part| part(&mut d)).collect()
}

#[track_caller]
fn assert_all(check: impl Fn(&Row) -> Report) {
    let failed: Vec<String> = table()
        .iter()
        .map(|row| (row, check(row)))
        .filter(|(_, report)| !report.is_ok())
        .map(|(row, report)| {
            format!("{} of {:?}: {report}", row.what, row.inputs.iter().map(Tensor::shape).collect::<Vec<_>>())
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_gradient_is_exact() {
    assert_all(|row| row.f.duals(&row.inputs));
}

#[test]
fn every_gradient_is_added_to_what_is_there() {
    assert_all(|row| row.f.duals_on_top(&row.inputs));
}

#[test]
fn every_gradient_is_the_slope() {
    assert_all(|row| row.f.central_differences(&row.inputs));
}

/// The operations that occur on a printed tape: what stands between `=` and the inputs.
fn names(tape: &str) -> BTreeSet<String> {
    let name = |line: &str| Some(line.split_once(" = ")?.1.split_once('(')?.0.to_owned());
    tape.lines().filter_map(name).collect()
}

#[test]
fn no_operation_is_forgotten() {
    let seen: BTreeSet<String> = table().iter().flat_map(|row| names(&row.f.tape(&row.inputs))).collect();
    let all: BTreeSet<String> = Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
    assert_eq!(seen, all);
}
