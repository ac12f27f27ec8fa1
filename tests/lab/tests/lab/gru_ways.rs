//! The gradients of a GRU through time, computed five ways that share as little as they can, in one table:
//! `cargo test -p gradus-lab gru_ways -- --nocapture`.

use autograd::gradcheck::{Function, Input, Report, duals, richardson};
use autograd::{Tape, Var, function};
use gradus_tests::golden::{self, Case};
use nn::{Builder, Gru, Params, Weights};
use tensor::{Real, Tensor};

/// What is differentiated by, as PyTorch's files call it: x\[T,B,I\] and h0\[B,H\], and the parameters as the layer has them.
const NAMES: [&str; 6] = ["in.x", "in.h0", "param.w_ih", "param.w_hh", "param.b_ih", "param.b_hh"];
const GATES: [&str; 3] = ["r", "z", "n"];

fn inputs(case: &Case) -> Vec<Input> {
    let input = |name: &&str| {
        let input = Input::from(case.read(name)).named(name.split_once('.').expect("a prefix").1);
        if name.starts_with("param") { input.gates(0, &GATES) } else { input }
    };
    NAMES.iter().map(input).collect()
}

/// Σ_t ⟨up_t, h_t⟩ of the fused form, or of the one composed from 33 nodes a step.
fn loss<'t, T: Real>(gru: Gru, fused: bool, up: &Tensor<f64>, x: &[Var<'t, T>]) -> Var<'t, T> {
    let weights = Weights::from_vars(&x[2..]);
    let gx = gru.cell.input_part(weights, x[0]);
    let hs = if fused { gru.cell.scan(weights, gx, x[1]) } else { gru.cell.scan_composed(weights, gx, x[1]) };
    (hs * hs.tape().constant(up.cast())).sum()
}

/// The gradients on the tape, in either form.
fn back(gru: Gru, fused: bool, up: &Tensor<f64>, inputs: &[Input]) -> Vec<Vec<f64>> {
    let tape = Tape::new();
    let x: Vec<_> = inputs.iter().map(|input| tape.input(input.value.clone())).collect();
    loss(gru, fused, up, &x).backward().expect("no parameters");
    x.iter().map(|x| x.grad().expect("reached").to_vec()).collect()
}

/// The largest gap, relative to the largest entry; NaN if one is NaN.
fn gap(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let largest = |x: &mut dyn Iterator<Item = f64>| x.map(f64::abs).max_by(f64::total_cmp).expect("not empty");
    let scale = largest(&mut want.iter().copied());
    largest(&mut got.iter().zip(want).map(|(got, want)| (got - want) / scale))
}

#[test]
fn a_gap_of_nan_is_nan() {
    let nan = f64::NAN;
    assert_eq!(gap(&[1.0, 2.5], &[1.0, 2.0]), 0.25);
    for (got, want) in [([nan, 1.0], [1.0, 1.0]), ([1.0, -nan], [1.0, 1.0]), ([1.0, 1.0], [nan, 1.0])] {
        assert!(gap(&got, &want).is_nan(), "{got:?}, {want:?}");
    }
}

fn errors(report: &Report) -> Vec<f64> {
    assert!(report.is_ok(), "{report}");
    report.compared.iter().map(|compared| compared.error).collect()
}

/// Everything beside the fused form, whose backward is derived by hand. The bound is 1e-13 for what is exact but for
/// rounding. An extrapolated difference subtracts sums of T·B·H terms and divides by its step, and comes with its own
/// estimate instead.
#[test]
fn five_ways_agree() {
    println!(
        "{:>4} {:6} {:>12} {:>9} {:>9} {:>11} {:>9}",
        "T", "d by", "composed", "duals", "PyTorch", "Richardson", "± it says"
    );
    for file in ["gru_bptt_t1_b2_i3_h4", "gru_bptt_t2_b4_i3_h5", "gru_bptt_t7_b3_i6_h8", "gru_bptt_t50_b2_i4_h10"] {
        let case = Case::load(file);
        let (inputs, up) = (inputs(&case), case.read("up.hs"));
        let gru = Gru::new(&mut Builder::new(&mut Params::<f64>::new(), 0), inputs[0].value.shape()[2], up.shape()[2]);
        let fused = back(gru, true, &up, &inputs);
        let composed = back(gru, false, &up, &inputs);
        let steps = up.shape()[0];
        let f = function!([gru: Gru, up: Tensor<f64>] |x| loss(*gru, true, up, x));
        let (exact, numeric) = (errors(&duals(&f, &inputs)), richardson(|tape, x| f.call(tape, x), &inputs));
        for (k, name) in NAMES.iter().enumerate() {
            let name = name.split_once('.').expect("a prefix").1;
            let theirs = case.read(&format!("grad.{name}")).to_vec();
            let [composed, theirs] = [&composed[k], &theirs].map(|want| gap(&fused[k], want));
            let (off, says) = (errors(&numeric)[k], numeric.compared[k].estimate.expect("it estimates"));
            println!(
                "{steps:>4} {name:6} {composed:>12.1e} {:>9.1e} {theirs:>9.1e} {off:>11.1e} {says:>9.1e}",
                exact[k]
            );
            assert!(composed <= 1e-13 && exact[k] <= 1e-13 && theirs <= 1e-13, "{file}, {name}");
            assert!(off <= 1e-10 && says <= 1e-11, "{file}, {name}: {off:e} ± {says:e}");
        }
    }
    assert_eq!(golden::all().iter().filter(|stem| stem.starts_with("gru_bptt_")).count(), 4);
}
