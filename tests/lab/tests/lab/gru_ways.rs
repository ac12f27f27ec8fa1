//! A test that computes the gradients of a GRU through time in five ways, which share as little code as possible.
//! `cargo test -p gradus-lab gru_ways -- --nocapture` prints one table.

use autograd::gradcheck::{Function, Input, Report, duals, richardson};
use autograd::{Tape, Var, function};
use gradus_tests::golden::{self, Case};
use nn::{BoundParams, Builder, Gru, Params};
use tensor::{Real, Tensor};

/// The inputs that get a gradient, by their names in the golden files: x\[T,B,E\], h0\[B,H\] and the layer's parameters.
const NAMES: [&str; 6] = ["in.x", "in.h0", "param.w_ih", "param.w_hh", "param.b_ih", "param.b_hh"];
const GATES: [&str; 3] = ["r", "z", "n"];

fn inputs(case: &Case) -> Vec<Input> {
    let input = |name: &&str| {
        let input = Input::from(case.read(name)).named(name.split_once('.').expect("a prefix").1);
        if name.starts_with("param") { input.gates(0, &GATES) } else { input }
    };
    NAMES.iter().map(input).collect()
}

/// Computes Σ_t ⟨up_t, h_t⟩ with the fused GRU, or with the GRU composed of 33 nodes per step.
fn loss<'t, T: Real>(gru: Gru, fused: bool, up: &Tensor<f64>, x: &[Var<'t, T>]) -> Var<'t, T> {
    let weights = BoundParams::from_vars(&x[2..]);
    let gx = gru.cell.project_input(weights, x[0]);
    let hs = if fused { gru.cell.unroll(weights, gx, x[1]) } else { gru.cell.unroll_composed(weights, gx, x[1]) };
    (hs * hs.tape().constant(up.cast())).sum()
}

/// Computes the gradients on the tape, in either form.
fn tape_gradients(gru: Gru, fused: bool, up: &Tensor<f64>, inputs: &[Input]) -> Vec<Vec<f64>> {
    let tape = Tape::new();
    let x: Vec<_> = inputs.iter().map(|input| tape.input(input.value.clone())).collect();
    loss(gru, fused, up, &x).backward().expect("no parameters");
    x.iter().map(|x| x.grad().expect("reached").to_vec()).collect()
}

/// Returns the largest difference relative to the largest entry of `want`, or NaN if any number is NaN.
fn relative_gap(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let largest = |x: &mut dyn Iterator<Item = f64>| x.map(f64::abs).max_by(f64::total_cmp).expect("not empty");
    let scale = largest(&mut want.iter().copied());
    largest(&mut got.iter().zip(want).map(|(got, want)| (got - want) / scale))
}

#[test]
fn relative_gap_of_nan_is_nan() {
    let nan = f64::NAN;
    assert_eq!(relative_gap(&[1.0, 2.5], &[1.0, 2.0]), 0.25);
    for (got, want) in [([nan, 1.0], [1.0, 1.0]), ([1.0, -nan], [1.0, 1.0]), ([1.0, 1.0], [nan, 1.0])] {
        assert!(relative_gap(&got, &want).is_nan(), "{got:?}, {want:?}");
    }
}

fn errors(report: &Report) -> Vec<f64> {
    assert!(report.is_ok(), "{report}");
    report.compared.iter().map(|compared| compared.error).collect()
}

/// Compares all other ways with the fused form, whose backward is derived by hand. The bound is 1e-13 for ways that are exact
/// except for rounding. An extrapolated difference subtracts sums of T·B·H terms and divides by its step. It has a larger bound
/// and its own error estimate.
#[test]
fn gru_gradients_computed_five_ways_agree() {
    println!(
        "{:>4} {:6} {:>12} {:>9} {:>9} {:>11} {:>9}",
        "T", "d by", "composed", "duals", "PyTorch", "Richardson", "estimate"
    );
    for file in ["gru_bptt_t1_b2_i3_h4", "gru_bptt_t2_b4_i3_h5", "gru_bptt_t7_b3_i6_h8", "gru_bptt_t50_b2_i4_h10"] {
        let case = Case::load(file);
        let (inputs, up) = (inputs(&case), case.read("up.hs"));
        let gru = Gru::new(&mut Builder::new(&mut Params::<f64>::new(), 0), inputs[0].value.shape()[2], up.shape()[2]);
        let fused = tape_gradients(gru, true, &up, &inputs);
        let composed = tape_gradients(gru, false, &up, &inputs);
        let steps = up.shape()[0];
        let f = function!([gru: Gru, up: Tensor<f64>] |x| loss(*gru, true, up, x));
        let (exact, numeric) = (errors(&duals(&f, &inputs)), richardson(|tape, x| f.call(tape, x), &inputs));
        for (k, name) in NAMES.iter().enumerate() {
            let name = name.split_once('.').expect("a prefix").1;
            let theirs = case.read(&format!("grad.{name}")).to_vec();
            let [composed, theirs] = [&composed[k], &theirs].map(|want| relative_gap(&fused[k], want));
            let (error, estimate) =
                (errors(&numeric)[k], numeric.compared[k].estimate.expect("Richardson estimates its error"));
            println!(
                "{steps:>4} {name:6} {composed:>12.1e} {:>9.1e} {theirs:>9.1e} {error:>11.1e} {estimate:>9.1e}",
                exact[k]
            );
            assert!(composed <= 1e-13 && exact[k] <= 1e-13 && theirs <= 1e-13, "{file}, {name}");
            assert!(error <= 1e-10 && estimate <= 1e-11, "{file}, {name}: {error:e} ± {estimate:e}");
        }
    }
    assert_eq!(golden::list_stems().iter().filter(|stem| stem.starts_with("gru_bptt_")).count(), 4);
}
