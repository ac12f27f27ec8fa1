//! Layer normalisation.

use autograd::Var;
use tensor::Real;

use crate::init::{Builder, Init};
use crate::params::{BoundParams, Param};

/// Rows shifted to mean 0 and scaled to variance 1, then times w\[N\] plus b\[N\]. This is PyTorch's `nn.LayerNorm`
/// over the last axis, with its names, shapes and initial values.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// w\[N\].
    pub weight: Param,
    /// b\[N\].
    pub bias: Param,
    /// ε, added to the variance under the square root.
    pub epsilon: f64,
}

impl LayerNorm {
    /// Sets w = 1, b = 0, ε = 1e-5.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, size: usize) -> Self {
        Self {
            weight: builder.add("weight", [size], Init::Constant(1.0)),
            bias: builder.add("bias", [size], Init::Constant(0.0)),
            epsilon: 1e-5,
        }
    }

    /// Computes y\[…,N\] from x\[…,N\].
    ///
    /// # Panics
    /// If the last extent of x is not N.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: BoundParams<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
        x.layer_norm(weights.get(self.weight), weights.get(self.bias), T::from_f64(self.epsilon))
    }
}
