//! eˣ, ln, tanh and σ for `f32`, in plain arithmetic without branches. So compilers vectorise loops over them, and they give
//! the same bits on every platform with IEEE 754, with libm or without.
//!
//! ```text
//! eˣ = 2ⁿ·(1 + p)    n = round(x / ln 2)    r = x − n·ln 2    p = eʳ − 1, by its Taylor series to r⁷
//! ln x = n·ln 2 + ln(1 + f)    x = 2ⁿ·(1 + f)    √½ ≤ 1 + f < √2    ln(1 + f) = 2·artanh s    s = f / (2 + f)
//! ```
//!
//! |r| ≤ ln 2 / 2, so the first omitted term of the Taylor series is below 2e-8 of p. n·ln 2 is subtracted in two
//! parts, and the first subtraction is exact. p is kept apart from 1, so that tanh keeps its precision near 0. |s| ≤
//! 0.172, and the series of artanh ends after s⁹; its first omitted term is below 2e-12 of the sum.
//!
//! Errors over every `f32` up to ±100: eˣ is within 1.03 ulp of the true value (worst at x = −81.44471), tanh within 2.43 ulp,
//! σ within 2.83 ulp. ln is within 0.96 ulp over every `f32` above 0 (worst at x = 0.7065256). The tests measure these errors
//! again, at every 97th number.
//!
//! Source: W. J. Cody and W. Waite, *Software Manual for the Elementary Functions* (1980), chapters 5 and 6.

/// 1.5·2²³. Adding it to a smaller number rounds that number to an integer, which is then in the lowest bits.
pub(crate) const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has nine bits.
pub(crate) const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];

/// (n, p) with eˣ = 2ⁿ·(1 + p), for |x| ≤ 150.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    let n = round(x * core::f32::consts::LOG2_E);
    let r = x - n * LN_2[0] - n * LN_2[1];
    let series =
        1.0 / 2.0 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)))));
    (n, r + r * r * series)
}

/// The nearest integer, for |x| ≤ 2²².
#[inline(always)]
fn round(x: f32) -> f32 {
    (x + ROUND) - ROUND
}

/// 2ⁿ, for integers −126 ≤ n ≤ 127.
#[inline(always)]
pub(crate) fn power_of_two(n: f32) -> f32 {
    let n = (n + ROUND).to_bits().wrapping_sub(ROUND.to_bits());
    f32::from_bits(n.wrapping_add(127) << 23)
}

/// eˣ.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x }; // e⁸⁹ is infinite already
    let x = if x < -104.0 { -104.0 } else { x }; // e⁻¹⁰⁴ is zero already
    let (n, p) = split(x);
    let half = round(0.5 * n); // in two factors, since 2ⁿ may be out of range even if eˣ is not
    (1.0 + p) * power_of_two(half) * power_of_two(n - half)
}

/// ln x; −∞ at 0, and NaN below 0.
///
/// 2s = f − s·f, so ln(1 + f) = f − s·(f − 2s²/3 − 2s⁴/5 − …). Here f is exact, and the correction to it is small.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let (normal, shift) = if x < f32::MIN_POSITIVE { (x * 8_388_608.0, 23.0) } else { (x, 0.0) }; // 2²³
    let n = (normal.to_bits() as i32).wrapping_sub(core::f32::consts::FRAC_1_SQRT_2.to_bits() as i32) >> 23;
    let f = f32::from_bits(normal.to_bits().wrapping_sub((n << 23) as u32)) - 1.0;
    let n = n as f32 - shift;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let series = s2 * (2.0 / 3.0 + s2 * (2.0 / 5.0 + s2 * (2.0 / 7.0 + s2 * (2.0 / 9.0))));
    let y = n * LN_2[0] + (f - (s * (f - series) - n * LN_2[1]));
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f32::NAN }
}

