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
        let table = weights.get(self.weight);
        assert_in_vocabulary(tokens, table.shape()[0]);
        table.embedding(tokens)
    }
}

/// Checks that every token is below `vocabulary`.
#[track_caller]
pub(crate) fn assert_in_vocabulary(tokens: &Tensor<u32>, vocabulary: usize) {
    let tokens = tokens.to_host();
    let mut with_position = tokens.view().as_ndarray().into_iter().zip(0..);
    if let Some((token, position)) = with_position.find(|&(&token, _)| token as usize >= vocabulary) {
        let index = tokens.shape().indices().nth(position).expect("the position is in the tensor");
        panic!("embedding: token {token} at {index:?} is outside the vocabulary of {vocabulary}")
    }
}

#[cfg(test)]
mod tests {
    use autograd::Tape;

    use super::*;
    use crate::Params;

    #[test]
    #[should_panic(expected = "embedding: token 9 at [2, 0] is outside the vocabulary of 8")]
    fn embedding_token_outside_the_vocabulary_is_named_with_its_place() {
        let mut params = Params::<f32>::new();
        let embedding = Embedding::new(&mut Builder::new(&mut params, 1), 8, 3);
        embedding.forward(params.bind(&Tape::new()), &Tensor::from([[7, 0], [1, 2], [9, 3]]));
    }
}
