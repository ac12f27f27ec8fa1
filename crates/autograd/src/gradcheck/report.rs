//! What a check found.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use tensor::Tensor;

use super::diagnosis::{Diagnosis, near};
use super::finding::Finding;
use super::input::Input;
use super::pass::Pass;
use crate::tape::Tape;
use crate::var::Var;

/// More ulps than this are written in round numbers.
const COUNTED: u64 = 1_000_000;

/// How the gradient of one input compares, at the entry that is furthest from the reference.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Compared {
    /// Which input.
    pub number: usize,
    /// Its name.
    pub input: String,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Where the worst entry is, in words.
    pub place: String,
    /// And its index.
    pub index: Vec<usize>,
    /// What came back there.
    pub gradient: f64,
    /// What the method says.
    pub reference: f64,
    /// The gap between them, relative to the largest entry of the gradient.
    pub error: f64,
    /// The same gap, in numbers that lie between the two.
    pub ulps: u64,
    /// What the method's own error is at worst in this input, as it estimates it; relative, too. None where it has none
    /// but rounding.
    pub estimate: Option<f64>,
    /// What the whole gradient looks like, if it is wrong and has a known signature.
    pub diagnosis: Option<Diagnosis>,
}

/// The outcome of a check; see [`assert_ok`](Self::assert_ok).
#[must_use = "a report that nobody reads checks nothing"]
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// Where the reference comes from.
    pub method: &'static str,
    /// The largest error that passes.
    pub tolerance: f64,
    /// For each input that could be compared, how.
    pub compared: Vec<Compared>,
    /// What could not be compared, and why.
    pub findings: Vec<Finding>,
    /// The gradients that came back, where some did.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) gradients: Vec<Option<Tensor<f64>>>,
}

impl Report {
    pub(super) fn new(method: &'static str, tolerance: f64) -> Self {
        Self { method, tolerance, compared: Vec::new(), findings: Vec::new(), gradients: Vec::new() }
    }

    /// The same numbers, judged by another tolerance.
    pub fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// The same report without the kinks at which what came back lies between the slopes to either side: a convention
    /// that can be defended, which only a test of its own can tell from the one that is meant.
    pub fn allowing_kinks(mut self) -> Self {
        self.findings.retain(|finding| match finding {
            Finding::Kink { left, right, gradient, .. } => {
                let slack = 1e-6 * (left.abs() + right.abs());
                !(left.min(*right) - slack..=left.max(*right) + slack).contains(gradient)
            }
            _ => true,
        });
        self
    }

    /// Looks whether a gradient that is too far off is that of another function of the same inputs, called `name`: the
    /// other variant of a layer, or what the mistake is thought to compute.
    pub fn suspect<I: Clone + Into<Input>>(
        mut self,
        name: &str,
        f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
        inputs: &[I],
    ) -> Self {
        let inputs: Vec<_> = inputs.iter().map(|input| input.clone().into().value).collect();
        let others = Pass::on_tape(&f, &inputs, 1.0).gradients;
        for compared in self.compared.iter_mut().filter(|compared| compared.error > self.tolerance) {
            let of = |gradients: &[Option<Tensor<f64>>]| gradients.get(compared.number)?.as_ref().map(Tensor::to_vec);
            if of(&self.gradients).zip(of(&others)).is_some_and(|(got, other)| near(&got, &other)) {
                compared.diagnosis = Some(Diagnosis::Other(name.into()));
            }
        }
        self
    }

    /// Whether everything was compared and is near enough.
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty() && self.compared.iter().all(|compared| compared.error <= self.tolerance)
    }

    /// The input whose worst entry is the worst of all.
    pub fn worst(&self) -> Option<&Compared> {
        self.compared.iter().max_by(|a, b| a.error.total_cmp(&b.error))
    }

    /// What the gradients that are wrong look like, each with its input.
    pub fn diagnoses(&self) -> impl Iterator<Item = (&str, &Diagnosis)> {
        self.compared.iter().filter_map(|compared| Some((&*compared.input, compared.diagnosis.as_ref()?)))
    }

    /// # Panics
    /// With the whole report, unless it [is ok](Self::is_ok).
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

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, place, gradient, reference, error, ulps, .. } = self;
        write!(f, "{input} at {place}: {gradient:e}, reference {reference:e}, error {error:.1e}, ")?;
        match ulps {
            _ if gradient.signum() != reference.signum() => write!(f, "of another sign"),
            ..COUNTED => write!(f, "{ulps} ulps"),
            _ => write!(f, "{:.0e} ulps", *ulps as f64),
        }
    }
}
