//! Tests of the gradient checker: it finds planted errors, and reports each kind of finding.

use alloc::vec::Vec;
use core::cell::Cell;

use tensor::{Real, Tensor};

use super::pass::replace_entry;
use super::{
    Finding, Function, Input, Report, by_hand, central_differences, dot_products, duals, richardson, second_order,
};
use crate::{Backward, CustomOp, Forward, Tape, Var, derivatives, function};

/// A planted error in the backward of a product.
#[derive(Clone, Copy)]
enum Bug {
    None,
    Factor(f64),
    Swapped,
    Overwrites,
}

/// y = a·b elementwise, with a planted error in its backward.
struct Product(Bug);

impl<T: Real> CustomOp<T> for Product {
    fn name(&self) -> &str {
        "product"
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (a, b) = (f.input(0).to_vec(), f.input(1).to_vec());
        let y: Vec<T> = a.iter().zip(&b).map(|(&a, &b)| a * b).collect();
        f.output(f.shape(0)).assign(&y);
    }

    fn backward(&self, back: &mut Backward<'_, T>) {
        let dy = back.dy().to_vec();
        for k in 0..2 {
            let other = back.input(if matches!(self.0, Bug::Swapped) { k } else { 1 - k }).to_vec();
            let Some(dx) = back.grad(k) else { continue };
            let mut slope = dx.view().to_vec();
            for ((dx, &other), &dy) in slope.iter_mut().zip(&other).zip(&dy) {
                match self.0 {
                    Bug::Factor(factor) => *dx += T::from_f64(factor) * other * dy,
                    Bug::Overwrites => *dx = other * dy,
                    Bug::None | Bug::Swapped => *dx += other * dy,
                }
            }
            dx.assign(&slope);
        }
    }
}

/// a·b + a: `a` has two uses, and the product's backward runs after the sum's.
fn product_plus_a(bug: Bug) -> impl Function {
    function!([bug: Bug] |tape, x| tape.custom(Product(*bug), x) + x[0])
}

fn inputs() -> [Tensor<f64>; 2] {
    [Tensor::from([[0.5, -1.25, 2.0], [3.0, 0.75, -0.5]]), Tensor::from([[1.5, 2.5, -0.25], [0.125, -2.0, 1.0]])]
}

/// Returns the reports of all methods.
fn check_by_all_methods(f: &impl Function, inputs: &[Tensor<f64>]) -> [Report; 5] {
    [
        duals(f, inputs),
        richardson(|tape, x| f.call(tape, x), inputs),
        central_differences(|tape, x| f.call(tape, x), inputs),
        dot_products(f, inputs),
        second_order(f, inputs),
    ]
}

#[test]
fn all_methods_right_rule_passes() {
    check_by_all_methods(&product_plus_a(Bug::None), &inputs()).iter().for_each(Report::assert_ok);
}

#[test]
fn all_methods_wrong_factor_is_found_down_to_their_tolerance() {
    let is_found =
        |d: f64| check_by_all_methods(&product_plus_a(Bug::Factor(1.0 + d)), &inputs()).map(|report| !report.is_ok());
    assert_eq!(is_found(4e-13), [true, false, false, false, false]);
    assert_eq!(is_found(1e-9), [true, true, false, true, true]);
    assert_eq!(is_found(1e-6), [true; 5]);
}

#[test]
fn all_methods_swapped_operands_or_missing_accumulation_are_found() {
    for bug in [Bug::Swapped, Bug::Overwrites] {
        // The second-order check does not find a missing linear term.
        let methods = if let Bug::Overwrites = bug { 4 } else { 5 };
        assert!(check_by_all_methods(&product_plus_a(bug), &inputs())[..methods].iter().all(|report| !report.is_ok()));
    }
}

#[test]
fn duals_missing_accumulation_names_the_worst_entry() {
    let report = duals(&function!(|tape, x| tape.custom(Product(Bug::Overwrites), x) + x[0]), &inputs());
    let worst = report.worst().expect("two inputs were compared");
    assert_eq!(worst.number, 0);
    let dy = worst.reference - worst.gradient;
    assert_eq!(report.findings, []);
    assert!((0.5..1.5).contains(&dy.abs()), "dy is missing, not {dy}");
    assert_eq!(report.compared[1].error, 0.0);
}

