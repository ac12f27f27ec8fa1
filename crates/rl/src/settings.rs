//! Tables of settings. Each setting is declared once, with name, meaning, default and range. Flags, configuration files,
//! their errors and their documentation all use this table.

use alloc::string::{String, ToString};
use core::fmt;

use nn::round_setting;
use tensor::Real;

/// The name of `String` in the macros.
#[doc(hidden)]
pub use alloc::string::String as Text;
#[doc(hidden)]
pub use tensor::Real as Scalar;

/// The description of one setting in the table.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name of the setting in `snake_case`; the flag has dashes.
    pub name: &'static str,
    /// The meaning of the setting, with its symbol.
    pub doc: &'static str,
    /// The allowed values, in words.
    pub range: &'static str,
    /// The heading of its group in the help.
    pub heading: &'static str,
}

impl Field {
    /// The tasks to which the setting belongs, joined by "and"; `None` if it belongs to all. Its heading says them.
    pub fn tasks(&self) -> Option<&'static str> {
        self.heading.strip_prefix("Task ").or(self.heading.strip_prefix("Tasks "))
    }

    /// Returns true if the task of this name has the setting.
    pub fn is_of(&self, task: &str) -> bool {
        self.tasks().is_none_or(|tasks| tasks.split(" and ").any(|other| other == task))
    }
}

/// The error of a setting that does not exist, or of a value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// No setting has this name.
    Unknown {
        /// The given name.
        name: String,
    },
    /// The value is not allowed.
    Invalid {
        /// The setting.
        name: &'static str,
        /// The given value.
        value: String,
        /// The fault of the value, such as "out of range".
        fault: &'static str,
        /// The allowed values, in words.
        range: &'static str,
    },
    /// The value is in range, but not after rounding to the scalar type of the computation.
    Rounded {
        /// The setting.
        name: &'static str,
        /// The given value.
        value: String,
        /// The rounded value, and the values that the scalar can hold, in words.
        reason: String,
        /// The allowed values, in words.
        range: &'static str,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "there is no setting {name}"),
            Self::Rounded { name, value, reason, range } => write!(f, "{name} = {value} {reason}; it takes {range}"),
            Self::Invalid { name, value, fault, range } => write!(f, "{name} = {value} is {fault}: it takes {range}"),
        }
    }
}

impl core::error::Error for SettingError {}

impl SettingError {
    #[doc(hidden)]
    pub fn from_check(name: &'static str, value: String, error: &nn::SettingError, range: &'static str) -> Self {
        match error {
            nn::SettingError::OutOfRange => Self::Invalid { name, value, fault: OUT_OF_RANGE, range },
            nn::SettingError::Rounded { .. } => Self::Rounded { name, value, reason: error.to_string(), range },
        }
    }
}

/// A table of settings: a struct whose fields can be read and written by name.
pub trait Settings: Default + Clone + Send + Sync {
    /// All settings, in order.
    const FIELDS: &'static [Field];

    /// Returns the value of a setting, in the text form that [`set`](Self::set) reads.
    fn get(&self, name: &str) -> Option<String>;

    /// Changes a setting.
    ///
    /// # Errors
    /// If the setting does not exist, or if the value is not allowed.
    fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError>;

    /// Checks that the scalar `T` can compute with all numbers. In `T` no number may be infinite or NaN, or be rounded to zero
    /// or out of its range. The method does not look for finite numbers out of range, since [`set`](Self::set) refuses them.
    ///
    /// # Errors
    /// Returns an error for the first number that cannot be used.
    fn check<T: Real>(&self) -> Result<(), SettingError>;
}

const OUT_OF_RANGE: &str = "out of range";

/// The type of a setting: converts values to text and back.
pub trait Setting: Sized {
    /// Parses a value; returns `None` if the text is not a value.
    fn parse(text: &str) -> Option<Self>;

    /// Returns the value as text that [`parse`](Self::parse) reads.
    fn to_text(&self) -> String;

    /// Describes the fault of a text that is not a value, or not an allowed one.
    fn describe_fault(text: &str) -> &'static str {
        let _ = text;
        "not one of its values"
    }

    /// If the scalar `T` cannot compute with this number, returns its text and the reason.
    fn check_in<T: Real>(&self, is_allowed: fn(&Self) -> bool) -> Option<(String, nn::SettingError)> {
        let _ = is_allowed;
        None
    }
}

impl Setting for bool {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Setting for usize {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn describe_fault(text: &str) -> &'static str {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_whole { OUT_OF_RANGE } else { "not a whole number" }
    }
}

