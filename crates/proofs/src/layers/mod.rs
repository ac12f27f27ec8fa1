//! The table of layers, as functions of inputs and parameters.

mod attention;
mod gru;
mod simple;

use autograd::gradcheck::Input;
use nn::{Builder, Params};
use tensor::Tensor;

use crate::{Case, RandomTensors};

/// Returns the cases of every layer. Parameters have their checkpoint names.
pub fn layer_cases() -> Vec<Case> {
    let d = &mut RandomTensors::new(100);
    [
        simple::linear_cases,
        simple::embedding_cases,
        simple::layer_norm_cases,
        simple::mlp_cases,
        gru::cell_cases,
        gru::sequence_cases,
        attention::cases,
    ]
    .into_iter()
    .flat_map(|cases| cases(d))
    .collect()
}

/// Builds a layer, with random values for its parameters. Initial values of 0 or 1 would hide mistakes.
pub(crate) fn build_layer<L>(d: &mut RandomTensors, layer: impl FnOnce(&mut Builder<'_, f64>) -> L) -> (L, Vec<Input>) {
    let mut params = Params::new();
    let layer = layer(&mut Builder::new(&mut params, 0));
    (layer, draw_values(d, &params))
}

/// Draws values for parameters.
pub(crate) fn draw_values(d: &mut RandomTensors, params: &Params<f64>) -> Vec<Input> {
    let mut draw = |param| {
        let shape = params.shape(param);
        let scale = if shape.rank() == 2 { 1.0 / (shape[1] as f64).sqrt() } else { 0.6 };
        Input::from(&d.normal(shape) * scale).named(params.name(param))
    };
    params.handles().map(&mut draw).collect()
}

fn named_input(name: &str, value: Tensor<f64>) -> Input {
    Input::from(value).named(name)
}