/// tanh x = u / (u + 2), with u = e²ˣ − 1.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let a = if a > 10.0 { 10.0 } else { a }; // tanh 10 is 1 already
    let (n, p) = split(2.0 * a);
    let scale = power_of_two(n);
    let u = scale * p + (scale - 1.0);
    (u / (u + 2.0)).copysign(x)
}

/// 1 / (1 + e⁻ˣ) for x ≥ 0 and eˣ / (1 + eˣ) for x < 0. Both are σ; the exponent is never positive, so nothing overflows.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x.is_sign_negative() { e } else { 1.0 }) / (1.0 + e)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::Float;

    /// The largest error of `f` in ulps of the true value, over every 97th number with 1e-9 ≤ |x| < `limit`. (Below 1e-9, eˣ
    /// and σ are constant and tanh x is x.)
    fn worst(f: fn(f32) -> f32, truth: fn(f64) -> f64, limit: f32) -> f64 {
        let ulps = |x: f32| {
            let want = truth(f64::from(x));
            let below = (want.abs() as f32).max(f32::MIN_POSITIVE);
            let ulp = f64::from(f32::from_bits(below.to_bits() + 1)) - f64::from(below);
            (f64::from(f(x)) - want).abs() / ulp
        };
        let sizes = (1e-9_f32.to_bits()..limit.to_bits()).step_by(97).map(f32::from_bits);
        let all = sizes.flat_map(|x| [x, -x]).map(ulps);
        all.fold(0.0, |worst: f64, error| if error > worst || error.is_nan() { error } else { worst })
    }

    #[test]
    fn elementary_functions_stay_within_their_ulps() {
        for (name, worst, limit) in [
            ("exp", worst(exp, Float::exp, 88.7), 1.03),
            ("exp below 0", worst(|x| exp(-x.abs()), |x| Float::exp(-x.abs()), 100.0), 1.03),
            ("ln", worst(|x| ln(x.abs()), |x| Float::ln(x.abs()), 1e9), 0.96),
            ("tanh", worst(tanh, Float::tanh, 100.0), 2.43),
            ("sigmoid", worst(sigmoid, crate::Real::sigmoid, 100.0), 2.83),
        ] {
            assert!(worst < limit, "{name}: off by {worst} ulps");
        }
    }

    #[test]
    fn elementary_functions_at_the_ends_of_the_range_have_their_limits() {
        for x in [100.0, 1e10, f32::INFINITY] {
            assert_eq!((exp(x), exp(-x)), (f32::INFINITY, if x == 100.0 { exp(-100.0) } else { 0.0 }));
            assert_eq!((tanh(x), tanh(-x), sigmoid(x)), (1.0, -1.0, 1.0));
        }
        assert_eq!((exp(0.0), tanh(0.0), sigmoid(0.0), sigmoid(-1e4)), (1.0, 0.0, 0.5, 0.0));
        assert!(sigmoid(-100.0) > 0.0, "a subnormal number");
        assert!(tanh(-0.0).is_sign_negative());
        let tiny = f32::from_bits(3);
        assert_eq!(tanh(tiny), tiny);
        assert_eq!((ln(0.0), ln(-0.0), ln(1.0).to_bits()), (f32::NEG_INFINITY, f32::NEG_INFINITY, 0));
        assert_eq!(ln(f32::INFINITY), f32::INFINITY);
        for x in [tiny, 0.9 * f32::MIN_POSITIVE, f32::MIN_POSITIVE, f32::MAX] {
            assert!((ln(x) - Float::ln(f64::from(x)) as f32).abs() <= 64.0 * f32::EPSILON, "ln {x:e} is {}", ln(x));
        }
        assert!([-tiny, -1.0, f32::NEG_INFINITY].iter().all(|&x| ln(x).is_nan()));
        assert!([exp, ln, tanh, sigmoid].iter().all(|f| f(f32::NAN).is_nan()));
        assert!((exp(-95.0) - Float::exp(-95.0_f64) as f32).abs() <= 1.5e-45, "a subnormal number");
    }
}