#[test]
fn all_methods_without_inputs_report_no_inputs() {
    let f = function!(|tape, _| tape.constant(Tensor::scalar(T::one())));
    for report in check_by_all_methods(&f, &[] as &[Tensor<f64>]) {
        assert_eq!(report.findings, [Finding::NoInputs]);
        assert!(!report.is_ok());
    }
}

#[test]
fn all_methods_empty_value_reports_no_output() {
    for report in check_by_all_methods(&function!(|x| (x[0] * x[1]).slice(0, 1..1)), &inputs()) {
        assert_eq!(report.findings, [Finding::NoOutput]);
        assert!(!report.is_ok());
    }
}

#[test]
fn central_differences_changing_function_is_not_deterministic() {
    let calls = Cell::new(0.0);
    let report = central_differences(
        |_, x| {
            calls.set(calls.get() + 1.0);
            x[0].scale(calls.get()) + x[1]
        },
        &inputs(),
    );
    assert_eq!(report.findings, [Finding::NotDeterministic]);
}

#[test]
fn all_methods_input_without_influence_is_found() {
    for report in check_by_all_methods(&function!(|x| x[0].square() + x[1].detach().scale(T::zero())), &inputs()) {
        assert_eq!(report.findings, [Finding::NoInfluence("input 1".into())]);
        assert!(report.compared.iter().all(|compared| compared.number == 0));
    }
    for report in &check_by_all_methods(&function!(|x| x[0].square() + x[1].scale(T::zero())), &inputs())[..4] {
        assert_eq!(report.findings, [Finding::NoInfluence("input 1".into())]);
    }
}

#[test]
fn central_differences_detached_input_is_severed() {
    let report = central_differences(|_, x| x[0] * x[1].detach(), &inputs());
    assert_eq!(report.findings, [Finding::Severed("input 1".into())]);
}

#[test]
fn duals_detached_value_is_a_constant() {
    duals(&function!(|x| x[0] * x[1] * x[1].detach()), &inputs()).assert_ok();
}

#[test]
fn all_methods_nonfinite_value_or_gradient_is_found() {
    for report in check_by_all_methods(
        &function!(|x| x[0] * x[1].square().shift(T::from_f64(1.0 / 64.0)).log().sqrt()),
        &inputs(),
    ) {
        assert_eq!(report.findings, [Finding::ValueNotFinite]);
    }
    let root_at_zero = [Tensor::from([1.0]), Tensor::from([0.0])];
    for report in check_by_all_methods(&function!(|x| x[0] + x[1].sqrt()), &root_at_zero) {
        assert!(report.findings.contains(&Finding::NotFinite("input 1".into())), "{report}");
    }
}

#[test]
fn all_methods_empty_input_is_found() {
    for report in check_by_all_methods(
        &function!(|x| x[0].square() + x[1].sum()),
        &[Tensor::from([1.0, 2.0]), Tensor::zeros([0, 3])],
    ) {
        assert_eq!(report.findings, [Finding::EmptyInput("input 1".into())]);
    }
}

#[cfg(feature = "std")]
#[test]
fn all_methods_panic_is_a_finding() {
    for report in check_by_all_methods(&function!(|x| x[0].matmul(x[1])), &inputs()) {
        let words = "matmul: the inner sizes of [2, 3] · [2, 3] must agree: 3 is not 2";
        assert_eq!(report.findings, [Finding::Panicked(words.into())]);
    }
}

#[test]
fn central_differences_value_dependent_shape_is_found() {
    let positive = |x: Var<'_, f64>| x.value().to_vec().iter().filter(|&&x| x > 1.0).count();
    let report = central_differences(|_, x| x[0].slice(0, 0..positive(x[0]).max(1)), &[Tensor::from([1.0, 2.0])]);
    assert_eq!(report.findings, [Finding::ShapeVaries]);
}

#[test]
fn by_hand_wrong_count_or_shape_of_gradients_is_found() {
    let value = |x: &[Tensor<f64>]| &x[0] * &x[1];
    let right = |x: &[Tensor<f64>], dy: &Tensor<f64>| [dy * &x[1], dy * &x[0]].to_vec();
    by_hand(value, right, &inputs()).assert_ok();
    let report = by_hand(value, |x, dy| right(x, dy)[..1].to_vec(), &inputs());
    assert_eq!(report.findings, [Finding::WrongCount { found: 1, expected: 2 }]);
    let report = by_hand(value, |x, dy| [dy * &x[1], Tensor::zeros([3])].to_vec(), &inputs());
    let (input, value, gradient) = ("input 1".into(), [2, 3].to_vec(), [3].to_vec());
    assert_eq!(report.findings, [Finding::WrongShape { input, value, gradient }]);
}

