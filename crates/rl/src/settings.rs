//! Settings that are declared once: name, meaning, default and range. Flags, configuration files, their errors and
//! their documentation all read this one table.

use alloc::string::{String, ToString};
use core::fmt;

use nn::{Unfit, round_setting};
use tensor::Real;

/// What the macros call a `String`, wherever they are used.
#[doc(hidden)]
pub use alloc::string::String as Text;
#[doc(hidden)]
pub use tensor::Real as Scalar;

/// One setting, as the table describes it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, in `snake_case`; the flag has dashes.
    pub name: &'static str,
    /// What it means, with its symbol.
    pub doc: &'static str,
    /// Which values it takes, in words.
    pub range: &'static str,
}

/// A setting that does not exist, or a value that it does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// There is no setting of this name.
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// The value is not one of those the setting takes.
    Invalid {
        /// The setting.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// What it takes, in words.
        range: &'static str,
    },
    /// The value is one of those the setting takes, but not in the scalar that computes with it.
    Rounded {
        /// The setting.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// What it becomes, and what can be used, in words.
        unfit: String,
        /// What it takes, in words.
        range: &'static str,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "there is no setting {name}"),
            Self::Rounded { name, value, unfit, range } => write!(f, "{name} = {value} {unfit}; it takes {range}"),
            Self::Invalid { name, value, range } => write!(f, "{name} = {value} is out of range: it takes {range}"),
        }
    }
}

impl core::error::Error for SettingError {}

impl SettingError {
    #[doc(hidden)]
    pub fn unfit(name: &'static str, value: String, unfit: &Unfit, range: &'static str) -> Self {
        match unfit {
            Unfit::Outside => Self::Invalid { name, value, range },
            Unfit::Rounded { .. } => Self::Rounded { name, value, unfit: unfit.to_string(), range },
        }
    }
}

/// A table of settings: a struct whose fields can be read and written by name.
pub trait Settings: Default + Clone + Send + Sync {
    /// All settings, in order.
    const FIELDS: &'static [Field];

    /// The value of a setting, as [`set`](Self::set) reads it.
    fn get(&self, name: &str) -> Option<String>;

    /// Changes a setting.
    ///
    /// # Errors
    /// If there is no such setting or it does not take this value.
    fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError>;

    /// Checks that a scalar can compute with the numbers: none is infinite or NaN there, rounded to zero, or rounded out of its
    /// range. A finite number out of range is not looked for: [`set`](Self::set) takes none.
    ///
    /// # Errors
    /// At the first that cannot be used.
    fn check<T: Real>(&self) -> Result<(), SettingError>;
}

/// A value of a setting, in words and back.
pub trait Setting: Sized {
    /// The value that is meant, if any.
    fn parse(text: &str) -> Option<Self>;

    /// The words that [`parse`](Self::parse) reads.
    fn show(&self) -> String;

    /// The value in words and why a scalar cannot compute with it, if it is such a number.
    fn unfit<T: Real>(&self, fits: fn(&Self) -> bool) -> Option<(String, Unfit)> {
        let _ = fits;
        None
    }
}

macro_rules! by_parse {
    ($($t:ty),*) => {$(
        impl Setting for $t {
            fn parse(text: &str) -> Option<Self> { text.parse().ok() }
            fn show(&self) -> String { self.to_string() }
        }
    )*};
}
by_parse!(usize, bool);

impl Setting for f64 {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn unfit<T: Real>(&self, fits: fn(&Self) -> bool) -> Option<(String, Unfit)> {
        // One that was out of its range before it was rounded is not this check's.
        let contains = |x: f64| fits(&x) || !fits(self);
        round_setting::<T>(*self, contains).err().map(|unfit| (alloc::format!("{self:?}"), unfit))
    }
}

/// Declares a setting that is one of a few names.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name { $($(#[$doc])* $variant),* }

        impl $crate::settings::Setting for $name {
            fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
            fn show(&self) -> $crate::settings::Text {
                match self { $(Self::$variant => $text.into()),* }
            }
        }
    };
}
pub(crate) use choices;

