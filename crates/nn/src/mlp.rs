//! The multilayer perceptron.

use alloc::format;
use alloc::vec::Vec;

use autograd::Var;
use tensor::Real;

use crate::init::Builder;
use crate::linear::Linear;
use crate::params::BoundParams;

/// The function between the layers of an [`Mlp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// tanh x
    Tanh,
    /// max(x, 0)
    Relu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
}

impl Activation {
    fn apply<'t, T: Real>(self, x: Var<'t, T>) -> Var<'t, T> {
        match self {
            Self::Tanh => x.tanh(),
            Self::Relu => x.relu(),
            Self::Sigmoid => x.sigmoid(),
        }
    }
}

/// Linear layers with an activation between them, and none after the last layer.
#[derive(Clone, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    activation: Activation,
}

impl Mlp {
    /// Creates one layer per pair of adjacent widths. The layers are named `0`, `1`, ….
    ///
    /// # Panics
    /// If there are fewer than two widths.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, widths: &[usize], activation: Activation) -> Self {
        assert!(widths.len() >= 2, "an MLP needs the widths of its input and its output, not {widths:?}");
        let pairs = widths.windows(2).enumerate();
        let layers = pairs.map(|(k, w)| Linear::new(&mut builder.scope(&format!("{k}")), w[0], w[1])).collect();
        Self { layers, activation }
    }

    /// Computes y\[…,last width\] from x\[…,first width\].
    ///
    /// # Panics
    /// If the last extent of x is not the first width.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: BoundParams<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
        let (first, rest) = self.layers.split_first().expect("an MLP has layers");
        let apply = |y: Var<'t, T>, layer: &Linear| layer.forward(weights, self.activation.apply(y));
        let shape = x.shape();
        if shape.rank() <= 2 {
            return rest.iter().fold(first.forward(weights, x), apply);
        }
        // All layers read the rows of one matrix, so that each is one node less than for more axes.
        let (last, inputs) = (shape.rank() - 1, shape.last_extent());
        let rows = x.reshape([shape.without_axis(last).size(), inputs]);
        let y = rest.iter().fold(first.forward(weights, rows), apply);
        y.reshape(shape.with_extent(last, y.shape().last_extent()))
    }
}
