//! Fisher's exact test: are two shares compatible?

/// The two-sided p-value for `a` of `n` against `b` of `m`: given `a + b` successes among all `n + m`, the probability
/// of all ways to divide them that are at most as probable as this one.
///
/// ```text
/// P(k of n) = C(n, k)·C(m, a+b−k) / C(n+m, a+b)
/// ```
///
/// Source: R. A. Fisher, "The Logic of Inductive Inference" (1935); two-sided as in R's `fisher.test`, which also
/// counts what is more probable by a rounding error.
pub(crate) fn p_value(a: usize, n: usize, b: usize, m: usize) -> f64 {
    let successes = a + b;
    let ln_p = |k: usize| ln_choose(n, k) + ln_choose(m, successes - k) - ln_choose(n + m, successes);
    let limit = ln_p(a) + 1e-7;
    let possible = successes.saturating_sub(m)..=n.min(successes);
    let p: f64 = possible.map(ln_p).filter(|&p| p <= limit).map(f64::exp).sum();
    p.min(1.0)
}

/// ln C(n, k).
fn ln_choose(n: usize, k: usize) -> f64 {
    (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exact fractions, from the hypergeometric distribution.
    #[test]
    fn known_values() {
        let close = |p: f64, want: f64| assert!((p - want).abs() < 1e-12, "{p}, expected {want}");
        close(p_value(3, 4, 1, 4), 34.0 / 70.0); // the lady tasting tea
        close(p_value(4, 4, 0, 4), 2.0 / 70.0);
        close(p_value(0, 3, 0, 5), 1.0);
        close(p_value(2, 4, 2, 4), 1.0);
        // Fisher's convicts: 2 of 15 against 10 of 13... C(17,2)·C(13,10) and all that are rarer, of C(30,12).
        close(p_value(2, 17, 10, 13), (136.0 * 286.0 + 17.0 * 78.0 + 13.0 + 6188.0) / 86_493_225.0);
    }

    #[test]
    fn the_sides_are_alike() {
        assert!((p_value(15, 40, 22, 40) - p_value(22, 40, 15, 40)).abs() < 1e-12);
        assert!((p_value(15, 40, 22, 40) - p_value(25, 40, 18, 40)).abs() < 1e-12);
    }
}
