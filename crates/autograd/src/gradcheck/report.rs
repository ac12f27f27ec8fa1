//! What a check found.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use tensor::{Shape, Tensor};

/// The entry of an input's gradient that is furthest from the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Worst {
    /// Which input.
    pub input: usize,
    /// Where in it.
    pub index: Vec<usize>,
    /// What the tape says.
    pub tape: f64,
    /// What the method says.
    pub reference: f64,
    /// The gap between them, divided by the gradient's largest entry.
    pub error: f64,
}

/// A reason why nothing can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// There is nothing to differentiate by.
    NoInputs,
    /// The function's value is empty: there is nothing to differentiate.
    NoOutput,
    /// A second run gave other bits: random numbers, or state that outlives a call.
    NotDeterministic,
    /// The tape left no gradient for this input, and it has none: the function does not depend on it.
    NoInfluence(usize),
    /// The tape left no gradient for this input, though the function depends on it.
    Severed(usize),
    /// The gradient of this input has another shape than the input.
    WrongShape {
        /// Which input.
        input: usize,
        /// Its shape.
        value: Shape,
        /// Its gradient's.
        gradient: Shape,
    },
    /// The gradient of this input, or its reference, is infinite or not a number somewhere.
    NotFinite(usize),
    /// Parameters that the function recorded itself and no gradient reached.
    Unreached(Vec<String>),
}

/// The outcome of a check; see [`assert_ok`](Self::assert_ok).
#[must_use = "a report that nobody reads checks nothing"]
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Where the reference comes from.
    pub method: &'static str,
    /// The largest error that passes.
    pub tolerance: f64,
    /// For each input that could be compared, its worst entry.
    pub worst: Vec<Worst>,
    /// What could not be compared, and why.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(method: &'static str, tolerance: f64) -> Self {
        Self { method, tolerance, worst: Vec::new(), findings: Vec::new() }
    }

    /// The same findings, judged by another tolerance.
    pub fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Whether everything was compared and is near enough.
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty() && self.worst.iter().all(|worst| worst.error <= self.tolerance)
    }

    /// The worst entry of all inputs.
    pub fn worst(&self) -> Option<&Worst> {
        self.worst.iter().max_by(|a, b| a.error.total_cmp(&b.error))
    }

    /// # Panics
    /// With the whole report, unless it [is ok](Self::is_ok).
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.is_ok(), "{self}");
    }

    /// Compares the gradient of one input, entry by entry. Its errors are relative to its largest entry, or to `floor`.
    pub(super) fn compare(&mut self, input: usize, value: Shape, got: &Tensor<f64>, want: &[f64], floor: f64) {
        if got.shape() != value {
            return self.findings.push(Finding::WrongShape { input, value, gradient: got.shape() });
        }
        let got = got.to_vec();
        if !got.iter().chain(want).all(|g| g.is_finite()) {
            return self.findings.push(Finding::NotFinite(input));
        }
        let scale = got.iter().chain(want).fold(floor, |scale, g| scale.max(g.abs()));
        let error = |i: usize| if got[i] == want[i] { 0.0 } else { (got[i] - want[i]).abs() / scale };
        let worst = (0..got.len()).max_by(|&i, &j| error(i).total_cmp(&error(j)));
        self.worst.extend(worst.map(|i| Worst {
            input,
            index: index(value, i),
            tape: got[i],
            reference: want[i],
            error: error(i),
        }));
    }
}

/// Where the `i`th element of `shape` is.
fn index(shape: Shape, mut i: usize) -> Vec<usize> {
    let mut index = shape.to_vec();
    for at in index.iter_mut().rev() {
        (i, *at) = (i / *at, i % *at);
    }
    index
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_ok() { "agree" } else { "DO NOT AGREE" };
        writeln!(f, "the tape's gradients and {} {verdict} within {:e}", self.method, self.tolerance)?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "  {finding}"))?;
        self.worst.iter().try_for_each(|worst| {
            let mark = if worst.error <= self.tolerance { "" } else { ": TOO FAR" };
            writeln!(f, "  {worst}{mark}")
        })
    }
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, index, tape, reference, error } = self;
        write!(f, "input {input} at {index:?}: tape {tape:e}, reference {reference:e}, error {error:.1e}")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInputs => write!(f, "there are no inputs: nothing was checked"),
            Self::NoOutput => write!(f, "the function's value has no elements: nothing was checked"),
            Self::NotDeterministic => write!(
                f,
                "not a function: a second run gave other bits; draw random numbers and build modules outside of it"
            ),
            Self::NoInfluence(k) => write!(f, "input {k} has no influence: leave it out, or use it"),
            Self::Severed(k) => write!(f, "no gradient reached input {k}, though the function depends on it"),
            Self::WrongShape { input, value, gradient } => {
                write!(f, "input {input} is {value} and its gradient {gradient}")
            }
            Self::NotFinite(k) => write!(f, "input {k}: a gradient is infinite or not a number"),
            Self::Unreached(names) => write!(f, "no gradient reached the parameters {}", names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_relative_to_the_largest_entry() {
        let mut report = Report::new("reference", 1e-3);
        report.compare(1, Shape::new(&[2, 3]), &Tensor::new([2, 3], alloc::vec![0.0; 6]), &[0.0; 6], 0.0);
        let got = Tensor::from([[0.0, 0.0, 8.0], [0.0, 2.5, 0.0]]);
        report.compare(2, Shape::new(&[2, 3]), &got, &[0.0, 0.0, 8.0, 0.0, 2.0, 0.0], 0.0);
        let worst = Worst { input: 2, index: [1, 1].to_vec(), tape: 2.5, reference: 2.0, error: 0.0625 };
        assert_eq!(report.worst(), Some(&worst));
        assert_eq!(report.worst[0].error, 0.0);
        assert!(!report.is_ok() && report.within(0.07).is_ok());
    }

    #[test]
    fn a_shape_is_looked_at_first() {
        let mut report = Report::new("reference", 1e-3);
        report.compare(0, Shape::new(&[2, 3]), &Tensor::zeros([0]), &[], 0.0);
        let (value, gradient) = (Shape::new(&[2, 3]), Shape::new(&[0]));
        assert_eq!(report.findings, [Finding::WrongShape { input: 0, value, gradient }]);
        assert!(report.worst.is_empty() && !report.is_ok());
    }

    #[test]
    fn a_report_says_what_is_wrong() {
        let mut report = Report::new("duals", 1e-13);
        report.findings.push(Finding::Severed(0));
        report.compare(1, Shape::new(&[2]), &Tensor::from([1.0, -2.0]), &[1.0, 2.0], 0.0);
        assert_eq!(
            alloc::format!("{report}"),
            "the tape's gradients and duals DO NOT AGREE within 1e-13\n  \
             no gradient reached input 0, though the function depends on it\n  \
             input 1 at [1]: tape -2e0, reference 2e0, error 2.0e0: TOO FAR\n"
        );
    }
}
