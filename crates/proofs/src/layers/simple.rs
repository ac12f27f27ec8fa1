//! Cases of the layers without a state.

use autograd::function;
use nn::{Activation, BoundParams, Embedding, LayerNorm, Linear, Mlp};
use tensor::{Shape, Tensor};

use super::{build_layer, named_input};
use crate::{Case, RandomTensors, Target};

pub(super) fn linear_cases(d: &mut RandomTensors) -> Vec<Case> {
    let new_case = |d: &mut RandomTensors, shape: &[usize], outputs: usize| {
        let shape = Shape::new(shape);
        let (layer, params) = build_layer(d, |b| Linear::new(b, shape[shape.rank() - 1], outputs));
        let f = function!([layer: Linear] |x| layer.forward(BoundParams::from_vars(&x[1..]), x[0]));
        let inputs = [named_input("x", d.normal(shape))].into_iter().chain(params);
        let case = Case::new(Target::Layer("Linear"), format!("{shape} to {outputs}"), inputs, f);
        if shape.rank() > 1 { case.with_batch(&[Some(0), None, None], 0) } else { case }
    };
    vec![new_case(d, &[4, 3], 5), new_case(d, &[3, 2, 4], 5), new_case(d, &[3], 2), new_case(d, &[2, 33], 17)]
}

pub(super) fn embedding_cases(d: &mut RandomTensors) -> Vec<Case> {
    let new_case = |d: &mut RandomTensors, name: &str, tokens: Tensor<u32>| {
        let (layer, params) = build_layer(d, |b| Embedding::new(b, 5, 3));
        let f = function!([layer: Embedding, tokens: Tensor<u32>] |x| {
            layer.forward(BoundParams::from_vars(x), tokens).square()
        });
        Case::new(Target::Layer("Embedding"), name, params, f)
    };
    vec![
        new_case(d, "some rows, one of them twice", Tensor::from([4, 0, 4, 2])),
        new_case(d, "a matrix of tokens", Tensor::from([[1, 1], [3, 0]])),
    ]
}

pub(super) fn layer_norm_cases(d: &mut RandomTensors) -> Vec<Case> {
    let new_case = |d: &mut RandomTensors, shape: &[usize]| {
        let shape = Shape::new(shape);
        let (layer, params) = build_layer(d, |b| LayerNorm::new(b, shape[shape.rank() - 1]));
        let f = function!([layer: LayerNorm] |x| layer.forward(BoundParams::from_vars(&x[1..]), x[0]));
        let inputs = [named_input("x", d.normal(shape))].into_iter().chain(params);
        let case = Case::new(Target::Layer("LayerNorm"), format!("{shape}"), inputs, f);
        if shape.rank() > 1 { case.with_batch(&[Some(0), None, None], 0) } else { case }
    };
    vec![new_case(d, &[4, 5]), new_case(d, &[2, 3, 7]), new_case(d, &[8])]
}

pub(super) fn mlp_cases(d: &mut RandomTensors) -> Vec<Case> {
    let new_case = |d: &mut RandomTensors, activation: Activation| {
        let (layer, params) = build_layer(d, |b| Mlp::new(b, &[3, 7, 5, 2], activation));
        let f = function!([layer: Mlp] |x| layer.forward(BoundParams::from_vars(&x[1..]), x[0]));
        let inputs = [named_input("x", d.normal([4, 3]))].into_iter().chain(params);
        let rows: Vec<_> = (0..7).map(|k| (k == 0).then_some(0)).collect();
        Case::new(Target::Layer("Mlp"), format!("{activation:?}"), inputs, f).with_batch(&rows, 0)
    };
    [Activation::Tanh, Activation::Relu, Activation::Sigmoid].map(|activation| new_case(d, activation)).into()
}
