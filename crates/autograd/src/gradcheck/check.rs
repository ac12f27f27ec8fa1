//! What the methods share: running what is checked twice, and holding its gradients against a reference.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use tensor::Tensor;

use super::diagnosis::{diagnose, near};
use super::finding::Finding;
use super::input::Input;
use super::pass::{Pass, replaced};
use super::report::{Compared, Report};
use super::stencil::{Corner, MANY_POINTS, noise};

/// What the gradient of an input should be.
#[derive(Default)]
pub(super) struct Reference {
    pub(super) gradient: Vec<f64>,
    /// The scale below which the method sees nothing.
    pub(super) floor: f64,
    /// Whether zeros everywhere mean something else than that the input has no influence.
    pub(super) may_vanish: bool,
    /// Of each entry, how far off it may be; empty where that is rounding alone.
    pub(super) uncertain: Vec<f64>,
    /// What a gradient is made of when it is rounding alone: none of its entries is larger.
    pub(super) blind: f64,
    /// Entries that have no single slope.
    pub(super) corners: Vec<(usize, Corner)>,
}

impl Reference {
    /// Marks entries as uncertain that differ by more than `tolerance`, but by no more than rounding explains. The method itself is
    /// exact. `f` returns the difference of an entry where that entry has another value: what rounding does to it is how
    /// unevenly it changes there. Rounding is large where large terms cancel.
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
            let rounding = noise(inputs[k].to_vec()[i], MANY_POINTS, |x| {
                moved[k] = replaced(&inputs[k], i, x);
                Ok(vec![f(i, &moved)])
            })?;
            if differences[i] > ROUNDINGS * rounding {
                break; // one that rounding does not explain is enough
            }
            self.uncertain.resize(differences.len(), 0.0);
            self.uncertain[i] = ROUNDINGS * rounding;
        }
        Ok(())
    }
}

/// How many roundings a number is thought to have.
pub(super) const ROUNDINGS: f64 = 4.0;
/// How much smaller than the tolerance a reference's own error must be.
const MARGIN: f64 = 0.2;

/// The inputs of a check, from whatever the caller has.
pub(super) fn inputs<I: Clone + Into<Input>>(inputs: &[I]) -> Vec<Input> {
    inputs.iter().cloned().map(Into::into).collect()
}

pub(super) fn values(inputs: &[Input]) -> Vec<Tensor<f64>> {
    inputs.iter().map(|input| input.value.clone()).collect()
}

/// Holds what `run` gives against a reference for each input, by its number.
pub(super) fn check(
    report: Report,
    inputs: &[Input],
    run: &mut dyn FnMut(f64) -> Pass,
    reference: &mut dyn FnMut(&Pass, usize) -> Result<Reference, Finding>,
) -> Report {
    each(report, inputs, run, &mut |report, pass, k| match reference(pass, k) {
        Ok(reference) => compare(report, pass, k, &inputs[k], &reference),
        Err(finding) => report.findings.push(finding),
    })
}

/// Lets `judge` look at what `run` gives, for each input by its number, unless there is nothing to be looked at.
pub(super) fn each(
    report: Report,
    inputs: &[Input],
    run: &mut dyn FnMut(f64) -> Pass,
    judge: &mut dyn FnMut(&mut Report, &Pass, usize),
) -> Report {
    let (method, tolerance) = (report.method, report.tolerance);
    guarded(|| judged(report, inputs, run, judge)).unwrap_or_else(|words| {
        let findings = vec![Finding::Panicked(words)];
        Report { findings, ..Report::new(method, tolerance) }
    })
}

/// What `f` gives, or the words with which it panicked.
#[cfg(feature = "std")]
fn guarded<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        words.or_else(|| panic.downcast_ref::<&str>().map(|&words| words.into())).unwrap_or_else(|| "no words".into())
    })
}

#[cfg(not(feature = "std"))]
fn guarded<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    Ok(f())
}

