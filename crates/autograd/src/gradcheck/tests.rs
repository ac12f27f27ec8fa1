//! The checker has teeth: planted errors are found, and each refusal is given.

use alloc::vec::Vec;
use core::cell::Cell;

use tensor::{Dual, Real, Tensor};

use super::{Finding, Function, Report, central_differences, duals};
use crate::{Backward, CustomOp, Forward, Tape, function};

/// What is wrong with the backward of a product.
#[derive(Clone, Copy)]
enum Slip {
    None,
    Factor(f64),
    Swapped,
    Overwrites,
}

/// y = a·b elementwise, slightly wrong.
struct Product(Slip);

impl<T: Real> CustomOp<T> for Product {
    fn name(&self) -> &str {
        "product"
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (a, b) = (f.input(0).host(), f.input(1).host());
        let y = f.output(f.shape(0)).host();
        y.into_iter().zip(&a).zip(&b).for_each(|((y, &a), &b)| *y = a * b);
    }

    fn backward(&self, back: &mut Backward<'_, T>) {
        let dy = back.dy().host();
        for k in 0..2 {
            let other = back.input(if matches!(self.0, Slip::Swapped) { k } else { 1 - k }).host();
            let Some(dx) = back.grad(k) else { continue };
            for ((dx, &other), &dy) in dx.host().iter_mut().zip(&other).zip(&dy) {
                match self.0 {
                    Slip::Factor(factor) => *dx += T::of(factor) * other * dy,
                    Slip::Overwrites => *dx = other * dy,
                    Slip::None | Slip::Swapped => *dx += other * dy,
                }
            }
        }
    }
}

/// a·b + a: `a` has two uses, and the product's backward runs after the sum's.
fn slipping(slip: Slip) -> impl Function {
    function!([slip: Slip] |tape, x| tape.custom(Product(*slip), x) + x[0])
}

fn inputs() -> [Tensor<f64>; 2] {
    [Tensor::from([[0.5, -1.25, 2.0], [3.0, 0.75, -0.5]]), Tensor::from([[1.5, 2.5, -0.25], [0.125, -2.0, 1.0]])]
}

/// The reports of both methods.
fn both(f: &impl Function) -> [Report; 2] {
    [duals(f, &inputs()), central_differences(|tape, x| f.call(tape, x), &inputs())]
}

#[test]
fn a_right_rule_passes() {
    both(&slipping(Slip::None)).iter().for_each(Report::assert_ok);
}

#[test]
fn a_factor_is_seen_down_to_the_methods_limit() {
    let [exact, coarse] = both(&slipping(Slip::Factor(1.0 + 1e-10)));
    assert!(!exact.is_ok() && coarse.is_ok());
    let [exact, coarse] = both(&slipping(Slip::Factor(1.0 + 1e-6)));
    assert!(!exact.is_ok() && !coarse.is_ok());
}

#[test]
fn swapped_operands_and_a_missing_accumulation_are_seen() {
    for slip in [Slip::Swapped, Slip::Overwrites] {
        assert!(both(&slipping(slip)).iter().all(|report| !report.is_ok()));
    }
}

#[test]
fn the_worst_entry_is_named() {
    let report = duals(&function!(|tape, x| tape.custom(Product(Slip::Overwrites), x) + x[0]), &inputs());
    let worst = report.worst().expect("two inputs were compared");
    assert_eq!(worst.input, 0);
    let dy = worst.reference - worst.tape;
    assert_eq!(report.findings, []);
    assert!((0.5..1.5).contains(&dy.abs()), "what is missing is dy itself, not {dy}");
    assert_eq!(report.worst[1].error, 0.0);
}

#[test]
fn without_inputs_nothing_is_checked() {
    let report = central_differences(|tape, _| tape.constant(Tensor::scalar(1.0)), &[]);
    assert_eq!(report.findings, [Finding::NoInputs]);
    assert!(!report.is_ok());
}

#[test]
fn without_an_output_nothing_is_checked() {
    for report in both(&function!(|x| (x[0] * x[1]).slice(0, 1..1))) {
        assert_eq!(report.findings, [Finding::NoOutput]);
        assert!(!report.is_ok());
    }
}

