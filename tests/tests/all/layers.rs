//! Tests of the layers: names and shapes against PyTorch, numbers against PyTorch or plain loops.

use autograd::{Tape, Var};
use gradus_tests::golden::{Case, assert_close, load_cases};
use gradus_tests::loops::{affine, gru_step, sigmoid};
use nn::{Activation, BoundParams, Builder, Embedding, Gru, GruCell, Init, LayerNorm, Linear, Mlp, Params, Variant};
use tensor::Tensor;

type V<'t> = Var<'t, f64>;
type W<'t> = BoundParams<'t, f64>;

fn build<L>(layer: impl FnOnce(&mut Builder<'_, f64>) -> L) -> (Params<f64>, L) {
    let mut params = Params::new();
    let layer = layer(&mut Builder::new(&mut params, 3));
    (params, layer)
}

fn wave(phase: f64) -> impl Fn(usize) -> f64 {
    move |i| (phase + 1.3 * i as f64).sin()
}

/// Sets every parameter from the file. `names` pairs each name of `nn` with PyTorch's name.
fn fill(params: &mut Params<f64>, case: &Case, prefix: &str, names: &[(&str, &str)]) {
    assert_eq!(params.handles().len(), names.len());
    for (ours, theirs) in names {
        let param = params.find(ours).unwrap_or_else(|| panic!("no parameter {ours}"));
        params.set(param, &case.read(&format!("{prefix}{theirs}")));
    }
}

/// Asserts equal shapes and close numbers.
#[track_caller]
fn assert_same(what: &str, got: &Tensor<f64>, want: &Tensor<f64>, tol: f64) {
    assert_eq!(got.shape(), want.shape(), "{what}");
    assert_close(what, &got.to_vec(), &want.to_vec(), tol);
}

fn grad(x: V<'_>) -> Tensor<f64> {
    x.grad().expect("reached")
}

fn assert_grads(weights: W<'_>, params: &Params<f64>, case: &Case, names: &[(&str, &str)], tol: f64) {
    for (ours, theirs) in names {
        let param = params.find(ours).expect("filled");
        let want = format!("grad.{theirs}");
        assert_same(&want, &grad(weights.get(param)), &case.read(&want), tol);
    }
}

// Names, shapes, initial values

#[test]
fn layers_names_and_shapes_match_pytorch() {
    let named = |params: &Params<f64>| -> Vec<String> {
        params.handles().map(|p| format!("{} {}", params.name(p), params.shape(p))).collect()
    };
    assert_eq!(named(&build(|b| Embedding::new(b, 7, 4)).0), ["weight [7, 4]"]);
    assert_eq!(named(&build(|b| Linear::new(b, 4, 3)).0), ["weight [3, 4]", "bias [3]"]);
    assert_eq!(named(&build(|b| LayerNorm::new(b, 5)).0), ["weight [5]", "bias [5]"]);
    assert_eq!(
        named(&build(|b| GruCell::new(b, 4, 3)).0),
        ["weight_ih [9, 4]", "weight_hh [9, 3]", "bias_ih [9]", "bias_hh [9]"]
    );
    assert_eq!(
        named(&build(|b| Gru::new(&mut b.scope("gru"), 4, 3)).0),
        ["gru.weight_ih_l0 [9, 4]", "gru.weight_hh_l0 [9, 3]", "gru.bias_ih_l0 [9]", "gru.bias_hh_l0 [9]"]
    );
    assert_eq!(
        named(&build(|b| Mlp::new(&mut b.scope("policy"), &[4, 6, 2], Activation::Tanh)).0),
        ["policy.0.weight [6, 4]", "policy.0.bias [6]", "policy.1.weight [2, 6]", "policy.1.bias [2]"]
    );
}

/// Values lie within ±1/√16 and reach close to both ends. With hundreds of uniform draws, the largest is within 5 % of the
/// bound, except with a probability below 0.95^300.
#[test]
fn layers_initial_values_fill_pytorchs_range() {
    for params in [build(|b| Linear::new(b, 16, 20)).0, build(|b| GruCell::new(b, 9, 16)).0] {
        for part in [params.flat().to_vec(), params.flat().to_vec().iter().map(|x| -x).collect()] {
            let largest = part.into_iter().fold(f64::NEG_INFINITY, f64::max);
            assert!((0.95 * 0.25..=0.25).contains(&largest), "{largest}");
        }
    }
    let norm = build(|b| LayerNorm::new(b, 2)).0;
    assert_eq!(norm.flat().to_vec(), [1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn linear_orthogonal_init_keeps_lengths() {
    let (params, layer) = build(|b| Linear::with_init(b, 6, 6, Init::Orthogonal(2.0_f64.sqrt()), Init::Constant(0.0)));
    let tape = Tape::new();
    let x = Tensor::from_fn([3, 6], wave(0.2));
    let y = layer.forward(params.bind(&tape), tape.constant(x.clone())).value();
    let squares = |x: &Tensor<f64>| (x * x).sum_axis(1).to_vec();
    let want: Vec<f64> = squares(&x).into_iter().map(|length| 2.0 * length).collect();
    assert_close("2‖x‖²", &squares(&y), &want, 1e-14);
}

// Linear, Embedding, LayerNorm, Mlp

/// Compares a layer's value and all gradients with a file, at the file's parameters and input `x`. Without `x` in the file, the
/// layer has no input variable.
fn assert_matches_pytorch<L>(
    file: &str,
    names: &[(&str, &str)],
    layer: impl FnOnce(&mut Builder<'_, f64>, &Case) -> L,
    forward: impl for<'t> Fn(&L, &Case, W<'t>, Option<V<'t>>) -> V<'t>,
) {
    let case = Case::load(file);
    let (mut params, layer) = build(|b| layer(b, &case));
    fill(&mut params, &case, "in.", names);
    let tape = Tape::new();
    let weights = params.bind(&tape);
    let x = case.names("in.").contains(&"in.x".into()).then(|| tape.input(case.read("in.x")));
    let y = forward(&layer, &case, weights, x);
    assert_same("y", &y.value(), &case.read("out.y"), 1e-13);
    y.backward_from(&case.read("up.y")).expect("all reached");
    if let Some(x) = x {
        assert_same("dx", &grad(x), &case.read("grad.x"), 1e-13);
    }
    assert_grads(weights, &params, &case, names, 1e-13);
}

#[test]
fn linear_golden_file_matches_pytorch() {
    assert_matches_pytorch(
        "op_linear",
        &[("weight", "w"), ("bias", "b")],
        |b, case| Linear::new(b, case.read("in.x").shape()[1], case.read("in.b").size()),
        |layer, _, weights, x| layer.forward(weights, x.expect("in the file")),
    );
}

#[test]
fn linear_any_number_of_axes_gives_the_same_rows() {
    let (params, layer) = build(|b| Linear::new(b, 4, 3));
    let tape = Tape::new();
    let weights = params.bind(&tape);
    let x = tape.input(Tensor::from_fn([5, 4], wave(0.4)));
    let rows = layer.forward(weights, x).value();
    for shape in [vec![5, 1, 4], vec![1, 5, 1, 4]] {
        let y = layer.forward(weights, x.reshape(&shape[..]));
        assert_eq!(y.shape()[..], [&shape[..shape.len() - 1], &[3]].concat());
        assert_same("y", &y.value().reshape([5, 3]), &rows, 0.0);
    }
    let one = layer.forward(weights, x.select(0, 2));
    assert_same("one row", &one.value(), &rows.select(0, 2), 1e-15);
}

#[test]
fn embedding_golden_file_matches_pytorch() {
    assert_matches_pytorch(
        "op_embedding",
        &[("weight", "table")],
        |b, case| Embedding::new(b, case.read("in.table").shape()[0], case.read("in.table").shape()[1]),
        |layer, case, weights, _| layer.forward(weights, &case.read_indices("in.idx")),
    );
}

#[test]
fn layer_norm_golden_file_matches_pytorch() {
    assert_matches_pytorch(
        "op_layer_norm",
        &[("weight", "w"), ("bias", "b")],
        |b, case| LayerNorm::new(b, case.read("in.w").size()),
        |layer, _, weights, x| layer.forward(weights, x.expect("in the file")),
    );
}

type Function = fn(f64) -> f64;

#[test]
fn mlp_each_activation_matches_plain_loops() {
    let functions: [(Activation, Function); 3] =
        [(Activation::Tanh, f64::tanh), (Activation::Relu, |x| x.max(0.0)), (Activation::Sigmoid, sigmoid)];
    for (activation, f) in functions {
        let widths = [3, 7, 5, 2];
        let (params, layer) = build(|b| Mlp::new(b, &widths, activation));
        let x = Tensor::from_fn([4, 3], wave(0.6));
        let tape = Tape::new();
        let got = layer.forward(params.bind(&tape), tape.constant(x.clone())).value();
        let mut rows: Vec<Vec<f64>> = x.to_vec().chunks(3).map(<[f64]>::to_vec).collect();
        for k in 0..3 {
            let names = ["weight", "bias"].map(|name| format!("{k}.{name}"));
            let last = if k == 2 { |x| x } else { f };
            let layer = |row: &Vec<f64>| affine(&params, names.each_ref().map(|name| &name[..]), row);
            rows = rows.iter().map(|row| layer(row).into_iter().map(last).collect()).collect();
        }
        assert_same("mlp", &got, &Tensor::new([4, 2], rows.concat()), 1e-14);
    }
}

// The GRU

const STEPS: [usize; 4] = [1, 2, 7, 50];
const B: usize = 3;
const E: usize = 4;
const H: usize = 5;

#[test]
fn gru_cell_both_variants_match_plain_loops() {
    for (variant, steps) in [Variant::ResetAfter, Variant::ResetBefore].into_iter().flat_map(|v| STEPS.map(|t| (v, t)))
    {
        let (params, cell) = build(|b| GruCell::new(b, E, H).with_variant(variant));
        let (x, h0) = (Tensor::from_fn([steps, B, E], wave(0.1)), Tensor::from_fn([B, H], wave(0.2)));
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let gx = cell.project_input(weights, tape.constant(x.clone()));
        let hs = cell.unroll(weights, gx, tape.constant(h0.clone())).value();
        let mut h: Vec<Vec<f64>> = h0.to_vec().chunks(H).map(<[f64]>::to_vec).collect();
        for t in 0..steps {
            let xs = x.select(0, t).to_vec();
            h = xs.chunks(E).zip(&h).map(|(x, h)| gru_step(&params, "", variant, x, h)[2].clone()).collect();
            assert_same(&format!("{variant:?} h[{t}]"), &hs.select(0, t), &Tensor::new([B, H], h.concat()), 1e-13);
        }
    }
}

#[test]
fn gru_cell_variants_differ() {
    let (params, after) = build(|b| GruCell::new(b, E, H));
    let (x, h): (Vec<f64>, Vec<f64>) = ((0..E).map(wave(0.1)).collect(), (0..H).map(wave(0.2)).collect());
    assert_eq!(after.variant, Variant::default());
    let [a, b] = [Variant::ResetAfter, Variant::ResetBefore].map(|v| gru_step(&params, "", v, &x, &h)[2].clone());
    assert!(a.iter().zip(&b).any(|(a, b)| (a - b).abs() > 1e-3), "{a:?} {b:?}");
}

/// A function that computes the states of a cell, fused or composed.
type Unroll = for<'t> fn(&GruCell, W<'t>, V<'t>, V<'t>) -> V<'t>;
const FUSED: Unroll = |cell, weights, gx, h| cell.unroll(weights, gx, h);
const COMPOSED: Unroll = |cell, weights, gx, h| cell.unroll_composed(weights, gx, h);

/// Computes the states, and the gradients of x, h₀ and every parameter.
fn states_and_gradients(
    unroll: Unroll,
    cell: &GruCell,
    params: &Params<f64>,
    x: &Tensor<f64>,
    h: &Tensor<f64>,
    up: &Tensor<f64>,
) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let (weights, x, h) = (params.bind(&tape), tape.input(x.clone()), tape.input(h.clone()));
    let hs = unroll(cell, weights, cell.project_input(weights, x), h);
    hs.backward_from(up).expect("all reached");
    let mut all = vec![hs.value(), grad(x), grad(h)];
    all.extend(params.handles().map(|param| grad(weights.get(param))));
    all
}

#[test]
fn gru_cell_fused_and_composed_agree() {
    let names = ["hs", "dx", "dh0", "dweight_ih", "dweight_hh", "dbias_ih", "dbias_hh"];
    for steps in STEPS {
        let (params, cell) = build(|b| GruCell::new(b, E, H));
        let (x, h0) = (Tensor::from_fn([steps, B, E], wave(0.1)), Tensor::from_fn([B, H], wave(0.2)));
        let up = Tensor::from_fn([steps, B, H], wave(0.3));
        let [fused, composed] =
            [FUSED, COMPOSED].map(|unroll| states_and_gradients(unroll, &cell, &params, &x, &h0, &up));
        assert_eq!(fused.len(), names.len());
        for ((name, got), want) in names.iter().zip(&fused).zip(&composed) {
            assert_same(&format!("T={steps} {name}"), got, want, 1e-12);
        }
    }
}

#[test]
fn gru_cell_one_step_matches_pytorch() {
    let names = [("weight_ih", "w_ih"), ("weight_hh", "w_hh"), ("bias_ih", "b_ih"), ("bias_hh", "b_hh")];
    for (_, case) in load_cases("gru_cell_", 4) {
        let (x, h) = (case.read("in.x"), case.read("in.h"));
        let (mut params, cell) = build(|b| GruCell::new(b, x.shape()[1], h.shape()[1]));
        fill(&mut params, &case, "in.", &names);
        for fused in [true, false] {
            let tape = Tape::new();
            let (weights, x, h) = (params.bind(&tape), tape.input(x.clone()), tape.input(h.clone()));
            let y = if fused {
                cell.forward(weights, x, h)
            } else {
                cell.step_composed(weights, cell.project_input(weights, x), h)
            };
            assert_same("y", &y.value(), &case.read("out.y"), 1e-13);
            y.backward_from(&case.read("up.y")).expect("all reached");
            assert_same("dx", &grad(x), &case.read("grad.x"), 1e-13);
            assert_same("dh", &grad(h), &case.read("grad.h"), 1e-13);
            assert_grads(weights, &params, &case, &names, 1e-13);
        }
    }
}

const OVER_TIME: [(&str, &str); 4] =
    [("weight_ih_l0", "w_ih"), ("weight_hh_l0", "w_hh"), ("bias_ih_l0", "b_ih"), ("bias_hh_l0", "b_hh")];

/// Returns the GRU of a case with the case's parameters, x and h₀.
fn over_time(case: &Case) -> (Params<f64>, Gru, Tensor<f64>, Tensor<f64>) {
    let (x, h0) = (case.read("in.x"), case.read("in.h0"));
    let (mut params, gru) = build(|b| Gru::new(b, x.shape()[2], h0.shape()[1]));
    fill(&mut params, case, "param.", &OVER_TIME);
    (params, gru, x, h0)
}

#[test]
fn gru_through_time_matches_pytorch() {
    for (_, case) in load_cases("gru_bptt_", 4) {
        let (params, gru, x, h0) = over_time(&case);
        let tape = Tape::new();
        let (weights, x, h0) = (params.bind(&tape), tape.input(x), tape.input(h0));
        let hs = gru.forward(weights, x, h0);
        let loss = (hs * tape.constant(case.read("up.hs"))).sum();
        assert_same("hs", &hs.value(), &case.read("out.hs"), 1e-13);
        assert_same("loss", &loss.value(), &case.read("out.loss"), 1e-13);
        loss.backward().expect("all reached");
        assert_same("dx", &grad(x), &case.read("grad.x"), 1e-13);
        assert_same("dh0", &grad(h0), &case.read("grad.h0"), 1e-13);
        assert_grads(weights, &params, &case, &OVER_TIME, 1e-13);
    }
}

/// Compares the gradient of each state. It comes from its own cotangent and all later steps.
#[test]
fn gru_gradients_of_every_state_match_pytorch() {
    for (_, case) in load_cases("gru_bptt_", 4) {
        let (params, gru, x, h0) = over_time(&case);
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let gx = gru.cell.project_input(weights, tape.constant(x.clone()));
        let mut h = tape.input(h0);
        let states: Vec<V<'_>> = (0..x.shape()[0])
            .map(|t| {
                h = gru.cell.step_composed(weights, gx.select(0, t), h);
                h
            })
            .collect();
        Var::stack(&states).backward_from(&case.read("up.hs")).expect("all reached");
        let want = case.read("grad.h_steps");
        assert_eq!(want.shape()[0], states.len());
        for (t, state) in states.into_iter().enumerate() {
            assert_same(&format!("dh[{t}]"), &grad(state), &want.select(0, t), 1e-13);
        }
    }
}
