//! Code shared by all methods: runs the function twice, and compares its gradients with a reference.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use tensor::Tensor;

use super::diagnosis::{diagnose, is_near};
use super::finding::Finding;
use super::input::Input;
use super::pass::{Pass, replace_entry};
use super::report::{Comparison, Report};
use super::stencil::{Corner, MANY_POINTS, rounding_noise};

/// Reference gradient of one input.
#[derive(Default)]
pub(super) struct Reference {
    pub(super) gradient: Vec<f64>,
    /// Smallest scale that errors are relative to: the method cannot resolve smaller gradients.
    pub(super) floor: f64,
    /// True if a gradient that is zero everywhere does not mean that the input has no influence.
    pub(super) allows_zero: bool,
    /// Error bound of each entry; empty if rounding is the only error.
    pub(super) uncertainty: Vec<f64>,
    /// Size of rounding errors. A gradient without larger entries consists of rounding alone.
    pub(super) rounding_level: f64,
    /// Entries without a unique slope.
    pub(super) corners: Vec<(usize, Corner)>,
}

impl Reference {
    /// Marks entries of an exact method as uncertain: their difference from the gradient exceeds `tolerance`, but rounding can
    /// explain it. `f` returns the difference for another value of the entry; its noise measures the rounding. Rounding is large
    /// where large terms cancel.
    pub(super) fn measure_rounding(
        &mut self,
        tolerance: f64,
        (pass, k): (&Pass, usize),
        inputs: &[Tensor<f64>],
        mut f: impl FnMut(usize, &[Tensor<f64>]) -> f64,
    ) -> Result<(), Finding> {
        let pairs = || (0..).zip(&self.gradient).map(|(i, &want)| (pass.gradient(k, i), want));
        let scale = pairs().fold(self.floor, |scale, (got, want)| scale.max(got.abs()).max(want.abs()));
        let differences: Vec<f64> = pairs().map(|(got, want)| (got - want).abs()).collect();
        let mut order: Vec<usize> = (0..differences.len()).filter(|&i| differences[i] > tolerance * scale).collect();
        order.sort_by(|&i, &j| differences[j].total_cmp(&differences[i]));
        let mut moved = inputs.to_vec();
        for i in order {
            let rounding = rounding_noise(inputs[k].to_vec()[i], MANY_POINTS, |x| {
                moved[k] = replace_entry(&inputs[k], i, x);
                Ok(vec![f(i, &moved)])
            })?;
            if differences[i] > ROUNDING_FACTOR * rounding {
                break; // rounding does not explain this entry: the gradient is wrong
            }
            self.uncertainty.resize(differences.len(), 0.0);
            self.uncertainty[i] = ROUNDING_FACTOR * rounding;
        }
        Ok(())
    }
}

/// Number of roundings allowed in one result.
pub(super) const ROUNDING_FACTOR: f64 = 4.0;
/// Largest error of a reference, as a share of the tolerance.
const MARGIN: f64 = 0.2;

/// Converts the caller's inputs.
pub(super) fn to_inputs<I: Clone + Into<Input>>(inputs: &[I]) -> Vec<Input> {
    inputs.iter().cloned().map(Into::into).collect()
}

pub(super) fn input_values(inputs: &[Input]) -> Vec<Tensor<f64>> {
    inputs.iter().map(|input| input.value.clone()).collect()
}

/// Compares the gradients from `run` with the reference of each input.
pub(super) fn check_against(
    report: Report,
    inputs: &[Input],
    run: &mut dyn FnMut(f64) -> Pass,
    reference: &mut dyn FnMut(&Pass, usize) -> Result<Reference, Finding>,
) -> Report {
    visit_inputs(report, inputs, run, &mut |report, pass, k| match reference(pass, k) {
        Ok(reference) => compare(report, pass, k, &inputs[k], &reference),
        Err(finding) => report.findings.push(finding),
    })
}

/// Calls `run`, and then calls `visit` with the pass and the number of each input. If the pass cannot be checked, adds a
/// finding instead.
pub(super) fn visit_inputs(
    report: Report,
    inputs: &[Input],
    run: &mut dyn FnMut(f64) -> Pass,
    visit: &mut dyn FnMut(&mut Report, &Pass, usize),
) -> Report {
    let (method, tolerance) = (report.method, report.tolerance);
    catch_panic(|| run_check(report, inputs, run, visit)).unwrap_or_else(|message| {
        let findings = vec![Finding::Panicked(message)];
        Report { findings, ..Report::new(method, tolerance) }
    })
}

/// Returns the result of `f`, or its panic message.
#[cfg(feature = "std")]
fn catch_panic<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        message.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.into())).unwrap_or_else(|| "no message".into())
    })
}

#[cfg(not(feature = "std"))]
fn catch_panic<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    Ok(f())
}

