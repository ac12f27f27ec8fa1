//! L6: every operation at generated extents, in any layout.
//!
//! The cases are the same each time. `PROPTEST_CASES=1000` tries more of them, `PROPTEST_RNG_SEED=7` others. A case that has failed is
//! written to `generated.regressions`, to be committed, and is tried first.

use std::env;

use autograd::ops::Kind;
use proofs::levels::agrees;
use proofs::{Draw, Layout, generate};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestRunner};
use tensor::Tensor;

/// Around powers of two, where blocked and vectorised loops have their remainders; and nothing at all.
const EXTENTS: [usize; 12] = [0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33];

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

fn check(kind: Kind, draft: &Draft) -> Result<(), String> {
    let Draft { extents, choice, layouts, seed } = draft;
    let mut case = generate(kind, *extents, *choice as usize, &mut Draw::new(*seed));
    case.inputs = case.inputs.iter().zip(layouts).map(|(x, layout)| layout.of(x)).collect();
    let shapes: Vec<_> = case.inputs.iter().map(Tensor::shape).collect();
    agrees(&case).map_err(|error| format!("{shapes:?}: {error}"))
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
