//! Level L6: tests of every operation at generated extents and in any memory layout.
//!
//! The cases are the same in every run. `PROPTEST_CASES=1000` runs more cases, `PROPTEST_RNG_SEED=7` runs other cases. A
//! failing case is appended to `generated.regressions`, which should be committed. Later runs try it first.

use std::env;

use autograd::ops::Kind;
use proofs::levels::check_generated;
use proofs::{Layout, RandomTensors, generate_case};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestRunner};
use tensor::Tensor;

/// Zero, and numbers around powers of two, where blocked and vectorised loops have remainders.
const EXTENTS: [usize; 12] = [0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33];

/// The random choices from which a case is generated.
#[derive(Clone, Debug)]
struct Draft {
    /// The extents, pairwise distinct.
    extents: [usize; 4],
    /// A number that selects the operation's options: the number of axes, which axes, which indices repeat.
    choice: u32,
    /// The memory layouts of up to four inputs.
    layouts: [Layout; 4],
    /// The seed of the values.
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
    let mut case = generate_case(kind, *extents, *choice as usize, &mut RandomTensors::new(*seed));
    case.inputs = case.inputs.iter().zip(layouts).map(|(x, layout)| layout.apply(x)).collect();
    let shapes: Vec<_> = case.inputs.iter().map(Tensor::shape).collect();
    check_generated(&case).map_err(|error| format!("{shapes:?}: {error}"))
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
fn operations_generated_shapes_have_exact_gradients() {
    let failure = |&kind: &Kind| {
        let mut runner = TestRunner::new(config());
        let result = runner.run(&drafts(), |draft| check(kind, &draft).map_err(TestCaseError::fail));
        result.err().map(|error| format!("{}: {error}", kind.name()))
    };
    let failed: Vec<String> = Kind::ALL.iter().filter_map(failure).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
