//! The layers without a state.

use autograd::function;
use nn::{Activation, Embedding, LayerNorm, Linear, Mlp, Weights};
use tensor::{Shape, Tensor};

use super::{build, named};
use crate::{Case, Draw, Of};

pub(super) fn linear(d: &mut Draw) -> Vec<Case> {
    let of = |d: &mut Draw, shape: &[usize], outputs: usize| {
        let shape = Shape::new(shape);
        let (layer, params) = build(d, |b| Linear::new(b, shape[shape.rank() - 1], outputs));
        let f = function!([layer: Linear] |x| layer.forward(Weights::from_vars(&x[1..]), x[0]));
        let inputs = [named("x", d.normal(shape))].into_iter().chain(params);
        let case = Case::new(Of::Layer("Linear"), format!("{shape} to {outputs}"), inputs, f);
        if shape.rank() > 1 { case.by_rows(&[Some(0), None, None], 0) } else { case }
    };
    vec![of(d, &[4, 3], 5), of(d, &[3, 2, 4], 5), of(d, &[3], 2), of(d, &[2, 33], 17)]
}

pub(super) fn embedding(d: &mut Draw) -> Vec<Case> {
    let of = |d: &mut Draw, name: &str, tokens: Tensor<u32>| {
        let (layer, params) = build(d, |b| Embedding::new(b, 5, 3));
        let f = function!([layer: Embedding, tokens: Tensor<u32>] |x| {
            layer.forward(Weights::from_vars(x), tokens).square()
        });
        Case::new(Of::Layer("Embedding"), name, params, f)
    };
    vec![
        of(d, "some rows, one of them twice", Tensor::from([4, 0, 4, 2])),
        of(d, "a matrix of tokens", Tensor::from([[1, 1], [3, 0]])),
    ]
}

pub(super) fn layer_norm(d: &mut Draw) -> Vec<Case> {
    let of = |d: &mut Draw, shape: &[usize]| {
        let shape = Shape::new(shape);
        let (layer, params) = build(d, |b| LayerNorm::new(b, shape[shape.rank() - 1]));
        let f = function!([layer: LayerNorm] |x| layer.forward(Weights::from_vars(&x[1..]), x[0]));
        let inputs = [named("x", d.normal(shape))].into_iter().chain(params);
        let case = Case::new(Of::Layer("LayerNorm"), format!("{shape}"), inputs, f);
        if shape.rank() > 1 { case.by_rows(&[Some(0), None, None], 0) } else { case }
    };
    vec![of(d, &[4, 5]), of(d, &[2, 3, 7]), of(d, &[8])]
}

pub(super) fn mlp(d: &mut Draw) -> Vec<Case> {
    let of = |d: &mut Draw, activation: Activation| {
        let (layer, params) = build(d, |b| Mlp::new(b, &[3, 7, 5, 2], activation));
        let f = function!([layer: Mlp] |x| layer.forward(Weights::from_vars(&x[1..]), x[0]));
        let inputs = [named("x", d.normal([4, 3]))].into_iter().chain(params);
        let rows: Vec<_> = (0..7).map(|k| (k == 0).then_some(0)).collect();
        Case::new(Of::Layer("Mlp"), format!("{activation:?}"), inputs, f).by_rows(&rows, 0)
    };
    [Activation::Tanh, Activation::Relu, Activation::Sigmoid].map(|activation| of(d, activation)).into()
}
