//! Tests of values and gradients of single operations and of the GRU against PyTorch, file by file.

use std::collections::BTreeSet;

use autograd::{Tape, Var};
use gradus_tests::composed;
use gradus_tests::golden::{self, Case, assert_close};
use tensor::Tensor;

const ONE_OPERATION: f64 = 1e-13;
const THROUGH_TIME: f64 = 1e-13;

/// A function that computes a file's case with the engine and compares.
type Rule = fn(&Case);

/// Every file of an operation or of the GRU, with its check.
const RULES: &[(&str, Rule)] = &[
    ("op_add_broadcast", |case| check(case, ["a", "b"], |[a, b]| a + b)),
    ("op_mul_broadcast", |case| check(case, ["a", "b"], |[a, b]| a * b)),
    ("op_sub_div", |case| check(case, ["a", "b", "c"], |[a, b, c]| (a - b) / c)),
    ("op_matmul", |case| check(case, ["a", "b"], |[a, b]| a.matmul(b))),
    ("op_linear", |case| check(case, ["x", "w", "b"], |[x, w, b]| x.matmul_nt(w) + b)),
    ("op_sigmoid", |case| check(case, ["x"], |[x]| x.sigmoid())),
    ("op_tanh", |case| check(case, ["x"], |[x]| x.tanh())),
    ("op_exp_log", |case| check(case, ["x"], |[x]| x.exp().shift(1e-9).log())),
    ("op_relu", |case| check(case, ["x"], |[x]| x.relu())),
    ("op_softmax", |case| check(case, ["x"], |[x]| x.softmax())),
    ("op_log_softmax", |case| check(case, ["x"], |[x]| x.log_softmax())),
    ("op_logsumexp", |case| check(case, ["x"], |[x]| x.logsumexp())),
    ("op_entropy", |case| check(case, ["x"], |[x]| x.log_softmax().entropy())),
    ("op_embedding", |case| check(case, ["table"], |[table]| table.embedding(&case.read_indices("in.idx")))),
    ("op_gather", |case| check(case, ["x"], |[x]| x.gather(&case.read_indices("in.idx")))),
    ("op_sum_mean", |case| check(case, ["x"], |[x]| x.sum_axis(0) + x.mean_axis(0))),
    ("op_mse", |case| check(case, ["x", "t"], |[x, t]| x.mse(t))),
    ("op_cross_entropy", |case| check(case, ["x"], |[x]| x.cross_entropy(&case.read_indices("in.idx")))),
    ("op_layer_norm", |case| check(case, ["x", "w", "b"], |[x, w, b]| x.layer_norm(w, b, 1e-5))),
    ("op_concat_slice", |case| check(case, ["a", "b"], |[a, b]| Var::concat(&[a, b], 1).slice(1, 1..10))),
    ("gru_cell_b1_i1_h1", gru_cell),
    ("gru_cell_b3_i5_h4", gru_cell),
    ("gru_cell_b4_i8_h8", gru_cell),
    ("gru_cell_b2_i17_h33", gru_cell),
    ("gru_bptt_t1_b2_i3_h4", gru_through_time),
    ("gru_bptt_t2_b4_i3_h5", gru_through_time),
    ("gru_bptt_t7_b3_i6_h8", gru_through_time),
    ("gru_bptt_t50_b2_i4_h10", gru_through_time),
];

#[test]
fn golden_ops_values_and_gradients_match_pytorch() {
    RULES.iter().for_each(|(stem, rule)| rule(&Case::load(stem)));
}

#[test]
fn golden_ops_every_file_has_a_rule() {
    let files: BTreeSet<String> =
        golden::list_stems().into_iter().filter(|stem| stem.starts_with("op_") || stem.starts_with("gru_")).collect();
    let rules: BTreeSet<String> = RULES.iter().map(|(stem, _)| (*stem).to_owned()).collect();
    assert_eq!(rules, files);
}

/// Asserts that shape and values match the tensor `name` of the file.
#[track_caller]
fn assert_matches(case: &Case, name: &str, got: &Tensor<f64>, within: f64) {
    let (shape, want) = case.f64(name);
    assert_eq!(got.shape()[..], shape, "{name} of {}", case.meta("case"));
    assert_close(&format!("{name} of {}", case.meta("case")), &got.to_vec(), &want, within);
}

