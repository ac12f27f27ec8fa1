//! Tests that run every check of [`CHECKS`] on its cases, and tests of the cases to which each check applies.

use std::collections::BTreeSet;

use gradus_tests::levels::{CHECKS, Check, check_close};
use proofs::{Case, all_cases};
use tensor::Tensor;

fn find_check(name: &str) -> &'static Check {
    CHECKS.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no check has the name {name:?}"))
}

#[track_caller]
fn assert_holds(Check { level, name, table, applies, check }: &Check) {
    let cases: Vec<Case> = table().into_iter().filter(applies).collect();
    assert!(!cases.is_empty(), "{level}, {name}: applies to nothing");
    let failed = cases.iter().filter_map(|case| Some(format!("{case}\n{}", check(case).err()?)));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{level}, {name}: {} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

/// Defines a test for each check. [`TESTED`] lists the names of the checks.
macro_rules! tests {
    ($($test:ident: $name:literal;)*) => {
        $(
            #[test]
            fn $test() {
                assert_holds(find_check($name));
            }
        )*

        const TESTED: &[&str] = &[$($name),*];
    };
}

tests! {
    gradients_every_case_exist_and_repeat: "repeats";
    gradients_every_case_match_duals: "exact";
    gradients_every_case_add_to_existing_gradients: "exact on top of other gradients";
    gradients_other_cotangents_match_duals: "exact along other cotangents";
    gradients_every_case_match_richardson_extrapolation: "Richardson's extrapolation";
    gradients_every_case_match_central_differences: "central differences";
    gradients_every_case_are_the_transpose_of_the_tangent: "dot products";
    second_derivatives_every_case_are_exact: "second order";
    second_derivatives_every_case_match_gradient_differences: "slope of the gradient";
    second_derivatives_every_case_are_symmetric: "symmetric";
    backward_every_case_is_linear: "linear";
    backward_every_case_accumulates: "accumulates";
    gradients_constant_inputs_change_nothing: "ignores constants";
    gradients_of_a_batch_are_the_sum_of_its_rows: "adds up over rows";
    gru_cases_many_steps_equal_single_steps: "goes step by step";
    gradients_unread_inputs_change_nothing: "withstands poison";
}

#[test]
fn gradient_checks_all_have_a_test() {
    assert_eq!(CHECKS.iter().map(|check| check.name).collect::<Vec<_>>(), TESTED);
    let levels: BTreeSet<&str> = CHECKS.iter().map(|check| check.level).collect();
    assert_eq!(levels, BTreeSet::from(["L0", "L1", "L2", "L3", "L4", "L5"]));
}

/// Returns the operations and layers that have a case to which the check applies.
fn targets_of(check: &str) -> BTreeSet<&'static str> {
    all_cases().iter().filter(|case| (find_check(check).applies)(case)).map(|case| case.target.name()).collect()
}

/// All but three checks apply to every case. The test names the targets of these three. Any operation on a slice leaves
/// elements unread; four targets do so without a slice.
#[test]
fn gradient_checks_apply_to_the_expected_cases() {
    let partial = CHECKS.iter().filter(|check| !all_cases().iter().all(check.applies)).map(|check| check.name);
    assert_eq!(partial.collect::<Vec<_>>(), ["adds up over rows", "goes step by step", "withstands poison"]);
    let operations = ["entropy", "gru", "layer_norm", "log_softmax", "logsumexp", "matmul", "softmax"];
    let layers = ["Attention", "Gru", "GruCell", "LayerNorm", "Linear", "Mlp"];
    assert_eq!(targets_of("adds up over rows"), operations.into_iter().chain(layers).collect());
    assert_eq!(targets_of("goes step by step"), BTreeSet::from(["Gru", "gru"]));
    let unread = targets_of("withstands poison");
    assert!(unread.is_superset(&BTreeSet::from(["Embedding", "embedding", "gather", "slice"])), "{unread:?}");
}

#[test]
fn near_not_finite_numbers_are_refused() {
    let check = |got: [f64; 2], want: [f64; 2]| check_close("", &Tensor::from(got), &Tensor::from(want), 1e-3);
    check([1.0, 2.0], [1.0, 2.001]).expect("as near as that");
    for no_number in [f64::NAN, -f64::NAN, f64::INFINITY] {
        for (got, want) in [(no_number, 1.0), (1.0, no_number), (no_number, no_number)] {
            check([got, 2.0], [want, 2.0]).expect_err("no number");
        }
    }
}