#[test]
fn by_hand_forgotten_mean_over_a_matrix_is_diagnosed() {
    let value = |x: &[Tensor<f64>]| Tensor::scalar((&x[0] * &x[0]).to_vec().iter().sum::<f64>() / 6.0);
    let gradient = |x: &[Tensor<f64>], dy: &Tensor<f64>| [&x[0] * (2.0 * dy.item())].to_vec();
    let report = by_hand(value, gradient, &inputs()[..1]);
    assert_eq!(report.diagnoses().next(), Some(("input 0", &crate::gradcheck::Diagnosis::Times(6))));
}

/// A staircase looks linear to differences whose steps are multiples of its own.
#[test]
fn by_hand_staircase_or_wave_does_not_pass() {
    let x = [Tensor::from([0.3, -0.7, 0.123])];
    for stairs in [16.0, 256.0, 1024.0] {
        let value = |x: &[Tensor<f64>]| Tensor::from_fn([3], |i| (stairs * x[0].to_vec()[i]).round() / stairs);
        let report = by_hand(value, |_, dy| [dy.clone()].to_vec(), &x);
        assert!(!report.is_ok(), "{stairs}: {report}");
    }
    let wave =
        |x: &[Tensor<f64>]| Tensor::from_fn([3], |i| 0.1 * (6433.98 * x[0].to_vec()[i]).sin() + x[0].to_vec()[i]);
    assert!(!by_hand(wave, |_, dy| [dy.clone()].to_vec(), &x).is_ok());
}

#[test]
fn by_hand_jump_is_not_allowed_as_a_kink() {
    let step = |x: &[Tensor<f64>]| Tensor::from_fn([2], |i| f64::from(x[0].to_vec()[i] >= 0.0) + x[0].to_vec()[i]);
    let report = by_hand(step, |_, dy| [&Tensor::from([42.0, 1.0]) * dy].to_vec(), &[Tensor::from([0.0, 1.0])]);
    assert_eq!(report.findings, [Finding::Jump { input: "input 0".into(), place: "[0]".into() }]);
    assert!(!report.allow_kinks().is_ok());
}

#[test]
fn by_hand_backward_that_depends_on_a_sign_does_not_pass() {
    let square = |x: &[Tensor<f64>]| Tensor::scalar((&x[0] * &x[0]).to_vec().iter().sum());
    for edge in [f64::min, f64::max] {
        let clipped =
            |x: &[Tensor<f64>], dy: &Tensor<f64>| [&x[0] * &Tensor::scalar(2.0 * edge(dy.item(), 0.0))].to_vec();
        assert!(!by_hand(square, clipped, &[Tensor::from([1.0, -2.0])]).is_ok());
    }
}

/// The difference of two large values does not confirm a gradient smaller than their rounding errors.
#[test]
fn central_differences_gradient_below_rounding_is_only_rounding() {
    let report = central_differences(|_, x| x[0].scale(1e-13).shift(1e3), &[Tensor::from([0.5])]);
    assert_eq!(report.findings, [Finding::OnlyRounding("input 0".into())]);
}

/// A bias added to all logits does not change softmax: its gradient is zero up to rounding.
#[test]
fn duals_gradient_that_cancels_is_found() {
    let f = function!(|x| (x[0] + x[1].broadcast_to([2, 3])).softmax());
    let bias = Tensor::scalar(0.3);
    let report = duals(&f, &[inputs()[0].clone(), bias]);
    assert!(matches!(&report.findings[..], [Finding::OnlyRounding(_) | Finding::NoInfluence(_)]), "{report}");
}

#[test]
fn nonfinite_input_or_reference_is_found() {
    let name = || alloc::string::String::from("input 0");
    let report = duals(&function!(|x| x[0].tanh()), &[Tensor::from([f64::INFINITY, 0.3])]);
    assert_eq!(report.findings, [Finding::InputNotFinite(name())]);
    let report = central_differences(|_, x| x[0].log(), &[Tensor::from([1e-8, 1.0])]);
    assert_eq!(report.findings, [Finding::NoReference(name())]);
}

