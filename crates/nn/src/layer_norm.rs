//! Layer normalisation.

use autograd::Var;
use tensor::Real;

use crate::init::{Builder, Init};
use crate::params::{Param, Weights};

/// Rows shifted to mean 0 and scaled to variance 1, then times w\[N\] plus b\[N\]: PyTorch's `nn.LayerNorm` over the last
/// axis, with its names, shapes and initial values.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// w\[N\].
    pub weight: Param,
    /// b\[N\].
    pub bias: Param,
    /// ε under the root.
    pub epsilon: f64,
}

impl LayerNorm {
    /// w = 1, b = 0, ε = 1e-5.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, width: usize) -> Self {
        Self {
            weight: builder.add("weight", [width], Init::Constant(1.0)),
            bias: builder.add("bias", [width], Init::Constant(0.0)),
            epsilon: 1e-5,
        }
    }

    /// x\[…,N\] to y\[…,N\].
    ///
    /// # Panics
    /// If the rows of x are not N long.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: Weights<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
        x.layer_norm(weights.get(self.weight), weights.get(self.bias), T::of(self.epsilon))
    }
}