fn run_check(
    mut report: Report,
    inputs: &[Input],
    run: &mut dyn FnMut(f64) -> Pass,
    visit: &mut dyn FnMut(&mut Report, &Pass, usize),
) -> Report {
    if inputs.is_empty() {
        report.findings.push(Finding::NoInputs);
        return report;
    }
    for (k, input) in inputs.iter().enumerate() {
        if !input.value.to_vec().iter().all(|x| x.is_finite()) {
            report.findings.push(Finding::InputNotFinite(input.name(k)));
            return report;
        }
    }
    let pass = run(1.0);
    if let Some(finding) = find_refusal(&pass, inputs.len(), run) {
        report.findings.push(finding);
        return report;
    }
    if !pass.unreached.is_empty() {
        report.findings.push(Finding::Unreached(pass.unreached.clone()));
    }
    let scaled = run(LINEARITY_FACTOR);
    for (k, input) in inputs.iter().enumerate() {
        if !is_linear(scaled.gradients.get(k).and_then(Option::as_ref), pass.gradients[k].as_ref()) {
            report.findings.push(Finding::NotLinear(input.name(k)));
        }
        match input.value.size() {
            0 => report.findings.push(Finding::EmptyInput(input.name(k))),
            _ => visit(&mut report, &pass, k),
        }
    }
    report.gradients = pass.gradients;
    report
}

/// Returns the reason why the pass cannot be compared, or `None` if it can.
fn find_refusal(pass: &Pass, inputs: usize, run: &mut dyn FnMut(f64) -> Pass) -> Option<Finding> {
    if pass.y.size() == 0 {
        return Some(Finding::NoOutput);
    }
    if !pass.y.to_vec().iter().all(|y| y.is_finite()) {
        return Some(Finding::ValueNotFinite);
    }
    let found = pass.gradients.len();
    if found != inputs {
        return Some(Finding::WrongCount { found, expected: inputs });
    }
    (!pass.has_same_bits(&run(1.0))).then_some(Finding::NotDeterministic)
}

/// Factor on dy in the second run, which tests that the gradients are linear in dy. It is negative to test the sign too.
const LINEARITY_FACTOR: f64 = -2.0;

/// Returns true if [`LINEARITY_FACTOR`] times dy gave that many times the gradient, or if the two cannot be compared.
fn is_linear(scaled: Option<&Tensor<f64>>, once: Option<&Tensor<f64>>) -> bool {
    let Some((scaled, once)) = scaled.zip(once).filter(|(a, b)| a.shape() == b.shape()) else { return true };
    let (scaled, once) = (scaled.to_vec(), once.to_vec());
    let finite = scaled.iter().chain(&once).all(|dx| dx.is_finite());
    !finite || is_near(&scaled, &once.iter().map(|dx| LINEARITY_FACTOR * dx).collect::<Vec<_>>())
}

/// Returns a finding if the gradient has the wrong shape or is not finite.
pub(super) fn find_mismatch(input: &Input, name: &str, gradient: &Tensor<f64>) -> Option<Finding> {
    if gradient.shape() != input.value.shape() {
        let (value, gradient) = (input.value.shape().to_vec(), gradient.shape().to_vec());
        return Some(Finding::WrongShape { input: name.into(), value, gradient });
    }
    let finite = gradient.to_vec().iter().all(|dx| dx.is_finite());
    (!finite).then(|| Finding::NotFinite(name.into()))
}

/// Compares the gradient of one input, entry by entry. Errors are relative to its largest entry, or to the floor if that is
/// larger.
fn compare(report: &mut Report, pass: &Pass, k: usize, input: &Input, reference: &Reference) {
    let (name, want) = (input.name(k), &reference.gradient);
    let Some(gradient) = &pass.gradients[k] else {
        let none = want.iter().all(|&w| w == 0.0);
        return report.findings.push(if none { Finding::NoInfluence(name) } else { Finding::Severed(name) });
    };
    if let Some(finding) = find_mismatch(input, &name, gradient) {
        return report.findings.push(finding);
    }
    let got = gradient.to_vec();
    if !want.iter().all(|w| w.is_finite()) {
        return report.findings.push(Finding::NoReference(name));
    }
    if got.iter().chain(want).all(|&g| g == 0.0) && !reference.allows_zero {
        return report.findings.push(Finding::NoInfluence(name));
    }
    if got.iter().chain(want).all(|g| g.abs() <= reference.rounding_level) && !reference.allows_zero {
        return report.findings.push(Finding::OnlyRounding(name));
    }
    for (i, corner) in &reference.corners {
        let (input, place) = (name.clone(), input.place(*i));
        report.findings.push(match *corner {
            Corner::Kink([left, right]) => Finding::Kink { input, place, left, right, gradient: got[*i] },
            Corner::Jump => Finding::Jump { input, place },
        });
    }
    let smooth: Vec<usize> = (0..got.len()).filter(|i| !reference.corners.iter().any(|(at, _)| at == i)).collect();
    let scale = smooth.iter().fold(reference.floor, |scale, &i| scale.max(got[i].abs()).max(want[i].abs()));
    let error = |i: usize| if got[i] == want[i] { 0.0 } else { (got[i] - want[i]).abs() / scale };
    let uncertainty = |i: usize| reference.uncertainty.get(i).map_or(0.0, |bound| bound / scale);
    let is_sure = |i: &usize| uncertainty(*i) <= MARGIN * report.tolerance;
    let (sure, unsure): (Vec<usize>, Vec<usize>) = smooth.iter().partition(|i| is_sure(i));
    if let Some(least_sure) = index_of_largest(&unsure, &uncertainty) {
        let (place, estimate) = (input.place(least_sure), uncertainty(least_sure));
        report.findings.push(Finding::Inconclusive { input: name, place, estimate });
    }
    let (Some(worst), Some(least_sure)) = (index_of_largest(&sure, &error), index_of_largest(&sure, &uncertainty))
    else {
        return;
    };
    let diagnosis = || diagnose(input, &got, want, &pass.extents(), report.tolerance);
    report.compared.push(Comparison {
        place: input.place(worst),
        index: input.index(worst),
        estimate: (!reference.uncertainty.is_empty()).then(|| uncertainty(least_sure)),
        diagnosis: (error(worst) > report.tolerance && unsure.is_empty()).then(diagnosis).flatten(),
        ..Comparison::new(k, input, got[worst], want[worst], error(worst))
    });
}

