//! Every case of the table, in every layout, at every level.

use autograd::gradcheck::central_differences;
use gradus_tests::levels::{self, Verdict};
use proofs::{Case, Layout};

/// All cases in all layouts.
#[track_caller]
fn assert_all(level: fn(&Case) -> Verdict) {
    let laid_out = |case: Case| Layout::ALL.map(|layout| case.laid_out(layout));
    assert_each(proofs::all().into_iter().flat_map(laid_out), level);
}

#[track_caller]
fn assert_each(cases: impl IntoIterator<Item = Case>, level: fn(&Case) -> Verdict) {
    let failed = cases.into_iter().filter_map(|case| Some(format!("{case}\n{}", level(&case).err()?)));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_gradient_is_exact() {
    assert_all(levels::exact);
}

#[test]
fn every_gradient_is_added_to_what_is_there() {
    assert_all(levels::exact_on_top);
}

#[test]
fn every_gradient_is_the_slope() {
    assert_each(proofs::all(), |case| {
        let report = central_differences(|tape, x| case.f.on_numbers(tape, x), &case.inputs);
        if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
    });
}