/// A constant in a gradient may come from an addition in place of a product, or from another pass.
#[test]
fn by_hand_gradient_not_linear_in_dy_is_found() {
    let value = |x: &[Tensor<f64>]| &x[0] * &x[1];
    let adds = |x: &[Tensor<f64>], dy: &Tensor<f64>| [dy * &x[1], &(dy * &x[0]) + &Tensor::scalar(1e-6)].to_vec();
    let report = by_hand(value, adds, &inputs());
    assert_eq!(report.findings, [Finding::NotLinear("input 1".into())]);
    assert!(report.compared[1].error > report.tolerance);
}

/// relu at 0 has the slopes 0 and 1; its gradient there is 0 by convention.
#[test]
fn differences_kink_of_relu_is_found_and_can_be_allowed() {
    let x = [Tensor::from([1.0, 0.0, -1.0, 0.5])];
    for report in [richardson(|_, x| x[0].relu(), &x), central_differences(|_, x| x[0].relu(), &x)] {
        let [Finding::Kink { input, place, left, right, gradient }] = &report.findings[..] else { panic!("{report}") };
        assert_eq!((&**input, &**place, *gradient), ("input 0", "[1]", 0.0));
        let slopes = [left.abs().min(right.abs()), left.abs().max(right.abs())];
        assert!(slopes[0] == 0.0 && (0.5..1.5).contains(&slopes[1]), "{report}");
        assert!(!report.is_ok());
        report.allow_kinks().assert_ok();
    }
}

/// √(x² + 10⁻⁹) bends near 0 more sharply than the differences can resolve.
#[test]
fn richardson_sharp_bend_is_inconclusive() {
    let report = richardson(|_, x| (x[0] * x[0]).shift(1e-9).sqrt(), &[Tensor::from([1e-5, 1.0])]);
    assert!(matches!(&report.findings[..], [Finding::Inconclusive { .. }]), "{report}");
}

#[test]
fn suspect_matching_function_is_diagnosed() {
    let inputs = inputs().map(|x| Input::from(x).named("x"));
    let report = duals(&product_plus_a(Bug::Swapped), &inputs);
    assert!(!report.is_ok());
    let report = report.suspect("a²/2 + b²/2 + a", |_, x| (x[0].square() + x[1].square()).scale(0.5) + x[0], &inputs);
    let other = crate::gradcheck::Diagnosis::Other("a²/2 + b²/2 + a".into());
    assert_eq!(report.diagnoses().collect::<Vec<_>>(), [("x", &other), ("x", &other)]);
}

#[test]
fn central_differences_unreached_parameter_is_found() {
    let record_unused = |tape: &Tape<f64>| tape.param("lost", Tensor::scalar(1.0)).index();
    let report = central_differences(
        |tape, x| {
            record_unused(tape);
            x[0] * x[1]
        },
        &inputs(),
    );
    assert_eq!(report.findings, [Finding::Unreached(["lost".into()].to_vec())]);
}

/// Compares reverse over forward mode with differences of the gradient, entry by entry.
#[test]
fn hessian_of_a_layer_is_symmetric_and_matches_differences() {
    let f = function!(|x| (x[0].matmul(x[1]).tanh().log_softmax() * x[2]).sum());
    let inputs = [
        Tensor::from([[0.5, -1.25, 2.0], [0.25, 0.75, -0.5]]),
        Tensor::from([[0.5, -0.25], [0.125, -1.0], [0.75, 1.0]]),
        Tensor::from([0.3, -0.7]),
    ];
    let hessian = derivatives::hessian(&f, &inputs);
    let places = (0..3).flat_map(|k| (0..inputs[k].size()).map(move |i| (k, i)));
    let gradient = |(k, i): (usize, usize), step: f64| {
        let mut moved = inputs.clone();
        moved[k] = replace_entry(&inputs[k], i, inputs[k].to_vec()[i] + step);
        derivatives::gradient(&f, &moved).1.iter().flat_map(Tensor::to_vec).collect::<Vec<f64>>()
    };
    for (a, place) in places.enumerate() {
        let (right, left) = (gradient(place, 1e-5), gradient(place, -1e-5));
        for b in 0..hessian.shape()[0] {
            let [ab, ba] = [hessian.get(&[a, b]), hessian.get(&[b, a])];
            assert!((ab - ba).abs() < 1e-14, "H[{a}][{b}] is not H[{b}][{a}]");
            let want = (right[b] - left[b]) / 2e-5;
            assert!((ab - want).abs() < 1e-8, "H[{a}][{b}]: {ab} is not {want}");
        }
    }
}
