//! The linear layer.

use autograd::Var;
use tensor::Real;

use crate::init::{Builder, Init};
use crate::params::{BoundParams, Param};

/// y = x·Wᵀ + b, for x\[…,I\], W\[O,I\], b\[O\]: PyTorch's `nn.Linear`, with its names, shapes and initial values.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// W\[O,I\].
    pub weight: Param,
    /// b\[O\].
    pub bias: Param,
}

impl Linear {
    /// Draws weight and bias uniformly within ±1/√`inputs`. Without inputs they are zero.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, inputs: usize, outputs: usize) -> Self {
        let bound = Init::Uniform(if inputs == 0 { 0.0 } else { 1.0 / (inputs as f64).sqrt() });
        Self::with_init(builder, inputs, outputs, bound, bound)
    }

    /// Creates the layer with the given initial values.
    #[track_caller]
    pub fn with_init<T: Real>(
        builder: &mut Builder<'_, T>,
        inputs: usize,
        outputs: usize,
        weight: Init,
        bias: Init,
    ) -> Self {
        Self { weight: builder.add("weight", [outputs, inputs], weight), bias: builder.add("bias", [outputs], bias) }
    }

    /// Computes y\[…,O\] from x\[…,I\].
    ///
    /// # Panics
    /// If the last extent of x is not I.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: BoundParams<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
        affine(x, weights.get(self.weight), weights.get(self.bias))
    }
}

/// Computes x\[…,I\]·w\[O,I\]ᵀ + b\[O\] as one matrix product over all rows.
#[track_caller]
pub(crate) fn affine<'t, T: Real>(x: Var<'t, T>, w: Var<'t, T>, b: Var<'t, T>) -> Var<'t, T> {
    let (shape, w_shape, b_shape) = (x.shape(), w.shape(), b.shape());
    let fits = shape.rank() > 0 && w_shape[..] == [b_shape.size(), shape.last_extent()] && b_shape.rank() == 1;
    assert!(fits, "linear: input {shape}, weight {w_shape}, bias {b_shape}: they must be […, I], [O, I], [O]");
    if shape.rank() == 2 {
        return x.matmul_nt(w) + b;
    }
    let last = shape.rank() - 1;
    let rows = x.reshape([shape.without_axis(last).size(), shape[last]]);
    (rows.matmul_nt(w) + b).reshape(shape.with_extent(last, w_shape[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;

    #[test]
    fn linear_without_inputs_has_zero_bias() {
        let mut params = Params::<f64>::new();
        Linear::new(&mut Builder::new(&mut params, 1), 0, 2);
        assert_eq!(params.flat().to_vec(), [0.0, 0.0]);
    }
}