/// Asserts that `grad.NAME` matches for each name, and that the file holds no other gradient.
#[track_caller]
fn assert_gradients(case: &Case, named: &[(&str, Tensor<f64>)], within: f64) {
    let want: BTreeSet<String> = case.names("grad.").into_iter().collect();
    let got: BTreeSet<String> = named.iter().map(|(name, _)| format!("grad.{name}")).collect();
    assert_eq!(got, want, "the gradients of {}", case.meta("case"));
    named.iter().for_each(|(name, grad)| assert_matches(case, &format!("grad.{name}"), grad, within));
}

/// Checks `out.y` as a function of some `in.*`, and their gradients for the cotangent `up.y`.
#[track_caller]
fn check<const N: usize>(case: &Case, names: [&str; N], f: impl for<'t> Fn([Var<'t, f64>; N]) -> Var<'t, f64>) {
    let tape = Tape::new();
    let x = names.map(|name| tape.input(case.read(&format!("in.{name}"))));
    let y = f(x);
    assert_matches(case, "out.y", &y.value(), ONE_OPERATION);
    y.backward_from(&case.read("up.y")).expect("no parameters");
    let named = core::array::from_fn::<_, N, _>(|k| (names[k], x[k].grad().expect("reached")));
    assert_gradients(case, &named, ONE_OPERATION);
}

/// Checks one GRU step, fused and composed.
fn gru_cell(case: &Case) {
    let names = ["x", "h", "w_ih", "w_hh", "b_ih", "b_hh"];
    check(case, names, |[x, h, w_ih, w_hh, b_ih, b_hh]| composed::gru_step(x.matmul_nt(w_ih) + b_ih, h, w_hh, b_hh));
    check(case, names, |[x, h, w_ih, w_hh, b_ih, b_hh]| {
        let gx = x.matmul_nt(w_ih) + b_ih;
        gx.reshape([1, gx.shape()[0], gx.shape()[1]]).gru(h, w_hh, b_hh).select(0, 0)
    });
}

/// Checks T steps with the loss Σ_t ⟨up.hs\[t\], h_t⟩, composed and fused. In the composed form each h_t is a variable, so its
/// gradient through time is compared as well.
fn gru_through_time(case: &Case) {
    const NAMES: [(&str, &str); 6] =
        [("in", "x"), ("in", "h0"), ("param", "w_ih"), ("param", "w_hh"), ("param", "b_ih"), ("param", "b_hh")];
    let tape = Tape::new();
    let leaves = NAMES.map(|(kind, name)| tape.input(case.read(&format!("{kind}.{name}"))));
    let [x, h0, w_ih, w_hh, b_ih, b_hh] = leaves;
    let [steps, batch, input_size] = x.shape()[..] else { panic!("x must be [T, B, E]") };
    let gx = x.reshape([steps * batch, input_size]).matmul_nt(w_ih) + b_ih;
    let gx = gx.reshape([steps, batch, gx.shape()[1]]);
    let up = tape.constant(case.read("up.hs"));
    let gradients = || NAMES.iter().zip(leaves).map(|((_, name), x)| (*name, x.grad().expect("reached"))).collect();

    let states = composed::gru(gx, h0, w_hh, b_hh);
    let hs = Var::stack(&states);
    (hs * up).sum().backward().expect("no parameters");
    let steps: Vec<Tensor<f64>> = states.iter().map(|h| h.grad().expect("reached")).collect();
    let steps = steps.iter().flat_map(Tensor::to_vec).collect();
    let mut named: Vec<(&str, Tensor<f64>)> = gradients();
    named.push(("h_steps", Tensor::new(hs.shape(), steps)));
    assert_matches(case, "out.hs", &hs.value(), THROUGH_TIME);
    assert_gradients(case, &named, THROUGH_TIME);

    let fused = gx.gru(h0, w_hh, b_hh);
    let loss = (fused * up).sum();
    loss.backward().expect("no parameters");
    assert_matches(case, "out.hs", &fused.value(), THROUGH_TIME);
    assert_matches(case, "out.loss", &loss.value(), THROUGH_TIME);
    let mut fused: Vec<(&str, Tensor<f64>)> = gradients();
    fused.extend(named.pop()); // the states inside the fused node are not variables
    assert_gradients(case, &fused, THROUGH_TIME);
}