impl Setting for f64 {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn describe_fault(text: &str) -> &'static str {
        if Self::parse(text).is_some() { OUT_OF_RANGE } else { "not a number" }
    }

    fn check_in<T: Real>(&self, is_allowed: fn(&Self) -> bool) -> Option<(String, nn::SettingError)> {
        // This check ignores a number that is out of range already before rounding.
        let contains = |x: f64| is_allowed(&x) || !is_allowed(self);
        round_setting::<T>(*self, contains).err().map(|error| (alloc::format!("{self:?}"), error))
    }
}

/// Declares an enum as the type of a setting: each variant has a name.
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
            fn to_text(&self) -> $crate::settings::Text {
                match self { $(Self::$variant => $text.into()),* }
            }
        }
    };
}
pub(crate) use choices;

/// Declares a struct of settings. Each setting has a doc, a type, a default, its range in words, and its range as a
/// predicate. A text before some settings is their heading in the help.
///
/// ```
/// use rl::settings::Settings;
///
/// rl::settings! {
///     /// The settings of a walk.
///     pub struct Walk {
///         "Legs":
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
            $($heading:literal: $(#[doc = $doc:literal] $name:ident: $ty:ty = $default:expr, $range:literal, $fits:expr;)*)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $table {
            $($(
                #[doc = $doc]
                #[doc = ""]
                #[doc = concat!("Takes ", $range, ".")]
                pub $name: $ty,
            )*)*
        }

        impl Default for $table {
            fn default() -> Self {
                Self { $($($name: $default,)*)* }
            }
        }

        impl $crate::settings::Settings for $table {
            const FIELDS: &'static [$crate::settings::Field] = &[
                $($($crate::settings::Field {
                    name: stringify!($name),
                    doc: $doc.trim_ascii(),
                    range: $range,
                    heading: $heading,
                },)*)*
            ];

            fn get(&self, name: &str) -> Option<$crate::settings::Text> {
                match name {
                    $($(stringify!($name) => Some($crate::settings::Setting::to_text(&self.$name)),)*)*
                    _ => None,
                }
            }

            fn set(&mut self, name: &str, value: &str) -> Result<(), $crate::settings::SettingError> {
                match name {
                    $($(stringify!($name) => {
                        let fits: fn(&$ty) -> bool = $fits;
                        match <$ty as $crate::settings::Setting>::parse(value).filter(fits) {
                            Some(value) => self.$name = value,
                            None => return Err($crate::settings::SettingError::Invalid {
                                name: stringify!($name),
                                value: value.into(),
                                fault: <$ty as $crate::settings::Setting>::describe_fault(value),
                                range: $range,
                            }),
                        }
                    })*)*
                    _ => return Err($crate::settings::SettingError::Unknown { name: name.into() }),
                }
                Ok(())
            }

            fn check<T: $crate::settings::Scalar>(&self) -> Result<(), $crate::settings::SettingError> {
                $($(
                    let fits: fn(&$ty) -> bool = $fits;
                    if let Some((value, error)) = $crate::settings::Setting::check_in::<T>(&self.$name, fits) {
                        return Err($crate::settings::SettingError::from_check(stringify!($name), value, &error, $range));
                    }
                )*)*
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

    /// Checks every number of a table at values that f64 holds and f32 does not.
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
    fn check_number_that_f32_rounds_away_is_named_in_the_error() {
        check_each::<Config>();
        let mut config = Config::default();
        for name in ["epsilon", "rate", "weight_decay", "clip", "entropy"] {
            config.set(name, "1e-50").expect("in range");
            assert!(config.check::<f32>().is_err(), "{name}");
            config = Config::default();
        }
    }

    #[test]
    fn set_invalid_value_names_its_fault() {
        for (name, value, fault) in [
            ("width", "abc", "not a whole number: it takes whole numbers from 1 to 4096"),
            ("width", "", "not a whole number"),
            ("width", "1.5", "not a whole number"),
            ("width", "-1", "out of range"),
            ("width", "99999999999999999999", "out of range"),
            ("rate", "abc", "not a number: it takes numbers above 0"),
            ("rate", "-1", "out of range"),
            ("actions", "all", "not one of its values: it takes tools or tokens"),
            ("normalize_advantages", "1", "not one of its values: it takes true or false"),
        ] {
            let error = Config::default().set(name, value).expect_err(name).to_string();
            assert!(error.starts_with(&alloc::format!("{name} = {value} is {fault}")), "{error}");
        }
    }

    #[test]
    fn check_accepts_defaults_and_refuses_nan() {
        assert_eq!(Config::default().check::<f32>(), Ok(()));
        let error = Config { clip: f64::NAN, ..Config::default() }.check::<f64>().expect_err("NaN");
        assert_eq!(error.to_string(), "clip = NaN is out of range: it takes numbers above 0");
    }
}
