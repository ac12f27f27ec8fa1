//! What the operations' unit tests share.

use tensor::Tensor;

use crate::{Tape, Var};

fn assert_close(what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let bound = 1e-14 * (1.0 + want.abs());
        assert!((got - want).abs() <= bound, "{what}[{i}]: {got} is not {want}");
    }
}

/// A gradient that is different in every place.
fn cotangent(i: usize) -> f64 {
    0.75 - 0.5 * i as f64
}

/// Value and slope of an elementwise operation against functions written independently.
pub(crate) fn check_unary(
    xs: &[f64],
    op: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>,
    f: impl Fn(f64) -> f64,
    slope: impl Fn(f64) -> f64,
) {
    let tape = Tape::new();
    let x = tape.input(Tensor::new([xs.len()], xs.to_vec()));
    let y = op(x);
    let dy = Tensor::from_fn([xs.len()], cotangent);
    y.backward_from(&dy).expect("no parameters");
    let want: alloc::vec::Vec<f64> = xs.iter().map(|&x| f(x)).collect();
    assert_close("y", &y.value().to_vec(), &want);
    let want: alloc::vec::Vec<f64> = xs.iter().enumerate().map(|(i, &x)| slope(x) * cotangent(i)).collect();
    assert_close("dx", &x.grad().expect("reached").to_vec(), &want);
}

/// Value and gradients of an operation on a matrix and a row, for the cotangent [[1, 10], [100, 1000]].
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

/// The gradients of several inputs of shapes with values, for a cotangent that differs in every place: checked against
/// a central difference, which is coarse but knows nothing of the rule.
pub(crate) fn check_against_differences(inputs: &[Tensor<f64>], op: impl for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64>) {
    let tape = Tape::new();
    let vars: alloc::vec::Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
    let y = op(&vars);
    let dy = Tensor::from_fn(y.shape(), cotangent);
    y.backward_from(&dy).expect("no parameters");
    let step = 1e-5;
    for (k, x) in inputs.iter().enumerate() {
        let scale: f64 = y.value().to_vec().iter().enumerate().map(|(i, y)| (y * cotangent(i)).abs()).sum();
        let grad = vars[k].grad().expect("reached");
        assert_eq!(grad.shape(), x.shape(), "gradient {k}");
        for i in 0..x.size() {
            let at = |h: f64| {
                let mut values = x.to_vec();
                values[i] += h;
                let tape = Tape::new();
                let moved = Tensor::new(x.shape(), values);
                let vars: alloc::vec::Vec<_> = inputs
                    .iter()
                    .enumerate()
                    .map(|(j, x)| tape.input(if j == k { moved.clone() } else { x.clone() }))
                    .collect();
                let y = op(&vars).value().to_vec();
                y.iter().enumerate().map(|(i, y)| y * cotangent(i)).sum::<f64>()
            };
            let want = (at(step) - at(-step)) / (2.0 * step);
            let got = grad.to_vec()[i];
            let bound = 1e-8 * (1.0 + want.abs()) + 1e-10 * scale; // truncation, rounding
            assert!((got - want).abs() < bound, "gradient {k}[{i}]: {got}, by differences {want}");
        }
    }
}
