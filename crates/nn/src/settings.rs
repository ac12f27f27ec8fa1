//! Checks of settings in the scalar type that computes with them. A valid `f64` may become zero or infinite there.

use core::fmt;

use tensor::Real;

/// The valid numbers of a setting.
#[derive(Clone, Copy, Debug)]
pub struct SettingRange {
    /// A description in words.
    pub description: &'static str,
    /// Returns true for a valid number.
    pub contains: fn(f64) -> bool,
}

impl SettingRange {
    /// Numbers above zero.
    pub const POSITIVE: Self = Self { description: "numbers above 0", contains: |x| x > 0.0 };
    /// Zero and all numbers above it.
    pub const NOT_NEGATIVE: Self = Self { description: "numbers from 0", contains: |x| x >= 0.0 };
    /// Numbers from zero to one, both included.
    pub const UNIT_INTERVAL: Self = Self { description: "numbers from 0 to 1", contains: |x| (0.0..=1.0).contains(&x) };
    /// Numbers from zero to one, without one.
    pub const BELOW_ONE: Self = Self { description: "numbers from 0, below 1", contains: |x| (0.0..1.0).contains(&x) };
}

/// The reason why a scalar type cannot use a number.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingError {
    /// The number is not finite, or out of its range.
    OutOfRange,
    /// The number is valid as an `f64`, but its rounded value is out of range, or zero although the number is not.
    Rounded {
        /// The name of the scalar type.
        scalar: &'static str,
        /// The rounded number.
        to: f64,
        /// The nearest number that the scalar type can use.
        nearest: f64,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => write!(f, "is out of range"),
            Self::Rounded { scalar, to, nearest } => {
                write!(f, "becomes {to:?} in {scalar}, which computes with it; the nearest usable value is {nearest:?}")
            }
        }
    }
}

/// Rounds a setting to the scalar type that computes with it.
///
/// ```
/// use nn::{SettingRange, round_setting};
///
/// assert_eq!(round_setting::<f32>(0.5, SettingRange::POSITIVE.contains), Ok(0.5));
/// assert!(round_setting::<f64>(1e-50, SettingRange::POSITIVE.contains).is_ok());
/// assert!(round_setting::<f32>(1e-50, SettingRange::POSITIVE.contains).is_err());
/// ```
///
/// # Errors
/// If the number is not finite or out of its range, before or after rounding. Also if it rounds to zero and is not
/// zero.
pub fn round_setting<T: Real>(value: f64, contains: impl Fn(f64) -> bool) -> Result<T, SettingError> {
    if !value.is_finite() || !contains(value) {
        return Err(SettingError::OutOfRange);
    }
    let rounded = T::from_f64(value);
    let to = rounded.value();
    if to.is_finite() && contains(to) && (to != 0.0 || value == 0.0) {
        return Ok(rounded);
    }
    let nearest = if to == 0.0 {
        smallest_positive::<T>()
    } else if to.is_finite() {
        largest_below_one::<T>()
    } else {
        f64::from(f32::MAX)
    };
    Err(SettingError::Rounded { scalar: core::any::type_name::<T>(), to, nearest: nearest.copysign(value) })
}

/// Returns the smallest positive number of the scalar type.
fn smallest_positive<T: Real>() -> f64 {
    last_halving(|x| T::from_f64(x).value() > 0.0)
}

/// Returns the largest number of the scalar type below one.
fn largest_below_one<T: Real>() -> f64 {
    1.0 - last_halving(|x| T::from_f64(1.0 - x).value() < 1.0)
}

/// Returns the last of 1/2, 1/4, 1/8, … for which `holds` is true.
fn last_halving(holds: impl Fn(f64) -> bool) -> f64 {
    let mut x = 0.5;
    while holds(x / 2.0) {
        x /= 2.0;
    }
    x
}

/// Checks a setting that a program passes to the library.
///
/// # Panics
/// If [`round_setting`] fails. The message names the setting, its value, its range, and the nearest usable value.
#[track_caller]
pub fn check_setting<T: Real>(owner: &str, name: &str, value: f64, range: SettingRange) {
    if let Err(error) = round_setting::<T>(value, range.contains) {
        panic!("{owner}: {name} = {value:?} {error}; it takes {}", range.description)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn round_setting_near_the_limits_of_f32() {
        let rounded = |to, nearest| Err(SettingError::Rounded { scalar: "f32", to, nearest });
        let [smallest, largest, below_one] = [f32::from_bits(1), f32::MAX, 1.0 - f32::EPSILON / 2.0].map(f64::from);
        for (range, value, want) in [
            (SettingRange::POSITIVE, 1e-8, Ok(1e-8_f32)),
            (SettingRange::POSITIVE, smallest, Ok(f32::from_bits(1))),
            (SettingRange::POSITIVE, smallest / 2.0, rounded(0.0, smallest)),
            (SettingRange::POSITIVE, 1e-50, rounded(0.0, smallest)),
            (SettingRange::NOT_NEGATIVE, 1e-50, rounded(0.0, smallest)),
            (SettingRange::NOT_NEGATIVE, 0.0, Ok(0.0)),
            (SettingRange::NOT_NEGATIVE, largest, Ok(f32::MAX)),
            (SettingRange::NOT_NEGATIVE, 1e39, rounded(f64::INFINITY, largest)),
            (SettingRange::BELOW_ONE, below_one, Ok(1.0 - f32::EPSILON / 2.0)),
            (SettingRange::BELOW_ONE, 1.0 - 1e-9, rounded(1.0, below_one)),
            (SettingRange::UNIT_INTERVAL, 1.0 - 1e-9, Ok(1.0)),
            (SettingRange::POSITIVE, 0.0, Err(SettingError::OutOfRange)),
            (SettingRange::NOT_NEGATIVE, -1e-50, Err(SettingError::OutOfRange)),
            (SettingRange::NOT_NEGATIVE, f64::NAN, Err(SettingError::OutOfRange)),
            (SettingRange::NOT_NEGATIVE, f64::INFINITY, Err(SettingError::OutOfRange)),
            (SettingRange::BELOW_ONE, 1.0, Err(SettingError::OutOfRange)),
        ] {
            assert_eq!(round_setting::<f32>(value, range.contains), want, "{value:?} of {}", range.description);
        }
    }

    #[test]
    fn round_setting_f64_accepts_numbers_that_f32_rounds_away() {
        for value in [1e-50, 1e39, f64::from_bits(1), 1.0 - 1e-9] {
            assert_eq!(round_setting::<f64>(value, |x| x > 0.0 && x != 1.0), Ok(value));
        }
        assert_eq!(smallest_positive::<f64>(), f64::from_bits(1));
        assert_eq!(largest_below_one::<f64>(), 1.0 - f64::EPSILON / 2.0);
    }

    #[test]
    fn setting_error_names_the_rounded_and_the_nearest_value() {
        let unfit = round_setting::<f32>(1e-50, SettingRange::POSITIVE.contains).expect_err("zero");
        let want = "becomes 0.0 in f32, which computes with it; the nearest usable value is 1.401298464324817e-45";
        assert_eq!(unfit.to_string(), want);
    }
}
