//! Tests of the conventions at kinks, which are PyTorch's: the slope of relu and abs at 0 is 0, equal arguments of a maximum or
//! minimum share the gradient, and clamp passes it at the ends of its range.

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

/// Returns the gradients of the inputs for dy = 3.
fn gradients_of<const N: usize>(
    x: [&[f64]; N],
    f: impl for<'t> Fn([Var<'t, f64>; N]) -> Var<'t, f64>,
) -> [Vec<f64>; N] {
    let tape = Tape::new();
    let x = x.map(|x| tape.input(Tensor::new([x.len()], x.to_vec())));
    let y = f(x);
    y.backward_from(&Tensor::full(y.shape(), 3.0)).expect("no parameters");
    x.map(|x| x.grad().expect("reached").to_vec())
}

#[test]
fn abs_at_zero_has_slope_zero() {
    assert_eq!(gradients_of([&AROUND], |[x]| x.abs()), [[0.0, 0.0, 3.0, -3.0, 3.0, -3.0]]);
}

#[test]
fn clamp_at_the_ends_of_its_range_has_slope_one() {
    let [low, high] = [-2.0_f64, 1.0];
    let x = [low.next_down(), low, low.next_up(), high.next_down(), high, high.next_up()];
    assert_eq!(gradients_of([&x], |[x]| x.clamp(low, high)), [[0.0, 3.0, 3.0, 3.0, 3.0, 0.0]]);
}

#[test]
fn maximum_and_minimum_of_equal_arguments_share_the_gradient() {
    let (a, b) = ([0.0, 1.0, 2.0, f64::NEG_INFINITY], [-0.0, 2.0, 1.0, f64::NEG_INFINITY]);
    assert_eq!(gradients_of([&a, &b], |[a, b]| a.maximum(b)), [[1.5, 0.0, 3.0, 1.5], [1.5, 3.0, 0.0, 1.5]]);
    assert_eq!(gradients_of([&a, &b], |[a, b]| a.minimum(b)), [[1.5, 3.0, 0.0, 1.5], [1.5, 0.0, 3.0, 1.5]]);
}

#[test]
fn maximum_and_minimum_with_nan_are_nan() {
    let tape = Tape::<f64>::new();
    let [a, b] = [[f64::NAN, 1.0, f64::NAN], [0.0, f64::NAN, f64::NAN]].map(|x| tape.input(Tensor::from(x)));
    for y in [a.maximum(b), a.minimum(b)] {
        assert!(y.value().to_vec().iter().all(|y| y.is_nan()));
    }
}

#[test]
fn kinks_both_modes_agree() {
    let around = [Tensor::from(AROUND)];
    duals(&function!(|x| x[0].relu()), &around).assert_ok();
    duals(&function!(|x| x[0].abs()), &around).assert_ok();
    duals(&function!(|x| x[0].clamp(T::zero(), T::one())), &around).assert_ok();
    let pair = [Tensor::from([1.0, -1.0, 0.0, 2.0]), Tensor::from([1.0, -1.0, -0.0, 3.0])];
    duals(&function!(|x| x[0].maximum(x[1])), &pair).assert_ok();
    duals(&function!(|x| x[0].minimum(x[1])), &pair).assert_ok();
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