fn judged(
    mut report: Report,
    inputs: &[Input],
    run: &mut dyn FnMut(f64) -> Pass,
    judge: &mut dyn FnMut(&mut Report, &Pass, usize),
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
    if let Some(finding) = refusal(&pass, inputs.len(), run) {
        report.findings.push(finding);
        return report;
    }
    if !pass.unreached.is_empty() {
        report.findings.push(Finding::Unreached(pass.unreached.clone()));
    }
    let other = run(TIMES);
    for (k, input) in inputs.iter().enumerate() {
        if !is_linear(other.gradients.get(k).and_then(Option::as_ref), pass.gradients[k].as_ref()) {
            report.findings.push(Finding::NotLinear(input.name(k)));
        }
        match input.value.size() {
            0 => report.findings.push(Finding::EmptyInput(input.name(k))),
            _ => judge(&mut report, &pass, k),
        }
    }
    report.gradients = pass.gradients;
    report
}

/// Why nothing can be compared.
fn refusal(pass: &Pass, inputs: usize, run: &mut dyn FnMut(f64) -> Pass) -> Option<Finding> {
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
    (!pass.has_the_bits_of(&run(1.0))).then_some(Finding::NotDeterministic)
}

/// How much else is sent in, to see whether what comes back is linear in it; negative, so that a sign matters.
const TIMES: f64 = -2.0;

/// Whether [`TIMES`] as much sent in brings that much back. What cannot be compared is not for this to say.
fn is_linear(other: Option<&Tensor<f64>>, once: Option<&Tensor<f64>>) -> bool {
    let Some((other, once)) = other.zip(once).filter(|(a, b)| a.shape() == b.shape()) else { return true };
    let (other, once) = (other.to_vec(), once.to_vec());
    let finite = other.iter().chain(&once).all(|dx| dx.is_finite());
    !finite || near(&other, &once.iter().map(|dx| TIMES * dx).collect::<Vec<_>>())
}

/// What makes a gradient one that cannot be compared.
pub(super) fn unlike(input: &Input, name: &str, gradient: &Tensor<f64>) -> Option<Finding> {
    if gradient.shape() != input.value.shape() {
        let (value, gradient) = (input.value.shape().to_vec(), gradient.shape().to_vec());
        return Some(Finding::WrongShape { input: name.into(), value, gradient });
    }
    let finite = gradient.to_vec().iter().all(|dx| dx.is_finite());
    (!finite).then(|| Finding::NotFinite(name.into()))
}

