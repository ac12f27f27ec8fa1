//! Cases for the tests: one that is wrong, and some that are right.

use autograd::function;
use autograd::gradcheck::Input;
use autograd::ops::Kind;
use proofs::{Case, Of, layers, operations};
use tensor::Tensor;

/// Half of a sum does not send its gradient back; duals cannot know, but differences do.
pub(crate) fn wrong() -> Case {
    let f = function!(|x| x[0].tanh() + x[0].detach());
    Case::new(Of::Operation(Kind::Tanh), "cut off", [Input::from(Tensor::from([0.3, -1.2])).named("<x>")], f)
}

/// Of two operations and a layer, the first of them wrong.
pub(crate) fn cases() -> Vec<Case> {
    let two = operations(Kind::Mul).into_iter().take(2);
    let layer = layers().into_iter().take(1);
    [wrong()].into_iter().chain(two).chain(layer).collect()
}
