//! Which numbers a setting takes, in the precision that computes with it.

use core::fmt;

use tensor::Real;

/// A range of finite numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Above 0.
    Positive,
    /// From 0.
    NotNegative,
    /// From 0, below 1.
    BelowOne,
    /// From 0 to 1.
    Share,
}

impl Range {
    /// Whether the number is finite and in the range.
    pub fn contains(self, x: f64) -> bool {
        x.is_finite()
            && match self {
                Self::Positive => x > 0.0,
                Self::NotNegative => x >= 0.0,
                Self::BelowOne => (0.0..1.0).contains(&x),
                Self::Share => (0.0..=1.0).contains(&x),
            }
    }

    /// Checks a setting as it is and as `T` holds it; a number other than 0 must not become 0.
    ///
    /// # Panics
    /// If the setting is out of range.
    #[track_caller]
    pub fn check<T: Real>(self, name: &str, value: f64) {
        assert!(self.contains(value), "{name} = {value:?} is out of range: it takes {self}");
        let held = T::of(value).value();
        assert!(
            self.contains(held) && (held != 0.0 || value == 0.0),
            "{name} = {value:?} is out of range: it takes {self}, and the scalar rounds it to {held:?}; take a number further from {held:?}"
        );
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Positive => "numbers above 0",
            Self::NotNegative => "numbers from 0",
            Self::BelowOne => "numbers from 0, below 1",
            Self::Share => "numbers from 0 to 1",
        })
    }
}
