//! Fisher's exact test for the difference of two shares.

/// Computes the two-sided p-value for `a` of `n` against `b` of `m`: the sum of the probabilities of all 2×2 tables with the
/// same margins that are at most as probable as the observed one. The probability of k successes in the first row is
///
/// ```text
/// P(k of n) = C(n, k)·C(m, a+b−k) / C(n+m, a+b)
/// ```
///
/// Source: R. A. Fisher, "The Logic of Inductive Inference" (1935). The two-sided test is that of R's `fisher.test`, which also
/// counts tables that are more probable only by a rounding error.
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

    /// The expected values are exact fractions, from the hypergeometric distribution.
    #[test]
    fn p_value_known_tables_are_exact_fractions() {
        let close = |p: f64, want: f64| assert!((p - want).abs() < 1e-12, "{p}, expected {want}");
        close(p_value(3, 4, 1, 4), 34.0 / 70.0); // the lady tasting tea
        close(p_value(4, 4, 0, 4), 2.0 / 70.0);
        close(p_value(0, 3, 0, 5), 1.0);
        close(p_value(2, 4, 2, 4), 1.0);
        // Fisher's convicts, 2 of 17 against 10 of 13: C(17,2)·C(13,10) and all rarer tables, divided by C(30,12).
        close(p_value(2, 17, 10, 13), (136.0 * 286.0 + 17.0 * 78.0 + 13.0 + 6188.0) / 86_493_225.0);
    }

    #[test]
    fn p_value_is_symmetric() {
        assert!((p_value(15, 40, 22, 40) - p_value(22, 40, 15, 40)).abs() < 1e-12);
        assert!((p_value(15, 40, 22, 40) - p_value(25, 40, 18, 40)).abs() < 1e-12);
    }
}
