//! The table of layers, as functions of inputs and parameters.

mod gru;
mod simple;

use autograd::gradcheck::Input;
use nn::{Builder, Params};
use tensor::Tensor;

use crate::{Case, Draw};

/// The cases of every layer; parameters are called as they are in a checkpoint.
pub fn layers() -> Vec<Case> {
    let d = &mut Draw::new(100);
    [simple::linear, simple::embedding, simple::layer_norm, simple::mlp, gru::cell, gru::over_time]
        .into_iter()
        .flat_map(|cases| cases(d))
        .collect()
}

/// A layer, with parameters to put in the place of its initial values: what begins at 0 or 1 would hide mistakes.
pub(crate) fn build<L>(d: &mut Draw, layer: impl FnOnce(&mut Builder<'_, f64>) -> L) -> (L, Vec<Input>) {
    let mut params = Params::new();
    let layer = layer(&mut Builder::new(&mut params, 0));
    let mut draw = |param| {
        let shape = params.shape(param);
        let scale = if shape.rank() == 2 { 1.0 / (shape[1] as f64).sqrt() } else { 0.6 };
        Input::from(&d.normal(shape) * &Tensor::scalar(scale)).named(params.name(param))
    };
    let values = params.all().map(&mut draw).collect();
    (layer, values)
}

fn named(name: &str, value: Tensor<f64>) -> Input {
    Input::from(value).named(name)
}
