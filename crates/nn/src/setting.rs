//! Settings in the scalar that computes with them: a number that is right as written may be zero or infinite there.

use core::fmt;

use tensor::Real;

/// The numbers that a setting takes.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// In words.
    pub words: &'static str,
    /// As a predicate.
    pub contains: fn(f64) -> bool,
}

impl Range {
    /// Above zero.
    pub const POSITIVE: Self = Self { words: "numbers above 0", contains: |x| x > 0.0 };
    /// Zero and above.
    pub const NOT_NEGATIVE: Self = Self { words: "numbers from 0", contains: |x| x >= 0.0 };
    /// Zero to one, both included.
    pub const SHARE: Self = Self { words: "numbers from 0 to 1", contains: |x| (0.0..=1.0).contains(&x) };
    /// Zero to one, without one.
    pub const BELOW_ONE: Self = Self { words: "numbers from 0, below 1", contains: |x| (0.0..1.0).contains(&x) };
}

/// Why a scalar cannot compute with a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Unfit {
    /// It is not finite, or out of its range.
    Outside,
    /// It is in its range, but not once it is rounded to the scalar; or it is rounded to zero.
    Rounded {
        /// The scalar's name.
        scalar: &'static str,
        /// The rounded number.
        to: f64,
        /// The nearest number that the scalar holds and that is not rounded so.
        nearest: f64,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside => write!(f, "is out of range"),
            Self::Rounded { scalar, to, nearest } => {
                write!(
                    f,
                    "becomes {to:?} in {scalar}, which computes with it; the nearest that can be used is {nearest:?}"
                )
            }
        }
    }
}

/// Rounds a setting to the scalar that computes with it.
///
/// ```
/// use nn::{Range, round_setting};
///
/// assert_eq!(round_setting::<f32>(0.5, Range::POSITIVE.contains), Ok(0.5));
/// assert!(round_setting::<f64>(1e-50, Range::POSITIVE.contains).is_ok());
/// assert!(round_setting::<f32>(1e-50, Range::POSITIVE.contains).is_err());
/// ```
///
/// # Errors
/// If the number is not finite or out of its range, as it is or once it is rounded; or if it is rounded to zero and is not
/// zero.
pub fn round_setting<T: Real>(value: f64, contains: impl Fn(f64) -> bool) -> Result<T, Unfit> {
    if !value.is_finite() || !contains(value) {
        return Err(Unfit::Outside);
    }
    let rounded = T::of(value);
    let to = rounded.value();
    if to.is_finite() && contains(to) && (to != 0.0 || value == 0.0) {
        return Ok(rounded);
    }
    let nearest = if to == 0.0 {
        smallest::<T>()
    } else if to.is_finite() {
        below_one::<T>()
    } else {
        f64::from(f32::MAX)
    };
    Err(Unfit::Rounded { scalar: core::any::type_name::<T>(), to, nearest: nearest.copysign(value) })
}

/// The smallest number above zero.
fn smallest<T: Real>() -> f64 {
    halved(|x| T::of(x).value() > 0.0)
}

/// The largest number below one.
fn below_one<T: Real>() -> f64 {
    1.0 - halved(|x| T::of(1.0 - x).value() < 1.0)
}

/// The last of 1/2, 1/4, 1/8, … for which something holds.
fn halved(holds: impl Fn(f64) -> bool) -> f64 {
    let mut x = 0.5;
    while holds(x / 2.0) {
        x /= 2.0;
    }
    x
}

/// Checks a setting that a program gives.
///
/// # Panics
/// As [`round_setting`] fails: with the setting's name, its value, its range, and the nearest value that can be used.
#[track_caller]
pub fn check_setting<T: Real>(whose: &str, name: &str, value: f64, range: Range) {
    if let Err(unfit) = round_setting::<T>(value, range.contains) {
        panic!("{whose}: {name} = {value:?} {unfit}; it takes {}", range.words)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn round_setting_on_either_side_of_what_f32_holds() {
        let rounded = |to, nearest| Err(Unfit::Rounded { scalar: "f32", to, nearest });
        let [smallest, largest, below_one] = [f32::from_bits(1), f32::MAX, 1.0 - f32::EPSILON / 2.0].map(f64::from);
        for (range, value, want) in [
            (Range::POSITIVE, 1e-8, Ok(1e-8_f32)),
            (Range::POSITIVE, smallest, Ok(f32::from_bits(1))),
            (Range::POSITIVE, smallest / 2.0, rounded(0.0, smallest)),
            (Range::POSITIVE, 1e-50, rounded(0.0, smallest)),
            (Range::NOT_NEGATIVE, 1e-50, rounded(0.0, smallest)),
            (Range::NOT_NEGATIVE, 0.0, Ok(0.0)),
            (Range::NOT_NEGATIVE, largest, Ok(f32::MAX)),
            (Range::NOT_NEGATIVE, 1e39, rounded(f64::INFINITY, largest)),
            (Range::BELOW_ONE, below_one, Ok(1.0 - f32::EPSILON / 2.0)),
            (Range::BELOW_ONE, 1.0 - 1e-9, rounded(1.0, below_one)),
            (Range::SHARE, 1.0 - 1e-9, Ok(1.0)),
            (Range::POSITIVE, 0.0, Err(Unfit::Outside)),
            (Range::NOT_NEGATIVE, -1e-50, Err(Unfit::Outside)),
            (Range::NOT_NEGATIVE, f64::NAN, Err(Unfit::Outside)),
            (Range::NOT_NEGATIVE, f64::INFINITY, Err(Unfit::Outside)),
            (Range::BELOW_ONE, 1.0, Err(Unfit::Outside)),
        ] {
            assert_eq!(round_setting::<f32>(value, range.contains), want, "{value:?} of {}", range.words);
        }
    }

    #[test]
    fn round_setting_in_f64_takes_what_f32_rounds_away() {
        for value in [1e-50, 1e39, f64::from_bits(1), 1.0 - 1e-9] {
            assert_eq!(round_setting::<f64>(value, |x| x > 0.0 && x != 1.0), Ok(value));
        }
        assert_eq!(smallest::<f64>(), f64::from_bits(1));
        assert_eq!(below_one::<f64>(), 1.0 - f64::EPSILON / 2.0);
    }

    #[test]
    fn unfit_says_what_it_becomes_and_what_can_be_used() {
        let unfit = round_setting::<f32>(1e-50, Range::POSITIVE.contains).expect_err("zero");
        let want = "becomes 0.0 in f32, which computes with it; the nearest that can be used is 1.401298464324817e-45";
        assert_eq!(unfit.to_string(), want);
    }
}
