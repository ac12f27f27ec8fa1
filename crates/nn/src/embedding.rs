//! The embedding layer.

use autograd::Var;
use tensor::{Real, Tensor};

use crate::init::{Builder, Init};
use crate::params::{BoundParams, Param};

/// Rows of a table W\[V,E\] by token: PyTorch's `nn.Embedding`, with its name, shape and initial values.
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    /// W\[V,E\].
    pub weight: Param,
}

impl Embedding {
    /// Draws W from the standard normal distribution.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, vocabulary: usize, embedding_size: usize) -> Self {
        Self { weight: builder.add("weight", [vocabulary, embedding_size], Init::Normal(1.0)) }
    }

    /// Looks up the row of each token: tokens\[…\] to \[…,E\].
    ///
    /// # Panics
    /// If a token is outside the vocabulary.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: BoundParams<'t, T>, tokens: &Tensor<u32>) -> Var<'t, T> {
        weights.get(self.weight).embedding(tokens)
    }
}
