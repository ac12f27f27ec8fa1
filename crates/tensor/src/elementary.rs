//! eˣ, ln, tanh, σ, sin and cos for `f32`, in plain arithmetic. They give the same bits on every platform with IEEE 754, with
//! libm or without. All but sin and cos have no branches, so compilers vectorise loops over them.
//!
//! ```text
//! eˣ = 2ⁿ·(1 + p)    n = round(x / ln 2)    r = x − n·ln 2    p = eʳ − 1, by its Taylor series to r⁷
//! ln x = n·ln 2 + ln(1 + f)    x = 2ⁿ·(1 + f)    √½ ≤ 1 + f < √2    ln(1 + f) = 2·artanh s    s = f / (2 + f)
//! sin x = ±sin r or ±cos r    x = n·π/2 + r    |r| ≤ π/4    n and r·2/π from the bits of x·2/π
//! ```
//!
//! |r| ≤ ln 2 / 2, so the first omitted term of the Taylor series is below 2e-8 of p. n·ln 2 is subtracted in two
//! parts, and the first subtraction is exact. p is kept apart from 1, so that tanh keeps its precision near 0. |s| ≤
//! 0.172, and the series of artanh ends after s⁹; its first omitted term is below 2e-12 of the sum.
//!
//! For sin and cos of any size of x, an integer product of x and 256 bits of 2/π gives r·2/π to 2⁻¹⁰² (M. Payne and R. Hanek,
//! "Radian reduction for trigonometric functions", SIGNUM Newsletter 18 (1983)). The series of sin r and cos r are summed in
//! `f64`. They end after r¹¹ and r¹⁰; the first omitted terms are below 2e-10 of the sums.
//!
//! Errors over every `f32` up to ±100: eˣ is within 1.03 ulp of the true value (worst at x = −81.44471), tanh within 2.43 ulp,
//! σ within 2.83 ulp. ln is within 0.96 ulp over every `f32` above 0 (worst at x = 0.7065256). sin and cos are within 0.51 ulp
//! over every finite `f32`: the last rounding and the omitted terms. The tests measure these errors again, at every 97th number
//! (every 997th for sin and cos).
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

/// The first 256 binary digits of 2/π after the point.
const TWO_OVER_PI: [u128; 2] = [0xa2f9_836e_4e44_1529_fc27_57d1_f534_ddc0, 0xdb62_9599_3c43_9041_fe51_63ab_debb_c561];

/// (n mod 4, r) with |x| = n·π/2 + r and |r| ≤ π/4, for finite x.
#[inline(always)]
fn reduce(x: f32) -> (u32, f64) {
    let a = x.abs();
    if a < core::f32::consts::FRAC_PI_4 {
        return (0, f64::from(a));
    }
    // |x| = mantissa · 2^(shift + 2). Digits of 2/π above 2^−shift give multiples of 4 in |x|·2/π; the next 128 are used.
    let shift = (a.to_bits() >> 23) as i32 - 152;
    let mantissa = u128::from(a.to_bits() & 0x7f_ffff | 0x80_0000);
    let [high, low] = TWO_OVER_PI;
    let digits = match shift {
        ..=0 => high >> -shift,
        _ => high << shift | low >> (128 - shift),
    };
    let quarters = mantissa.wrapping_mul(digits); // |x|·2/π mod 4, in units of 2⁻¹²⁶
    let n = quarters.wrapping_add(1 << 125) >> 126; // rounded to the nearest integer
    let rest = quarters.wrapping_sub(n << 126) as i128;
    (n as u32, rest as f64 * (core::f64::consts::FRAC_PI_2 / (1_u128 << 126) as f64))
}

/// sin(n·π/2 + r), for |r| ≤ π/4.
#[inline(always)]
fn sin_of_quarters(n: u32, r: f64) -> f32 {
    let r2 = r * r;
    let y = if n.is_multiple_of(2) {
        let series = 1.0 / 120.0 + r2 * (-1.0 / 5040.0 + r2 * (1.0 / 362_880.0 + r2 * (-1.0 / 39_916_800.0)));
        r * (1.0 + r2 * (-1.0 / 6.0 + r2 * series))
    } else {
        let series = -1.0 / 720.0 + r2 * (1.0 / 40_320.0 + r2 * (-1.0 / 3_628_800.0));
        1.0 + r2 * (-1.0 / 2.0 + r2 * (1.0 / 24.0 + r2 * series))
    };
    (if n % 4 < 2 { y } else { -y }) as f32
}

/// sin x; NaN if x is infinite.
pub(crate) fn sin(x: f32) -> f32 {
    if !x.is_finite() {
        return f32::NAN;
    }
    let (n, r) = reduce(x);
    let y = sin_of_quarters(n, r);
    if x.is_sign_negative() { -y } else { y }
}

/// cos x; NaN if x is infinite.
pub(crate) fn cos(x: f32) -> f32 {
    if !x.is_finite() {
        return f32::NAN;
    }
    let (n, r) = reduce(x);
    sin_of_quarters(n + 1, r)
}

#[cfg(test)]
mod tests {
    use core::f32::consts::{FRAC_PI_2, PI};

    use super::*;
    use num_traits::Float;

    /// The largest error of `f` in ulps of the true value, over every 97th number with 1e-9 ≤ |x| < `limit`. (Below 1e-9, eˣ
    /// and σ are constant and tanh x is x.)
    fn worst(f: fn(f32) -> f32, truth: fn(f64) -> f64, limit: f32) -> f64 {
        worst_at_every(97, f, truth, limit)
    }

    fn worst_at_every(step: usize, f: fn(f32) -> f32, truth: fn(f64) -> f64, limit: f32) -> f64 {
        let ulps = |x: f32| {
            let want = truth(f64::from(x));
            let below = (want.abs() as f32).max(f32::MIN_POSITIVE);
            let ulp = f64::from(f32::from_bits(below.to_bits() + 1)) - f64::from(below);
            (f64::from(f(x)) - want).abs() / ulp
        };
        let sizes = (1e-9_f32.to_bits()..limit.to_bits()).step_by(step).map(f32::from_bits);
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
            ("sin", worst_at_every(997, sin, Float::sin, f32::INFINITY), 0.51),
            ("cos", worst_at_every(997, cos, Float::cos, f32::INFINITY), 0.51),
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

    /// 16,367,173 · 2⁷² is the `f32` whose sine is the smallest: of all of them it is the closest to a multiple of π/2.
    #[test]
    fn sin_and_cos_near_multiples_of_half_pi_and_at_the_ends_keep_their_precision() {
        let closest = 16_367_173.0 * 2.0_f32.powi(72);
        for x in [closest, FRAC_PI_2, PI, 33.0 * FRAC_PI_2, 1e22, f32::MAX] {
            for (got, want) in [(sin(x), Float::sin(f64::from(x))), (cos(x), Float::cos(f64::from(x)))] {
                assert!(
                    (f64::from(got) - want).abs() <= 0.51 * f64::from(f32::EPSILON) * want.abs(),
                    "{x}: {got}, not {want}"
                );
            }
            assert_eq!((sin(-x), cos(-x)), (-sin(x), cos(x)));
        }
        assert_eq!((sin(0.0).to_bits(), sin(-0.0).to_bits(), cos(0.0)), (0, (-0.0_f32).to_bits(), 1.0));
        assert_eq!((sin(1e-40), cos(1e-40)), (1e-40, 1.0));
        assert!([f32::INFINITY, f32::NEG_INFINITY, f32::NAN].iter().all(|&x| sin(x).is_nan() && cos(x).is_nan()));
    }
}
