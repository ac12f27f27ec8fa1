//! Cases of the GRU in both variants: one step, and a sequence of steps.

use autograd::function;
use autograd::gradcheck::{DynFunction, Input};
use nn::{BoundParams, Gru, GruCell, Variant};
use tensor::Tensor;

use super::{build_layer, named_input};
use crate::{Case, RandomTensors, Target};

const VARIANTS: [Variant; 2] = [Variant::ResetAfter, Variant::ResetBefore];

/// B, E, H of one step: a batch of three, an H that is no multiple of four, and one that is.
const ONE_STEP: [[usize; 3]; 3] = [[3, 2, 5], [5, 3, 4], [1, 2, 3]];

/// T, B, E, H.
const SEQUENCES: [[usize; 4]; 5] = [[1, 3, 2, 5], [2, 5, 3, 4], [7, 3, 2, 5], [3, 2, 4, 8], [50, 1, 3, 2]];

pub(super) fn cell_cases(d: &mut RandomTensors) -> Vec<Case> {
    let mut cases = Vec::new();
    for (variant, [b, e, h]) in VARIANTS.into_iter().flat_map(|variant| ONE_STEP.map(|sizes| (variant, sizes))) {
        let (layer, params) = build_layer(d, |b| GruCell::new(b, e, h).with_variant(variant));
        let f = function!([layer: GruCell] |x| layer.forward(BoundParams::from_vars(&x[2..]), x[0], x[1]));
        let inputs = [named_input("x", d.normal([b, e])), named_input("h_prev", d.normal([b, h]))]
            .into_iter()
            .chain(name_gates(params));
        let case = Case::new(Target::Layer("GruCell"), format!("{variant:?} B={b} E={e} H={h}"), inputs, f);
        cases.push(case.with_batch(&[Some(0), Some(0), None, None, None, None], 0));
    }
    cases
}

pub(super) fn sequence_cases(d: &mut RandomTensors) -> Vec<Case> {
    let sizes = VARIANTS.into_iter().flat_map(|variant| SEQUENCES.map(|sizes| (variant, sizes)));
    let mut cases: Vec<Case> = sizes.map(|(variant, sizes)| all_states_case(d, variant, sizes)).collect();
    for variant in VARIANTS {
        cases.extend([no_initial_state_case(d, variant), last_state_case(d, variant)]);
    }
    cases.push(composed_case(d));
    cases
}

/// A case whose value is the states after each step.
fn all_states_case(d: &mut RandomTensors, variant: Variant, sizes: [usize; 4]) -> Case {
    let (layer, inputs) = build_gru(d, variant, sizes);
    let f = function!([layer: Gru] |x| layer.forward(BoundParams::from_vars(&x[2..]), x[0], x[1]));
    let [t, b, e, h] = sizes;
    case_with_batch(format!("{variant:?} T={t} B={b} E={e} H={h}"), inputs, f, 1).into_recurrent()
}

fn no_initial_state_case(d: &mut RandomTensors, variant: Variant) -> Case {
    let (layer, mut inputs) = build_gru(d, variant, [3, 4, 2, 5]);
    inputs.remove(1);
    let f = function!([layer: Gru] |tape, x| {
        let h0 = tape.constant(Tensor::zeros([4, 5]));
        layer.forward(BoundParams::from_vars(&x[1..]), x[0], h0)
    });
    Case::new(Target::Layer("Gru"), format!("{variant:?}, no initial state"), inputs, f)
}

fn last_state_case(d: &mut RandomTensors, variant: Variant) -> Case {
    let (layer, inputs) = build_gru(d, variant, [7, 4, 2, 3]);
    let f = function!([layer: Gru] |x| layer.forward(BoundParams::from_vars(&x[2..]), x[0], x[1]).select(0, 6));
    case_with_batch(format!("{variant:?}, the last state alone"), inputs, f, 0)
}

fn composed_case(d: &mut RandomTensors) -> Case {
    let (layer, inputs) = build_gru(d, Variant::ResetAfter, [3, 4, 2, 5]);
    let f = function!([layer: Gru] |x| {
        let weights = BoundParams::from_vars(&x[2..]);
        layer.cell.unroll_composed(weights, layer.cell.project_input(weights, x[0]), x[1])
    });
    case_with_batch("ResetAfter, composed".into(), inputs, f, 1).into_recurrent()
}

/// Builds the layer, with x\[T,B,E\], h0\[B,H\] and its parameters.
fn build_gru(d: &mut RandomTensors, variant: Variant, [t, b, e, h]: [usize; 4]) -> (Gru, Vec<Input>) {
    let (layer, params) = build_layer(d, |b| Gru::new(b, e, h));
    let inputs = [named_input("x", d.normal([t, b, e])), named_input("h0", d.normal([b, h]))]
        .into_iter()
        .chain(name_gates(params));
    (Gru { cell: layer.cell.with_variant(variant) }, inputs.collect())
}

fn case_with_batch(
    name: String,
    inputs: Vec<Input>,
    f: impl DynFunction + Send + Sync + 'static,
    value: usize,
) -> Case {
    Case::new(Target::Layer("Gru"), name, inputs, f).with_batch(&[Some(1), Some(0), None, None, None, None], value)
}

/// Names the gate blocks r, z, n of the rows of weights and biases.
fn name_gates(params: Vec<Input>) -> impl Iterator<Item = Input> {
    params.into_iter().map(|input| input.gates(0, &["r", "z", "n"]))
}