/// Compares the gradient of one input, entry by entry. Errors are relative to its largest entry, or to the floor.
fn compare(report: &mut Report, pass: &Pass, k: usize, input: &Input, reference: &Reference) {
    let (name, want) = (input.name(k), &reference.gradient);
    let Some(gradient) = &pass.gradients[k] else {
        let none = want.iter().all(|&w| w == 0.0);
        return report.findings.push(if none { Finding::NoInfluence(name) } else { Finding::Severed(name) });
    };
    if let Some(finding) = unlike(input, &name, gradient) {
        return report.findings.push(finding);
    }
    let got = gradient.to_vec();
    if !want.iter().all(|w| w.is_finite()) {
        return report.findings.push(Finding::NoReference(name));
    }
    if got.iter().chain(want).all(|&g| g == 0.0) && !reference.may_vanish {
        return report.findings.push(Finding::NoInfluence(name));
    }
    if got.iter().chain(want).all(|g| g.abs() <= reference.blind) && !reference.may_vanish {
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
    let uncertain = |i: usize| reference.uncertain.get(i).map_or(0.0, |off| off / scale);
    let is_sure = |i: &usize| uncertain(*i) <= MARGIN * report.tolerance;
    let (sure, unsure): (Vec<usize>, Vec<usize>) = smooth.iter().partition(|i| is_sure(i));
    if let Some(vague) = largest(&unsure, &uncertain) {
        let (place, estimate) = (input.place(vague), uncertain(vague));
        report.findings.push(Finding::Inconclusive { input: name, place, estimate });
    }
    let (Some(worst), Some(vague)) = (largest(&sure, &error), largest(&sure, &uncertain)) else { return };
    let diagnosis = || diagnose(input, &got, want, &pass.extents(), report.tolerance);
    report.compared.push(Compared {
        place: input.place(worst),
        index: input.index(worst),
        estimate: (!reference.uncertain.is_empty()).then(|| uncertain(vague)),
        diagnosis: (error(worst) > report.tolerance && unsure.is_empty()).then(diagnosis).flatten(),
        ..Compared::of(k, input, got[worst], want[worst], error(worst))
    });
}

/// Where `of` is largest.
fn largest(places: &[usize], of: &dyn Fn(usize) -> f64) -> Option<usize> {
    places.iter().copied().max_by(|&i, &j| of(i).total_cmp(&of(j)))
}

impl Compared {
    /// Two numbers of an input, of no place yet.
    pub(super) fn of(number: usize, input: &Input, gradient: f64, reference: f64, error: f64) -> Self {
        Self {
            number,
            input: input.name(number),
            shape: input.value.shape().to_vec(),
            place: String::new(),
            index: Vec::new(),
            gradient,
            reference,
            error,
            ulps: ulps(gradient, reference),
            estimate: None,
            diagnosis: None,
        }
    }
}

/// How many numbers apart.
fn ulps(a: f64, b: f64) -> u64 {
    let place = |x: f64| if x < 0.0 { -((x.to_bits() << 1 >> 1) as i64) } else { (x.to_bits() << 1 >> 1) as i64 };
    place(a).abs_diff(place(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(got: &Tensor<f64>, want: &[f64]) -> Report {
        let mut report = Report::new("reference", 1e-3);
        let reference = Reference { gradient: want.to_vec(), ..Reference::default() };
        let input = Input::from(Tensor::zeros([2, 3])).named("x");
        let (y, dy) = (Tensor::zeros([0]), Tensor::zeros([0]));
        let pass = Pass { y, dy, gradients: vec![Some(got.clone())], unreached: vec![] };
        compare(&mut report, &pass, 0, &input, &reference);
        report
    }

    #[test]
    fn errors_are_relative_to_the_largest_entry() {
        let got = Tensor::from([[0.0, 0.0, 8.0], [0.0, 2.5, 0.0]]);
        let report = compared(&got, &[0.0, 0.0, 8.0, 0.0, 2.0, 0.0]);
        let worst = report.worst().expect("one input");
        assert_eq!((&*worst.place, worst.gradient, worst.reference, worst.error), ("[1, 1]", 2.5, 2.0, 0.0625));
        assert!(!report.is_ok() && report.within(0.07).is_ok());
        let same = compared(&got, &got.to_vec());
        assert_eq!(same.worst().map(|worst| worst.error), Some(0.0));
    }

    #[test]
    fn a_shape_is_looked_at_first() {
        let report = compared(&Tensor::zeros([0]), &[]);
        let (input, value, gradient) = ("x".into(), vec![2, 3], vec![0]);
        assert_eq!(report.findings, [Finding::WrongShape { input, value, gradient }]);
        assert!(report.compared.is_empty() && !report.is_ok());
    }

    #[test]
    fn a_report_says_what_is_wrong() {
        let mut report = compared(&Tensor::from([[0.0, 0.0, 2.0], [0.0; 3]]), &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
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
    fn numbers_between_two_numbers() {
        let next = |x: f64| f64::from_bits(x.to_bits() + 1);
        assert_eq!([ulps(1.0, next(1.0)), ulps(1.0, 1.0), ulps(-0.0, 0.0)], [1, 0, 0]);
        assert_eq!(ulps(-f64::from_bits(1), f64::from_bits(2)), 3);
    }
}