/// Returns the index at which `f` is largest.
fn index_of_largest(indices: &[usize], f: &dyn Fn(usize) -> f64) -> Option<usize> {
    indices.iter().copied().max_by(|&i, &j| f(i).total_cmp(&f(j)))
}

impl Comparison {
    /// Creates a comparison of two numbers, without the place of an entry.
    pub(super) fn new(number: usize, input: &Input, gradient: f64, reference: f64, error: f64) -> Self {
        Self {
            number,
            input: input.name(number),
            shape: input.value.shape().to_vec(),
            place: String::new(),
            index: Vec::new(),
            gradient,
            reference,
            error,
            ulps: ulps_between(gradient, reference),
            estimate: None,
            diagnosis: None,
        }
    }
}

/// Returns the distance between a and b in ulps: the number of steps from one floating-point number to the next.
fn ulps_between(a: f64, b: f64) -> u64 {
    let position = |x: f64| if x < 0.0 { -((x.to_bits() << 1 >> 1) as i64) } else { (x.to_bits() << 1 >> 1) as i64 };
    position(a).abs_diff(position(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare_with(got: &Tensor<f64>, want: &[f64]) -> Report {
        let mut report = Report::new("reference", 1e-3);
        let reference = Reference { gradient: want.to_vec(), ..Reference::default() };
        let input = Input::from(Tensor::zeros([2, 3])).named("x");
        let (y, dy) = (Tensor::zeros([0]), Tensor::zeros([0]));
        let pass = Pass { y, dy, gradients: vec![Some(got.clone())], unreached: vec![] };
        compare(&mut report, &pass, 0, &input, &reference);
        report
    }

    #[test]
    fn compare_errors_are_relative_to_the_largest_entry() {
        let got = Tensor::from([[0.0, 0.0, 8.0], [0.0, 2.5, 0.0]]);
        let report = compare_with(&got, &[0.0, 0.0, 8.0, 0.0, 2.0, 0.0]);
        let worst = report.worst().expect("one input");
        assert_eq!((&*worst.place, worst.gradient, worst.reference, worst.error), ("[1, 1]", 2.5, 2.0, 0.0625));
        assert!(!report.is_ok() && report.with_tolerance(0.07).is_ok());
        let same = compare_with(&got, &got.to_vec());
        assert_eq!(same.worst().map(|worst| worst.error), Some(0.0));
    }

    #[test]
    fn compare_wrong_shape_is_the_only_finding() {
        let report = compare_with(&Tensor::zeros([0]), &[]);
        let (input, value, gradient) = ("x".into(), vec![2, 3], vec![0]);
        assert_eq!(report.findings, [Finding::WrongShape { input, value, gradient }]);
        assert!(report.compared.is_empty() && !report.is_ok());
    }

    #[test]
    fn report_with_findings_prints_each_of_them() {
        let mut report = compare_with(&Tensor::from([[0.0, 0.0, 2.0], [0.0; 3]]), &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        report.findings.push(Finding::Severed("h0".into()));
        assert_eq!(
            alloc::format!("{report}"),
            "the gradients and reference DO NOT AGREE within 1e-3\n  \
             no gradient reached h0, though the function depends on it\n  \
             x at [0, 2]: 2e0, reference 1e0, error 5.0e-1, 5e15 ulps: TOO FAR\n    \
             it is exactly 2 times what it should be: added twice\n"
        );
    }

    #[test]
    fn ulps_between_counts_representable_numbers() {
        let next = |x: f64| f64::from_bits(x.to_bits() + 1);
        assert_eq!([ulps_between(1.0, next(1.0)), ulps_between(1.0, 1.0), ulps_between(-0.0, 0.0)], [1, 0, 0]);
        assert_eq!(ulps_between(-f64::from_bits(1), f64::from_bits(2)), 3);
    }
}
