//! What ends a command early, the exit code that says so, and the nearest name to one that does not exist.

use std::path::Path;
use std::{fmt, io};

use nn::CheckpointError;

/// The exit code of what was interrupted: 128 and the number of the signal.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Error {
    /// What it was given is wrong, or the machine does not let it: exit code 2.
    Input(String),
    /// A run has failed: exit code 1.
    Run(String),
    /// Ctrl-C, after everything was saved and said: exit code 130.
    Interrupted,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wrong input.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// Something that cannot be done with a file, and what to do about it.
    pub(crate) fn file(doing: &str, path: &Path, error: &io::Error, advice: &str) -> Self {
        Self::Input(format!("cannot {doing} {}: {error}; {advice}", path.display()))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Run(_) => 1,
            Self::Input(_) => 2,
            Self::Interrupted => INTERRUPTED,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(message) | Self::Run(message) => f.write_str(message),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl From<CheckpointError> for Error {
    fn from(error: CheckpointError) -> Self {
        Self::Input(error.to_string())
    }
}

/// A path as a word that a shell reads.
pub(crate) fn word(path: &Path) -> String {
    let path = path.display().to_string();
    match path.chars().all(|c| c.is_alphanumeric() || "._-/+:@%".contains(c)) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// `; did you mean …?` with the name that is most like `name`, or nothing if none is much like it.
pub(crate) fn suggestion<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    let nearest = names.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|other| likeness(other) > 0.7) {
        Some(other) => format!("; did you mean {other}?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_copied_as_it_is() {
        let words = ["runs/seed-0", "my runs", "it's"].map(|path| word(Path::new(path)));
        assert_eq!(words, ["runs/seed-0", "'my runs'", r"'it'\''s'"]);
    }

    #[test]
    fn the_nearest_name_is_suggested_if_it_is_near() {
        let names = ["batch", "rate", "rate_final"];
        assert_eq!(suggestion("batchs", names), "; did you mean batch?");
        assert_eq!(suggestion("rate-final", names), "; did you mean rate_final?");
        assert_eq!(suggestion("xyzzy", names), "");
    }
}
