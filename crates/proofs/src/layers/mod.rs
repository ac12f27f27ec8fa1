//! The table of layers, as functions of inputs and parameters.

mod gru;
mod simple;

use autograd::gradcheck::{Input, Overloaded};
use nn::{Builder, Params};
use tensor::Tensor;

use crate::{Case, Draw, Of};

/// The cases of every layer; parameters are called as they are in a checkpoint.
pub fn layers() -> Vec<Case> {
    let d = &mut Draw::new(100);
    [simple::linear, simple::embedding, simple::layer_norm, simple::mlp, gru::cell, gru::over_time]
        .into_iter()
        .flat_map(|cases| cases(d))
        .collect()
}

/// A layer, with parameters to put in the place of its initial values: what begins at 0 or 1 would hide mistakes.
fn build<L>(d: &mut Draw, layer: impl FnOnce(&mut Builder<'_, f64>) -> L) -> (L, Vec<Input>) {
    let mut params = Params::new();
    let layer = layer(&mut Builder::new(&mut params, 0));
    let mut draw = |param| {
        let value = &d.normal(params.shape(param)) * &Tensor::scalar(0.6);
        Input::from(value).named(params.name(param))
    };
    let values = params.all().map(&mut draw).collect();
    (layer, values)
}

/// A case whose inputs are followed by the parameters.
fn case(
    layer: &'static str,
    name: impl Into<String>,
    inputs: impl IntoIterator<Item = Input>,
    params: Vec<Input>,
    f: impl Overloaded + Send + Sync + 'static,
) -> Case {
    Case::new(Of::Layer(layer), name, inputs.into_iter().chain(params), f)
}

fn named(name: &str, value: Tensor<f64>) -> Input {
    Input::from(value).named(name)
}