/// Declares a struct of settings. Each has a doc, a type, a default, its range in words, and the range as a predicate.
///
/// ```
/// use rl::settings::Settings;
///
/// rl::settings! {
///     /// How to walk.
///     pub struct Walk {
///         /// The length of a step.
///         step: f64 = 0.7, "numbers above 0", |&x| x > 0.0;
///     }
/// }
///
/// let mut walk = Walk::default();
/// walk.set("step", "0.5")?;
/// assert_eq!(walk.step, 0.5);
/// assert_eq!(walk.set("step", "-1").unwrap_err().to_string(), "step = -1 is out of range: it takes numbers above 0");
/// # Ok::<(), rl::settings::SettingError>(())
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $vis:vis struct $table:ident {
            $(#[doc = $doc:literal] $name:ident: $ty:ty = $default:expr, $range:literal, $fits:expr;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $table {
            $(
                #[doc = $doc]
                #[doc = ""]
                #[doc = concat!("Takes ", $range, ".")]
                pub $name: $ty,
            )*
        }

        impl Default for $table {
            fn default() -> Self {
                Self { $($name: $default),* }
            }
        }

        impl $crate::settings::Settings for $table {
            const FIELDS: &'static [$crate::settings::Field] = &[
                $($crate::settings::Field { name: stringify!($name), doc: $doc.trim_ascii(), range: $range }),*
            ];

            fn get(&self, name: &str) -> Option<$crate::settings::Text> {
                match name {
                    $(stringify!($name) => Some($crate::settings::Setting::show(&self.$name)),)*
                    _ => None,
                }
            }

            fn set(&mut self, name: &str, value: &str) -> Result<(), $crate::settings::SettingError> {
                match name {
                    $(stringify!($name) => {
                        let fits: fn(&$ty) -> bool = $fits;
                        match <$ty as $crate::settings::Setting>::parse(value).filter(fits) {
                            Some(value) => self.$name = value,
                            None => return Err($crate::settings::SettingError::Invalid {
                                name: stringify!($name),
                                value: value.into(),
                                range: $range,
                            }),
                        }
                    })*
                    _ => return Err($crate::settings::SettingError::Unknown { name: name.into() }),
                }
                Ok(())
            }

            fn check<T: $crate::settings::Scalar>(&self) -> Result<(), $crate::settings::SettingError> {
                $(
                    let fits: fn(&$ty) -> bool = $fits;
                    if let Some((value, unfit)) = $crate::settings::Setting::unfit::<T>(&self.$name, fits) {
                        return Err($crate::settings::SettingError::unfit(stringify!($name), value, &unfit, $range));
                    }
                )*
                Ok(())
            }
        }
    };
}
pub(crate) use settings;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// Every number of a table, at what f64 holds and f32 does not.
    fn check_each<C: Settings>() {
        for (value, becomes) in [("1e-50", "0.0"), ("1e39", "inf"), ("0.9999999999", "1.0")] {
            for field in C::FIELDS {
                let mut config = C::default();
                if config.set(field.name, value).is_err() {
                    continue;
                }
                assert_eq!(config.check::<f64>(), Ok(()), "{}", field.name);
                let at_one = becomes == "1.0";
                if at_one && !field.range.ends_with("below 1") {
                    assert_eq!(config.check::<f32>(), Ok(()), "{}", field.name);
                    continue;
                }
                let error = config.check::<f32>().expect_err(field.name).to_string();
                let want = alloc::format!("becomes {becomes} in f32");
                let name = alloc::format!("{} = {value} ", field.name);
                assert!(error.starts_with(&name) && error.contains(&want), "{error}");
            }
        }
    }

    #[test]
    fn check_of_numbers_that_f32_rounds_away_names_them() {
        check_each::<Config>();
        let mut config = Config::default();
        for name in ["epsilon", "rate", "weight_decay", "clip", "entropy"] {
            config.set(name, "1e-50").expect("in range");
            assert!(config.check::<f32>().is_err(), "{name}");
            config = Config::default();
        }
    }

    #[test]
    fn check_of_defaults_and_of_numbers_that_are_not_finite() {
        assert_eq!(Config::default().check::<f32>(), Ok(()));
        let error = Config { clip: f64::NAN, ..Config::default() }.check::<f64>().expect_err("NaN");
        assert_eq!(error.to_string(), "clip = NaN is out of range: it takes numbers above 0");
    }
}
