//! L6: generated shapes. Every operation at any extents, in any layout; its value against a loop over plain numbers, its
//! gradients against duals, or dot products where there are too many entries.
//!
//! The same cases each time. `PROPTEST_CASES=1000` tries more of them, `PROPTEST_RNG_SEED=7` others. What has once failed is
//! in `mod.regressions`, to be committed, and is tried first.

mod naive;
mod operations;

use std::env;

use autograd::gradcheck::{Finding, Overloaded, Report, dot_products, duals};
use autograd::ops::Kind;
use autograd::{Tape, Var, function};
use gradus_tests::Draw;
use gradus_tests::levels::near_on;
use proofs::Layout;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestRunner};
use tensor::Tensor;

use operations::generate;

/// Around powers of two, where blocked and vectorised loops have their remainders; and nothing at all.
const EXTENTS: [usize; 12] = [0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33];

/// More entries than this are too many for one run an entry.
const ENTRIES: usize = 300;

/// What a case is made from.
#[derive(Clone, Debug)]
struct Draft {
    /// Pairwise distinct.
    extents: [usize; 4],
    /// How many axes, which of them, which are repeated: whatever an operation has to choose.
    choice: u32,
    /// How each of up to four inputs lies in memory.
    layouts: [Layout; 4],
    /// Of the numbers.
    seed: u32,
}

fn drafts() -> impl Strategy<Value = Draft> {
    let extents = Just(EXTENTS).prop_shuffle().prop_map(|all| [all[0], all[1], all[2], all[3]]);
    let layout = || prop::sample::select(Layout::ALL.to_vec());
    let layouts = [layout(), layout(), layout(), layout()];
    (extents, any::<u32>(), layouts, any::<u32>()).prop_map(|(extents, choice, layouts, seed)| Draft {
        extents,
        choice,
        layouts,
        seed,
    })
}

/// A function, where to take it, and what its value is.
struct Generated {
    inputs: Vec<Tensor<f64>>,
    f: Box<dyn Overloaded>,
    value: Tensor<f64>,
}

impl Generated {
    fn check(&self) -> Result<(), String> {
        let tape = Tape::new();
        let x: Vec<Var<'_, f64>> = self.inputs.iter().map(|x| tape.input(x.clone())).collect();
        let y = self.f.on_numbers(&tape, &x);
        near_on("the value", &y.value(), &self.value, 1.0, 1e-12)?;
        y.backward_from(&Tensor::full(y.shape(), 1.0)).map_err(|unreached| unreached.to_string())?;
        for (k, (x, input)) in x.iter().zip(&self.inputs).enumerate() {
            let dx = x.grad().ok_or(format!("input {k} has no gradient"))?;
            let nothing = self.value.size() > 0 || dx.to_vec().iter().all(|&dx| dx == 0.0);
            if dx.shape() != input.shape() || !nothing {
                return Err(format!(
                    "input {k} is {}, the value {}, the gradient {dx}",
                    input.shape(),
                    self.value.shape()
                ));
            }
        }
        self.check_gradients()
    }

    fn check_gradients(&self) -> Result<(), String> {
        let entries: usize = self.inputs.iter().map(Tensor::size).sum();
        let method = if entries <= ENTRIES { duals } else { dot_products };
        judge(method(&*self.f, &self.inputs))
    }
}

/// Sums of hundreds of terms of size one may cancel, and what rounds then is the terms: a gap that is small by itself will
/// do. What is not a number is no gap that is small.
fn judge(mut report: Report) -> Result<(), String> {
    report.findings.retain(|finding| !is_expected(finding));
    let small = 0.0..=report.tolerance;
    report.compared.retain(|compared| !small.contains(&(compared.gradient - compared.reference).abs()));
    if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
}

#[test]
fn nan_is_refused() {
    let report = || duals(&function!(|x| x[0].square()), &[Tensor::from([0.5, 2.0])]);
    judge(report()).expect("right as it is");
    for (gradient, reference) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::NAN, f64::NAN), (f64::INFINITY, 1.0)] {
        let mut report = report();
        let worst = &mut report.compared[0];
        (worst.gradient, worst.reference, worst.error) = (gradient, reference, f64::NAN);
        judge(report).expect_err("not a number");
    }
}

/// A row of one element may have no influence on what is normalised, and empty tensors have been looked at.
fn is_expected(finding: &Finding) -> bool {
    matches!(finding, Finding::NoInfluence(_) | Finding::EmptyInput(_) | Finding::NoOutput)
}

fn check(kind: Kind, draft: &Draft) -> Result<(), String> {
    let Draft { extents, choice, layouts, seed } = draft;
    let mut case = generate(kind, *extents, *choice as usize, &mut Draw::new(*seed));
    case.inputs = case.inputs.iter().zip(layouts).map(|(x, layout)| layout.of(x)).collect();
    let shapes: Vec<_> = case.inputs.iter().map(Tensor::shape).collect();
    case.check().map_err(|error| format!("{shapes:?}: {error}"))
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    };
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 150;
    }
    if let RngSeed::Random = config.rng_seed {
        config.rng_seed = RngSeed::Fixed(2026);
    }
    config
}

#[test]
fn every_operation_at_any_shape() {
    let tried = |&kind: &Kind| {
        let mut runner = TestRunner::new(config());
        let result = runner.run(&drafts(), |draft| check(kind, &draft).map_err(TestCaseError::fail));
        result.err().map(|error| format!("{}: {error}", kind.name()))
    };
    let failed: Vec<String> = Kind::ALL.iter().filter_map(tried).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
