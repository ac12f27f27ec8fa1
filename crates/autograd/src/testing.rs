//! Helpers for the unit tests of operations.

use tensor::Tensor;

use crate::gradcheck::{central_differences, draw_cotangent};
use crate::{Tape, Var};

fn assert_close(what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let bound = 1e-14 * (1.0 + want.abs());
        assert!((got - want).abs() <= bound, "{what}[{i}]: {got} is not {want}");
    }
}

/// Checks value and gradient of an elementwise operation against independently written functions.
pub(crate) fn check_unary(
    xs: &[f64],
    op: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>,
    f: impl Fn(f64) -> f64,
    slope: impl Fn(f64) -> f64,
) {
    let tape = Tape::new();
    let x = tape.input(Tensor::new([xs.len()], xs.to_vec()));
    let y = op(x);
    let dy = draw_cotangent(y.shape(), 0);
    y.backward_from(&dy).expect("no parameters");
    let want: alloc::vec::Vec<f64> = xs.iter().map(|&x| f(x)).collect();
    assert_close("y", &y.value().to_vec(), &want);
    let want: alloc::vec::Vec<f64> = xs.iter().zip(dy.to_vec()).map(|(&x, dy)| slope(x) * dy).collect();
    assert_close("dx", &x.grad().expect("reached").to_vec(), &want);
}

/// Checks value and gradients of an operation on a matrix and a row, for dy = [[1, 10], [100, 1000]].
pub(crate) fn check_binary(
    a: [[f64; 2]; 2],
    b: [f64; 2],
    op: impl for<'t> Fn(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>,
    y: [[f64; 2]; 2],
    da: [[f64; 2]; 2],
    db: [f64; 2],
) {
    let tape = Tape::new();
    let (a, b) = (tape.input(Tensor::from(a)), tape.input(Tensor::from(b)));
    let out = op(a, b);
    out.backward_from(&Tensor::from([[1.0, 10.0], [100.0, 1000.0]])).expect("no parameters");
    assert_close("y", &out.value().to_vec(), y.as_flattened());
    assert_close("da", &a.grad().expect("reached").to_vec(), da.as_flattened());
    assert_close("db", &b.grad().expect("reached").to_vec(), &db);
}

/// Checks every entry of every gradient against a central difference, which does not use the backward rule.
#[track_caller]
pub(crate) fn check_against_differences(inputs: &[Tensor<f64>], op: impl for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64>) {
    central_differences(|_, x| op(x), inputs).assert_ok();
}
