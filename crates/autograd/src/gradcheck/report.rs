//! The report of a gradient check.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use tensor::Tensor;

use super::diagnosis::{Diagnosis, is_near};
use super::finding::Finding;
use super::input::Input;
use super::pass::Pass;
use crate::tape::Tape;
use crate::var::Var;

/// An error of this many ulps or more is printed with one digit, a smaller one exactly.
const FIRST_ROUNDED_ULPS: u64 = 1_000_000;

/// Comparison of the gradient of one input with its reference, at the entry with the largest error.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Comparison {
    /// Number of the input.
    pub number: usize,
    /// Name of the input.
    pub input: String,
    /// Extents of the input.
    pub shape: Vec<usize>,
    /// Description of the worst entry's place.
    pub place: String,
    /// Index of the worst entry.
    pub index: Vec<usize>,
    /// Gradient of the worst entry.
    pub gradient: f64,
    /// Reference for the worst entry.
    pub reference: f64,
    /// The difference of the two, relative to the largest entry of the gradient.
    pub error: f64,
    /// The difference of the two in ulps: the number of steps from one floating-point number to the next.
    pub ulps: u64,
    /// Largest estimated error of the reference in this input, relative like `error`. `None` if rounding is its only error.
    pub estimate: Option<f64>,
    /// Diagnosis of the whole gradient, if it is wrong in a known way.
    pub diagnosis: Option<Diagnosis>,
}

/// The result of a gradient check; see [`assert_ok`](Self::assert_ok).
#[must_use = "a report that is not read checks nothing"]
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// Name of the method that computes the reference.
    pub method: &'static str,
    /// Largest error that passes.
    pub tolerance: f64,
    /// The comparison of each input that could be compared.
    pub compared: Vec<Comparison>,
    /// Reasons why gradients could not be compared.
    pub findings: Vec<Finding>,
    /// The gradients that the backward run computed.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) gradients: Vec<Option<Tensor<f64>>>,
}

impl Report {
    pub(super) fn new(method: &'static str, tolerance: f64) -> Self {
        Self { method, tolerance, compared: Vec::new(), findings: Vec::new(), gradients: Vec::new() }
    }

    /// Replaces the tolerance.
    pub fn with_tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Removes kinks whose gradient lies between the slopes to either side. Such a gradient is a possible convention; a
    /// separate test must decide whether it is the intended one.
    pub fn allow_kinks(mut self) -> Self {
        self.findings.retain(|finding| match finding {
            Finding::Kink { left, right, gradient, .. } => {
                let slack = 1e-6 * (left.abs() + right.abs());
                !(left.min(*right) - slack..=left.max(*right) + slack).contains(gradient)
            }
            _ => true,
        });
        self
    }

    /// Compares each wrong gradient with that of another function `f` of the same inputs, called `name`: another variant of a
    /// layer, or a suspected mistake. If they agree, sets the diagnosis [`Diagnosis::Other`].
    pub fn suspect<I: Clone + Into<Input>>(
        mut self,
        name: &str,
        f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
        inputs: &[I],
    ) -> Self {
        let inputs: Vec<_> = inputs.iter().map(|input| input.clone().into().value).collect();
        let others = Pass::run_on_tape(&f, &inputs, 1.0).gradients;
        for compared in self.compared.iter_mut().filter(|compared| compared.error > self.tolerance) {
            let entries =
                |gradients: &[Option<Tensor<f64>>]| gradients.get(compared.number)?.as_ref().map(Tensor::to_vec);
            if entries(&self.gradients).zip(entries(&others)).is_some_and(|(got, other)| is_near(&got, &other)) {
                compared.diagnosis = Some(Diagnosis::Other(name.into()));
            }
        }
        self
    }

    /// Returns true if every gradient was compared and is within the tolerance.
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty() && self.compared.iter().all(|compared| compared.error <= self.tolerance)
    }

    /// Returns the comparison with the largest error.
    pub fn worst(&self) -> Option<&Comparison> {
        self.compared.iter().max_by(|a, b| a.error.total_cmp(&b.error))
    }

    /// Returns the diagnoses of wrong gradients, each with the name of its input.
    pub fn diagnoses(&self) -> impl Iterator<Item = (&str, &Diagnosis)> {
        self.compared.iter().filter_map(|compared| Some((&*compared.input, compared.diagnosis.as_ref()?)))
    }

    /// Asserts that the report [is ok](Self::is_ok).
    ///
    /// # Panics
    /// With the whole report as the message, if it is not ok.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.is_ok(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_ok() { "agree" } else { "DO NOT AGREE" };
        writeln!(f, "the gradients and {} {verdict} within {:e}", self.method, self.tolerance)?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "  {finding}"))?;
        for compared in &self.compared {
            let mark = if compared.error <= self.tolerance { "" } else { ": TOO FAR" };
            writeln!(f, "  {compared}{mark}")?;
            if let Some(diagnosis) = compared.diagnosis.as_ref().filter(|_| compared.error > self.tolerance) {
                writeln!(f, "    {diagnosis}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, place, gradient, reference, error, ulps, .. } = self;
        write!(f, "{input} at {place}: {gradient:e}, reference {reference:e}, error {error:.1e}, ")?;
        match ulps {
            _ if gradient.signum() != reference.signum() => write!(f, "opposite sign"),
            ..FIRST_ROUNDED_ULPS => write!(f, "{ulps} ulps"),
            _ => write!(f, "{:.0e} ulps", *ulps as f64),
        }
    }
}
