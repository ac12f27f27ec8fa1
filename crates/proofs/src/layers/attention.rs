//! Cases of attention: rows of equal and of different lengths, one step and several.

use autograd::function;
use nn::{Attention, BoundParams};
use tensor::Tensor;

use super::{build_layer, named_input};
use crate::{Case, RandomTensors, Target};

const VOCABULARY: usize = 7;

pub(super) fn cases(d: &mut RandomTensors) -> Vec<Case> {
    vec![
        same_rows_case(d, [2, 3, 5, 4], 5),
        same_rows_case(d, [4, 3, 5, 2], 3),
        lengths_case(d, [2, 3, 5, 4], &[5, 1, 3]),
        lengths_case(d, [1, 3, 4, 2], &[2, 4, 3]),
        lengths_case(d, [1, 2, 3, 5], &[3, 3]),
    ]
}

/// A case whose rows have the same tokens and the same length, so that it takes any number of rows. The states differ.
fn same_rows_case(d: &mut RandomTensors, sizes: [usize; 4], length: usize) -> Case {
    let [t, b, l, h] = sizes;
    let (layer, params) = build_layer(d, |b| Attention::new(b, VOCABULARY, h));
    let column = Tensor::from_fn([l, 1], |i| (3 * i % VOCABULARY) as u32);
    let f = function!([layer: Attention, column: Tensor<u32>, length: usize] |x| {
        let (weights, rows) = (BoundParams::from_vars(&x[2..]), x[0].shape()[1]);
        let tokens = column.broadcast_to([column.size(), rows]);
        layer.forward(weights, x[1], layer.read(weights, &tokens, x[0], &vec![*length; rows]))
    });
    let inputs = [named_input("states", d.normal([l, b, h])), named_input("h", d.normal([t, b, h]))];
    let name = format!("all of length {length}, T={t} B={b} L={l} H={h}");
    let case = Case::new(Target::Layer("Attention"), name, inputs.into_iter().chain(params), f);
    case.with_batch(&[Some(1), Some(1), None, None, None, None, None], 1)
}

/// A case of rows with different tokens and these lengths.
fn lengths_case(d: &mut RandomTensors, sizes: [usize; 4], lengths: &[usize]) -> Case {
    let [t, b, l, h] = sizes;
    let (layer, params) = build_layer(d, |b| Attention::new(b, VOCABULARY, h));
    let tokens = Tensor::from_fn([l, b], |i| (i * i % VOCABULARY) as u32);
    let name = format!("lengths {lengths:?}, T={t} B={b} L={l} H={h}");
    let lengths = lengths.to_vec();
    let f = function!([layer: Attention, tokens: Tensor<u32>, lengths: Vec<usize>] |x| {
        let weights = BoundParams::from_vars(&x[2..]);
        layer.forward(weights, x[1], layer.read(weights, tokens, x[0], lengths))
    });
    let inputs = [named_input("states", d.normal([l, b, h])), named_input("h", d.normal([t, b, h]))];
    Case::new(Target::Layer("Attention"), name, inputs.into_iter().chain(params), f)
}
