//! Cases for the tests: one that is wrong, and some that are right.

use autograd::function;
use autograd::gradcheck::Input;
use autograd::ops::Kind;
use proofs::curve::Curve;
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

/// A V of three points.
pub(crate) fn curve() -> Curve {
    let points = vec![(1.0, 0.1), (1e-5, 1e-10), (1e-10, 1e-6)];
    Curve { case: "a < b".into(), points, pytorch: 1e-9, richardson: 1e-13, reverse: 2e-16 }
}
