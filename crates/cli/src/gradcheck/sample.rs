//! Sample cases for tests: one with a wrong gradient, and some with correct ones.

use autograd::function;
use autograd::gradcheck::Input;
use autograd::ops::Kind;
use proofs::curve::StepSizeCurve;
use proofs::{Case, Target, layer_cases, operation_cases};
use tensor::Tensor;

/// Makes a case in which one term of a sum passes no gradient back. Duals cannot detect this; differences do.
pub(crate) fn wrong_case() -> Case {
    let f = function!(|x| x[0].tanh() + x[0].detach());
    Case::new(Target::Operation(Kind::Tanh), "cut off", [Input::from(Tensor::from([0.3, -1.2])).named("<x>")], f)
}

/// Makes cases of two operations and a layer. The first case is wrong.
pub(crate) fn cases() -> Vec<Case> {
    let two = operation_cases(Kind::Mul).into_iter().take(2);
    let layer = layer_cases().into_iter().take(1);
    [wrong_case()].into_iter().chain(two).chain(layer).collect()
}

/// Makes a V-shaped curve of three points.
pub(crate) fn curve() -> StepSizeCurve {
    let points = vec![(1.0, 0.1), (1e-5, 1e-10), (1e-10, 1e-6)];
    StepSizeCurve { case: "a < b".into(), points, pytorch: 1e-9, richardson: 1e-13, reverse: 2e-16 }
}
