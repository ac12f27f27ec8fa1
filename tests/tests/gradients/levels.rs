//! Every case of the table at every level, and in every layout where its values may depend on that.

use std::collections::BTreeSet;

use gradus_tests::levels::{self, CHECKS, Verdict};
use proofs::{Case, Layout, all, production};

#[track_caller]
fn assert_each(cases: impl IntoIterator<Item = Case>, check: impl Fn(&Case) -> Verdict) {
    let failed = cases.into_iter().filter_map(|case| Some(format!("{case}\n{}", check(&case).err()?)));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

/// All cases in all layouts.
fn laid_out() -> impl Iterator<Item = Case> {
    all().into_iter().flat_map(|case| Layout::ALL.map(|layout| case.laid_out(layout)))
}

// L0

#[test]
fn every_gradient_is_there_and_repeats() {
    assert_each(laid_out(), levels::repeats);
}

#[test]
fn large_gradients_repeat() {
    assert_each(production(), levels::repeats);
}

// L1

#[test]
fn every_gradient_is_exact() {
    assert_each(laid_out(), levels::exact);
}

#[test]
fn every_gradient_is_exact_along_any_cotangent() {
    for seed in 1..=2 {
        assert_each(all(), |case| levels::exact_along(case, seed));
    }
}

#[test]
fn every_gradient_is_added_to_what_is_there() {
    assert_each(laid_out(), levels::exact_on_top);
}

// L2

#[test]
fn every_gradient_is_the_extrapolated_slope() {
    assert_each(all(), levels::extrapolated);
}

#[test]
fn every_gradient_is_the_slope() {
    assert_each(all(), levels::central);
}

// L3

#[test]
fn every_gradient_is_the_transpose_of_the_tangent() {
    assert_each(laid_out(), levels::products);
}

#[test]
fn large_gradients_are_the_transpose_of_the_tangent() {
    assert_each(production(), levels::products);
}

// L4

#[test]
fn every_second_derivative_is_exact() {
    assert_each(laid_out(), levels::second_order);
}

#[test]
fn every_second_derivative_is_the_slope_of_the_gradient_and_symmetric() {
    assert_each(all(), |case| levels::slope_of_the_gradient(case).and(levels::symmetric(case)));
}

// L5

#[test]
fn every_backward_pass_is_linear_and_accumulates() {
    assert_each(laid_out(), |case| levels::is_linear(case).and(levels::accumulates(case)));
}

#[test]
fn no_constant_changes_a_gradient() {
    assert_each(laid_out(), levels::ignores_constants);
}

fn names(cases: impl Iterator<Item = Case>) -> BTreeSet<&'static str> {
    cases.map(|case| case.of.name()).collect()
}

#[test]
fn a_batch_is_the_sum_of_its_rows() {
    let with_rows = || laid_out().filter(|case| case.batch.is_some());
    let operations = ["gru", "layer_norm", "log_softmax", "logsumexp", "matmul", "softmax"];
    let layers = ["Gru", "GruCell", "LayerNorm", "Linear", "Mlp"];
    assert_eq!(names(with_rows()), operations.into_iter().chain(layers).collect());
    assert_each(with_rows(), levels::adds_up_over_rows);
}

#[test]
fn many_steps_are_one_step_many_times() {
    let recurrent = || laid_out().filter(|case| case.recurrent);
    assert_eq!(names(recurrent()), BTreeSet::from(["Gru", "gru"]));
    assert_each(recurrent(), levels::goes_step_by_step);
}

#[test]
fn what_is_not_read_changes_nothing() {
    let has_unread = |case: &Case| levels::unread(case).iter().any(|entries| !entries.is_empty());
    let found = names(all().into_iter().filter(has_unread));
    assert!(found.is_superset(&BTreeSet::from(["Embedding", "embedding", "gather", "slice"])), "{found:?}");
    assert_each(all(), levels::withstands_poison);
}

// All of them

#[test]
fn every_check_is_in_the_list() {
    let levels: BTreeSet<&str> = CHECKS.iter().map(|check| check.level).collect();
    assert_eq!(levels, BTreeSet::from(["L0", "L1", "L2", "L3", "L4", "L5"]));
    assert_eq!(CHECKS.iter().map(|check| check.name).collect::<BTreeSet<_>>().len(), CHECKS.len());
}
