//! Tests of the convention at kinks: relu's slope at 0 is 0, as in PyTorch.

use autograd::Tape;
use autograd::gradcheck::{Finding, duals, richardson};
use autograd::{Var, function};
use tensor::Tensor;

/// Zeros of both signs, the smallest normal numbers, and ±1.
const AROUND: [f64; 6] = [0.0, -0.0, f64::MIN_POSITIVE, -f64::MIN_POSITIVE, 1.0, -1.0];

#[test]
fn relu_at_zero_has_slope_zero() {
    let tape = Tape::new();
    let x = tape.input(Tensor::from(AROUND));
    let y = x.relu();
    y.backward_from(&Tensor::full([6], 3.0)).expect("no parameters");
    assert_eq!(y.value().to_vec(), [0.0, 0.0, f64::MIN_POSITIVE, 0.0, 1.0, 0.0]);
    assert_eq!(x.grad().expect("reached").to_vec(), [0.0, 0.0, 3.0, 0.0, 3.0, 0.0]);
}

#[test]
fn relu_at_zero_both_modes_agree() {
    duals(&function!(|x| x[0].relu()), &[Tensor::from(AROUND)]).assert_ok();
}

/// Differences report a kink at the zeros and nowhere else. With `allow_kinks` the convention is not a mistake.
#[test]
fn richardson_at_a_kink_reports_it() {
    let x = [Tensor::from([0.5, 0.0, -0.5, -0.0])];
    let report = richardson(|_, x: &[Var<'_, f64>]| x[0].relu(), &x);
    let place = |finding: &Finding| match finding {
        Finding::Kink { place, left, right, gradient, .. } => {
            assert!(*gradient == 0.0 && (*left == 0.0) != (*right == 0.0), "{finding}");
            place.clone()
        }
        other => panic!("{other}"),
    };
    assert_eq!(report.findings.iter().map(place).collect::<Vec<_>>(), ["[1]", "[3]"]);
    assert!(!report.is_ok() && report.clone().allow_kinks().is_ok());
}