#[test]
fn what_changes_from_run_to_run_is_no_function() {
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
fn an_input_without_influence_is_found() {
    for report in both(&function!(|x| x[0].square() + x[1].detach().scale(T::zero()))) {
        assert_eq!(report.findings, [Finding::NoInfluence(1)]);
        assert_eq!(report.worst.len(), 1);
    }
}

#[test]
fn a_severed_input_is_found_by_differences() {
    let report = central_differences(|_, x| x[0] * x[1].detach(), &inputs());
    assert_eq!(report.findings, [Finding::Severed(1)]);
}

#[test]
fn a_detached_value_is_a_constant_on_duals() {
    duals(&function!(|x| x[0] * x[1] * x[1].detach()), &inputs()).assert_ok();
}

#[test]
fn a_gradient_that_is_no_number_is_found() {
    for report in both(&function!(|x| x[0] * x[1].log())) {
        assert_eq!(report.findings, [Finding::NotFinite(0), Finding::NotFinite(1)]);
    }
}

#[test]
fn a_parameter_of_the_functions_own_must_be_reached() {
    let lost = |tape: &Tape<f64>| tape.param("lost", Tensor::scalar(1.0)).index();
    let report = central_differences(
        |tape, x| {
            lost(tape);
            x[0] * x[1]
        },
        &inputs(),
    );
    assert_eq!(report.findings, [Finding::Unreached(["lost".into()].to_vec())]);
}

/// Reverse over forward: the tangents of the gradients along a direction u are H·u, column by column here.
#[test]
fn the_hessian_by_reverse_over_duals_is_symmetric_and_right() {
    let f = function!(|x| (x[0].matmul(x[1]).tanh().log_softmax() * x[2]).sum());
    let inputs = [
        Tensor::from([[0.5, -1.25, 2.0], [0.25, 0.75, -0.5]]),
        Tensor::from([[0.5, -0.25], [0.125, -1.0], [0.75, 1.0]]),
        Tensor::from([0.3, -0.7]),
    ];
    let sizes = inputs.each_ref().map(Tensor::size);
    let places: Vec<(usize, usize)> = (0..3).flat_map(|k| (0..sizes[k]).map(move |i| (k, i))).collect();
    let column = |(k, i)| {
        let tape = Tape::new();
        let seed = |j: usize, l: usize, x: f64| Dual { value: x, tangent: if (j, l) == (k, i) { 1.0 } else { 0.0 } };
        let lift = |(j, x): (usize, &Tensor<f64>)| Tensor::from_fn(x.shape(), |l| seed(j, l, x.to_vec()[l]));
        let x: Vec<_> = inputs.iter().enumerate().map(|x| tape.input(lift(x))).collect();
        f.call(&tape, &x).backward().expect("no parameters");
        x.iter().flat_map(|x| x.grad().expect("reached").to_vec()).map(|dx| dx.tangent).collect::<Vec<f64>>()
    };
    let hessian: Vec<Vec<f64>> = places.iter().map(|&place| column(place)).collect();
    let gradient = |(k, i): (usize, usize), step: f64| {
        let tape = Tape::new();
        let mut moved = inputs.each_ref().map(Tensor::to_vec);
        moved[k][i] += step;
        let x: Vec<_> = (0..3).map(|j| tape.input(Tensor::new(inputs[j].shape(), moved[j].clone()))).collect();
        f.call(&tape, &x).backward().expect("no parameters");
        x.iter().flat_map(|x| x.grad().expect("reached").to_vec()).collect::<Vec<f64>>()
    };
    for (a, &place) in places.iter().enumerate() {
        let (right, left) = (gradient(place, 1e-5), gradient(place, -1e-5));
        for b in 0..places.len() {
            assert!((hessian[a][b] - hessian[b][a]).abs() < 1e-14, "H[{a}][{b}] is not H[{b}][{a}]");
            let want = (right[b] - left[b]) / 2e-5;
            assert!((hessian[a][b] - want).abs() < 1e-8, "H[{a}][{b}]: {} is not {want}", hessian[a][b]);
        }
    }
}
