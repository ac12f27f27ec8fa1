//! An assertion that two slices of numbers are close.

/// Asserts that `max |got − want| ≤ tol · max(1, max |want|)`.
///
/// One scale applies to the whole slice. An entry that cancels to nearly zero is allowed the rounding error of its
/// neighbours.
///
/// # Panics
/// If any entry is further away or not a number; the message names the worst entry and both values. If the lengths
/// differ, or if `want` is empty or not finite.
#[track_caller]
pub fn assert_close(what: &str, got: &[f64], want: &[f64], tol: f64) {
    assert_eq!(got.len(), want.len(), "{what}: {} values, expected {}", got.len(), want.len());
    assert!(!want.is_empty(), "{what}: nothing to compare");
    assert!(want.iter().all(|w| w.is_finite()), "{what}: the reference is not finite");
    let scale = want.iter().fold(1.0, |s: f64, w| s.max(w.abs()));
    let (worst, error) = got
        .iter()
        .zip(want)
        .map(|(g, w)| (g - w).abs() / scale)
        .enumerate()
        .max_by(|(_, a), (_, b)| a.total_cmp(b)) // NaN, made positive by `abs`, sorts above all
        .expect("not empty");
    assert!(
        error <= tol,
        "{what}: at {worst} got {:e}, expected {:e}; difference over scale {scale:e} is {error:e}, allowed {tol:e}",
        got[worst],
        want[worst]
    );
}

#[cfg(test)]
mod tests {
    use super::assert_close;

    #[test]
    fn assert_close_scales_with_the_largest_reference_value() {
        assert_close("large", &[1000.0, 0.5], &[1000.0, 0.0], 1e-3);
        assert_close("small", &[1e-4], &[0.0], 1e-3);
    }

    #[test]
    #[should_panic(expected = "far: at 1 got 2.5e0, expected 2e0; difference over scale 4e0")]
    fn assert_close_failure_names_the_worst_entry() {
        assert_close("far", &[1.1, 2.5, 4.0], &[1.0, 2.0, 4.0], 1e-3);
    }

    #[test]
    #[should_panic(expected = "at 0 got NaN")]
    fn assert_close_nan_is_refused() {
        assert_close("nan", &[f64::NAN, 9.0], &[1.0, 2.0], f64::MAX);
    }

    #[test]
    #[should_panic(expected = "the reference is not finite")]
    fn assert_close_infinite_reference_is_refused() {
        assert_close("inf", &[1.0, 2.0], &[f64::INFINITY, 2.0], 1e-3);
    }

    #[test]
    #[should_panic(expected = "1 values, expected 2")]
    fn assert_close_different_lengths_are_refused() {
        assert_close("short", &[1.0], &[1.0, 2.0], 1.0);
    }

    #[test]
    #[should_panic(expected = "nothing to compare")]
    fn assert_close_empty_slices_are_refused() {
        assert_close("empty", &[], &[], 1.0);
    }
}
