//! Every check of [`CHECKS`] on all that it goes through; and which of it each applies to.

use std::collections::BTreeSet;

use gradus_tests::levels::{CHECKS, Check, near};
use proofs::{Case, all};
use tensor::Tensor;

fn called(name: &str) -> &'static Check {
    CHECKS.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no check is called {name:?}"))
}

#[track_caller]
fn assert_holds(Check { level, name, table, applies, check }: &Check) {
    let cases: Vec<Case> = table().into_iter().filter(applies).collect();
    assert!(!cases.is_empty(), "{level}, {name}: applies to nothing");
    let failed = cases.iter().filter_map(|case| Some(format!("{case}\n{}", check(case).err()?)));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{level}, {name}: {} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

/// A test for each check; [`TESTED`] are their names.
macro_rules! tests {
    ($($test:ident: $name:literal;)*) => {
        $(
            #[test]
            fn $test() {
                assert_holds(called($name));
            }
        )*

        const TESTED: &[&str] = &[$($name),*];
    };
}

tests! {
    every_gradient_is_there_and_repeats: "repeats";
    every_gradient_is_exact: "exact";
    every_gradient_is_added_to_what_is_there: "exact on top of other gradients";
    every_gradient_is_exact_along_any_cotangent: "exact along other cotangents";
    every_gradient_is_the_extrapolated_slope: "Richardson's extrapolation";
    every_gradient_is_the_slope: "central differences";
    every_gradient_is_the_transpose_of_the_tangent: "dot products";
    every_second_derivative_is_exact: "second order";
    every_second_derivative_is_the_slope_of_the_gradient: "slope of the gradient";
    every_second_derivative_is_symmetric: "symmetric";
    every_backward_pass_is_linear: "linear";
    every_backward_pass_accumulates: "accumulates";
    no_constant_changes_a_gradient: "ignores constants";
    a_batch_is_the_sum_of_its_rows: "adds up over rows";
    many_steps_are_one_step_many_times: "goes step by step";
    what_is_not_read_changes_nothing: "withstands poison";
}

#[test]
fn every_check_has_a_test() {
    assert_eq!(CHECKS.iter().map(|check| check.name).collect::<Vec<_>>(), TESTED);
    let levels: BTreeSet<&str> = CHECKS.iter().map(|check| check.level).collect();
    assert_eq!(levels, BTreeSet::from(["L0", "L1", "L2", "L3", "L4", "L5"]));
}

/// What has a case that the check applies to.
fn of(check: &str) -> BTreeSet<&'static str> {
    all().iter().filter(|case| (called(check).applies)(case)).map(|case| case.of.name()).collect()
}

/// All but three checks apply to every case, and those three to no less than they should. Any operation may be given a
/// slice, and then leaves something unread; four do so by themselves.
#[test]
fn every_check_applies_to_what_it_is_for() {
    let partial = CHECKS.iter().filter(|check| !all().iter().all(check.applies)).map(|check| check.name);
    assert_eq!(partial.collect::<Vec<_>>(), ["adds up over rows", "goes step by step", "withstands poison"]);
    let operations = ["entropy", "gru", "layer_norm", "log_softmax", "logsumexp", "matmul", "softmax"];
    let layers = ["Gru", "GruCell", "LayerNorm", "Linear", "Mlp"];
    assert_eq!(of("adds up over rows"), operations.into_iter().chain(layers).collect());
    assert_eq!(of("goes step by step"), BTreeSet::from(["Gru", "gru"]));
    let unread = of("withstands poison");
    assert!(unread.is_superset(&BTreeSet::from(["Embedding", "embedding", "gather", "slice"])), "{unread:?}");
}

#[test]
fn nothing_is_near_what_is_no_number() {
    let near = |got: [f64; 2], want: [f64; 2]| near("", &Tensor::from(got), &Tensor::from(want), 1e-3);
    near([1.0, 2.0], [1.0, 2.001]).expect("as near as that");
    for no_number in [f64::NAN, -f64::NAN, f64::INFINITY] {
        for (got, want) in [(no_number, 1.0), (1.0, no_number), (no_number, no_number)] {
            near([got, 2.0], [want, 2.0]).expect_err("no number");
        }
    }
}
