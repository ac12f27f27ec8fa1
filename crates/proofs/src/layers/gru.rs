//! The GRU in both variants: one step, and over time.

use autograd::function;
use autograd::gradcheck::Input;
use nn::{Gru, GruCell, Variant, Weights};
use tensor::Tensor;

use super::{build, case, named};
use crate::{Case, Draw};

const VARIANTS: [Variant; 2] = [Variant::ResetAfter, Variant::ResetBefore];

/// B, I, H of one step: a batch of three, an H that is no multiple of four and one that is.
const ONE_STEP: [[usize; 3]; 3] = [[3, 2, 5], [5, 3, 4], [1, 2, 3]];

/// T, B, I, H.
const OVER_TIME: [[usize; 4]; 5] = [[1, 3, 2, 5], [2, 5, 3, 4], [7, 3, 2, 5], [3, 2, 4, 8], [50, 2, 4, 3]];

pub(super) fn cell(d: &mut Draw) -> Vec<Case> {
    let mut cases = Vec::new();
    for (variant, [b, i, h]) in VARIANTS.into_iter().flat_map(|variant| ONE_STEP.map(|sizes| (variant, sizes))) {
        let (layer, params) = build(d, |b| GruCell::new(b, i, h).with_variant(variant));
        let f = function!([layer: GruCell] |x| layer.forward(Weights::from_vars(&x[2..]), x[0], x[1]));
        let inputs = [named("x", d.normal([b, i])), named("h", d.normal([b, h]))];
        cases.push(case("GruCell", format!("{variant:?} B={b} I={i} H={h}"), inputs, gates(params), f));
    }
    cases
}

pub(super) fn over_time(d: &mut Draw) -> Vec<Case> {
    let mut cases = Vec::new();
    for variant in VARIANTS {
        for [t, b, i, h] in OVER_TIME {
            let (layer, params) = gru(d, variant, i, h);
            let f = function!([layer: Gru] |x| layer.forward(Weights::from_vars(&x[2..]), x[0], x[1]));
            let inputs = [named("x", d.normal([t, b, i])), named("h0", d.normal([b, h]))];
            cases.push(case("Gru", format!("{variant:?} T={t} B={b} I={i} H={h}"), inputs, params, f));
        }
        let (layer, params) = gru(d, variant, 2, 5);
        let f = function!([layer: Gru] |tape, x| {
            let h0 = tape.constant(Tensor::zeros([4, 5]));
            layer.forward(Weights::from_vars(&x[1..]), x[0], h0)
        });
        let x = named("x", d.normal([3, 4, 2]));
        cases.push(case("Gru", format!("{variant:?}, no initial state"), [x], params, f));
        let (layer, params) = gru(d, variant, 2, 3);
        let f = function!([layer: Gru] |x| layer.forward(Weights::from_vars(&x[2..]), x[0], x[1]).select(0, 6));
        let inputs = [named("x", d.normal([7, 4, 2])), named("h0", d.normal([4, 3]))];
        cases.push(case("Gru", format!("{variant:?}, the last state alone"), inputs, params, f));
    }
    let (layer, params) = gru(d, Variant::ResetAfter, 2, 5);
    let f = function!([layer: Gru] |x| {
        let weights = Weights::from_vars(&x[2..]);
        layer.cell.scan_composed(weights, layer.cell.input_part(weights, x[0]), x[1])
    });
    let inputs = [named("x", d.normal([3, 4, 2])), named("h0", d.normal([4, 5]))];
    cases.push(case("Gru", "ResetAfter, composed", inputs, params, f));
    cases
}

fn gru(d: &mut Draw, variant: Variant, inputs: usize, hidden: usize) -> (Gru, Vec<Input>) {
    let (layer, params) = build(d, |b| Gru::new(b, inputs, hidden));
    (Gru { cell: layer.cell.with_variant(variant) }, gates(params))
}

/// Rows of weights and biases are r, z, n.
fn gates(params: Vec<Input>) -> Vec<Input> {
    params.into_iter().map(|input| input.gates(0, &["r", "z", "n"])).collect()
}
