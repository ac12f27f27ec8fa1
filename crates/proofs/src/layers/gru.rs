//! The GRU in both variants: one step, and over time.

use autograd::function;
use autograd::gradcheck::{Input, Overloaded};
use nn::{Gru, GruCell, Variant, Weights};
use tensor::Tensor;

use super::{build, named};
use crate::{Case, Draw, Of};

const VARIANTS: [Variant; 2] = [Variant::ResetAfter, Variant::ResetBefore];

/// B, I, H of one step: a batch of three, an H that is no multiple of four and one that is.
const ONE_STEP: [[usize; 3]; 3] = [[3, 2, 5], [5, 3, 4], [1, 2, 3]];

/// T, B, I, H.
const OVER_TIME: [[usize; 4]; 5] = [[1, 3, 2, 5], [2, 5, 3, 4], [7, 3, 2, 5], [3, 2, 4, 8], [50, 1, 2, 3]];

pub(super) fn cell(d: &mut Draw) -> Vec<Case> {
    let mut cases = Vec::new();
    for (variant, [b, i, h]) in VARIANTS.into_iter().flat_map(|variant| ONE_STEP.map(|sizes| (variant, sizes))) {
        let (layer, params) = build(d, |b| GruCell::new(b, i, h).with_variant(variant));
        let f = function!([layer: GruCell] |x| layer.forward(Weights::from_vars(&x[2..]), x[0], x[1]));
        let inputs = [named("x", d.normal([b, i])), named("h", d.normal([b, h]))].into_iter().chain(gates(params));
        let case = Case::new(Of::Layer("GruCell"), format!("{variant:?} B={b} I={i} H={h}"), inputs, f);
        cases.push(case.by_rows(&[Some(0), Some(0), None, None, None, None], 0));
    }
    cases
}

pub(super) fn over_time(d: &mut Draw) -> Vec<Case> {
    let sizes = VARIANTS.into_iter().flat_map(|variant| OVER_TIME.map(|sizes| (variant, sizes)));
    let mut cases: Vec<Case> = sizes.map(|(variant, sizes)| all_states(d, variant, sizes)).collect();
    for variant in VARIANTS {
        cases.extend([without_a_state(d, variant), last_state(d, variant)]);
    }
    cases.push(composed(d));
    cases
}

/// The states after each step.
fn all_states(d: &mut Draw, variant: Variant, sizes: [usize; 4]) -> Case {
    let (layer, inputs) = gru(d, variant, sizes);
    let f = function!([layer: Gru] |x| layer.forward(Weights::from_vars(&x[2..]), x[0], x[1]));
    let [t, b, i, h] = sizes;
    by_rows(format!("{variant:?} T={t} B={b} I={i} H={h}"), inputs, f, 1).recurrent()
}

fn without_a_state(d: &mut Draw, variant: Variant) -> Case {
    let (layer, mut inputs) = gru(d, variant, [3, 4, 2, 5]);
    inputs.remove(1);
    let f = function!([layer: Gru] |tape, x| {
        let h0 = tape.constant(Tensor::zeros([4, 5]));
        layer.forward(Weights::from_vars(&x[1..]), x[0], h0)
    });
    Case::new(Of::Layer("Gru"), format!("{variant:?}, no initial state"), inputs, f)
}

fn last_state(d: &mut Draw, variant: Variant) -> Case {
    let (layer, inputs) = gru(d, variant, [7, 4, 2, 3]);
    let f = function!([layer: Gru] |x| layer.forward(Weights::from_vars(&x[2..]), x[0], x[1]).select(0, 6));
    by_rows(format!("{variant:?}, the last state alone"), inputs, f, 0)
}

fn composed(d: &mut Draw) -> Case {
    let (layer, inputs) = gru(d, Variant::ResetAfter, [3, 4, 2, 5]);
    let f = function!([layer: Gru] |x| {
        let weights = Weights::from_vars(&x[2..]);
        layer.cell.scan_composed(weights, layer.cell.input_part(weights, x[0]), x[1])
    });
    by_rows("ResetAfter, composed".into(), inputs, f, 1).recurrent()
}

/// The layer, with x\[T,B,I\], h0\[B,H\] and its parameters.
fn gru(d: &mut Draw, variant: Variant, [t, b, i, h]: [usize; 4]) -> (Gru, Vec<Input>) {
    let (layer, params) = build(d, |b| Gru::new(b, i, h));
    let inputs = [named("x", d.normal([t, b, i])), named("h0", d.normal([b, h]))].into_iter().chain(gates(params));
    (Gru { cell: layer.cell.with_variant(variant) }, inputs.collect())
}

fn by_rows(name: String, inputs: Vec<Input>, f: impl Overloaded + Send + Sync + 'static, value: usize) -> Case {
    Case::new(Of::Layer("Gru"), name, inputs, f).by_rows(&[Some(1), Some(0), None, None, None, None], value)
}

/// Rows of weights and biases are r, z, n.
fn gates(params: Vec<Input>) -> impl Iterator<Item = Input> {
    params.into_iter().map(|input| input.gates(0, &["r", "z", "n"]))
}
