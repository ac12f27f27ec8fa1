//! Settings that are declared once: name, meaning, default and range. Flags, configuration files, their errors and
//! their documentation all read this one table.

use alloc::string::{String, ToString};
use core::fmt;

/// What the macros call a `String`, wherever they are used.
#[doc(hidden)]
pub use alloc::string::String as Text;

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
    /// The value is in range, but what the nearest f32 is: that is out of range, or 0 where the value is not.
    Rounded {
        /// The setting.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// What it takes, in words.
        range: &'static str,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "there is no setting {name}"),
            Self::Invalid { name, value, range } => write!(f, "{name} = {value} is out of range: it takes {range}"),
            Self::Rounded { name, value, range } => {
                let held = value.parse::<f64>().unwrap_or_default() as f32;
                let exact = value.parse::<f64>().unwrap_or_default();
                let nearest = if exact < f64::from(held) { held.next_down() } else { held.next_up() };
                write!(
                    f,
                    "{name} = {value} is out of range: it takes {range}, and f32 rounds it to {held:?}; the nearest other \
                     number that f32 holds is {nearest:?}, take that or one further from {held:?}"
                )
            }
        }
    }
}

impl core::error::Error for SettingError {}

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
}

/// A value of a setting, in words and back.
pub trait Setting: Sized {
    /// The value that is meant, if any.
    fn parse(text: &str) -> Option<Self>;

    /// The words that [`parse`](Self::parse) reads.
    fn show(&self) -> String;

    /// The value as the computation holds it: numbers are rounded to f32.
    fn rounded(self) -> Self {
        self
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
    fn rounded(self) -> Self {
        Self::from(self as f32)
    }
}

/// Reads a setting, which must be in range as it is and as the computation holds it, and must not vanish there.
#[doc(hidden)]
pub fn read<S: Setting>(
    name: &'static str,
    value: &str,
    range: &'static str,
    fits: fn(&S) -> bool,
) -> Result<S, SettingError> {
    let invalid = || SettingError::Invalid { name, value: value.into(), range };
    let setting = S::parse(value).filter(fits).ok_or_else(invalid)?;
    let shown = setting.show();
    let held = S::parse(value).map(S::rounded).filter(fits).map(|held| held.show());
    let vanishes = held.as_deref().is_some_and(|held| held.trim_start_matches('-') == "0")
        && shown.trim_start_matches('-') != "0"
        && shown.parse::<f64>().is_ok();
    if held.is_none() || vanishes {
        return Err(SettingError::Rounded { name, value: value.into(), range });
    }
    Ok(setting)
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
                        self.$name = $crate::settings::read::<$ty>(stringify!($name), value, $range, $fits)?;
                    })*
                    _ => return Err($crate::settings::SettingError::Unknown { name: name.into() }),
                }
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

    fn refused(name: &str, value: &str) -> String {
        Config::default().set(name, value).expect_err("out of range").to_string()
    }

    #[test]
    fn set_number_that_f32_rounds_out_of_range_is_refused() {
        for (name, value, held, nearest) in [
            ("epsilon", "1e-50", "0.0", "1e-45"),
            ("rate", "1e-50", "0.0", "1e-45"),
            ("entropy", "1e-50", "0.0", "1e-45"),
            ("reward_step", "-1e-50", "-0.0", "-1e-45"),
            ("rate", "1e39", "inf", "3.4028235e38"),
            ("smoothing", "0.9999999999", "1.0", "0.99999994"),
        ] {
            let want = alloc::format!(
                "f32 rounds it to {held}; the nearest other number that f32 holds is {nearest}, take that or one further from"
            );
            let message = refused(name, value);
            assert!(message.contains(&want), "{message}");
        }
    }

    #[test]
    fn set_number_that_f32_holds_is_taken_as_written() {
        let mut config = Config::default();
        for (name, value) in [("epsilon", "1e-45"), ("entropy", "0"), ("entropy", "-0"), ("rate", "0.1")] {
            config.set(name, value).expect("in range");
        }
        assert_eq!((config.rate, config.epsilon), (0.1, 1e-45));
    }
}
