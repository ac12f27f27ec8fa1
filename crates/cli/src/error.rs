//! Errors that end a command, their exit codes, and spelling suggestions for unknown names.

use std::path::Path;
use std::sync::OnceLock;
use std::{env, fmt, io};

use nn::CheckpointError;

/// Exit code after Ctrl-C: 128 plus the signal's number, 2.
pub(crate) const INTERRUPTED: u8 = 130;

/// The name of a program that has tasks of its own.
static PROGRAM: OnceLock<String> = OnceLock::new();

/// Takes the name of the program from its first argument if it `has_tasks` of its own.
pub(crate) fn name_program(has_tasks: bool) {
    let path = env::args_os().next().filter(|_| has_tasks);
    if let Some(name) = path.as_ref().and_then(|path| Path::new(path).file_stem()) {
        PROGRAM.get_or_init(|| name.to_string_lossy().into_owned());
    }
}

/// Returns the name of the program, for commands in messages.
pub(crate) fn program() -> &'static str {
    PROGRAM.get().map_or("gradus", String::as_str)
}

/// An error that ends a command.
#[derive(Debug)]
pub(crate) enum Error {
    /// Invalid input, or a failure of the machine (files, memory, GPU): exit code 2.
    Input(String),
    /// A failed run or check: exit code 1.
    Run(String),
    /// Ctrl-C, after everything was saved and reported: exit code 130.
    Interrupted,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Exit code of [`Error::Input`].
    pub(crate) const INVALID_INPUT: u8 = 2;

    /// Creates an [`Error::Input`].
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// Creates the error of a failed file operation: `cannot {doing} {path}: {error}; {advice}`.
    pub(crate) fn file(doing: &str, path: &Path, error: &io::Error, advice: &str) -> Self {
        Self::Input(format!("cannot {doing} {}: {error}; {advice}", show_path(path)))
    }

    /// Returns the exit code of this error.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Run(_) => 1,
            Self::Input(_) => Self::INVALID_INPUT,
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
        Self::Input(format!("checkpoint {}: {}", show_path(&error.path), error.problem))
    }
}

/// Formats a path for messages and commands: relative to the current folder if it is inside, and quoted for a POSIX shell
/// where it needs quotes.
pub(crate) fn show_path(path: &Path) -> String {
    let current = env::current_dir().unwrap_or_default();
    let inside = path.strip_prefix(&current).ok().filter(|path| !path.as_os_str().is_empty());
    let path = inside.unwrap_or(path).display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "._-/+:@%".contains(c) || (cfg!(windows) && c == '\\');
    match !path.is_empty() && path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// Returns `; did you mean …?` with the most similar name (Jaro–Winkler), or an empty string if none is similar.
pub(crate) fn suggest_name<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let similarity = |other: &str| strsim::jaro_winkler(name, other);
    let nearest = names.into_iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest.filter(|other| similarity(other) > 0.7) {
        Some(other) => format!("; did you mean {other}?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_path_special_characters_are_quoted() {
        let shown = ["runs/seed-0", "my runs", "it's", ""].map(|path| show_path(Path::new(path)));
        assert_eq!(shown, ["runs/seed-0", "'my runs'", r"'it'\''s'", "''"]);
    }

    #[test]
    fn show_path_inside_the_current_folder_is_relative() {
        let current = env::current_dir().expect("a folder");
        assert_eq!(show_path(&current.join("runs/a b")), "'runs/a b'");
        assert_eq!(show_path(Path::new("/elsewhere/run")), "/elsewhere/run");
    }

    #[test]
    fn suggestion_similar_name_is_suggested_and_other_is_not() {
        let names = ["batch", "rate", "rate_final"];
        assert_eq!(suggest_name("batchs", names), "; did you mean batch?");
        assert_eq!(suggest_name("rate-final", names), "; did you mean rate_final?");
        assert_eq!(suggest_name("xyzzy", names), "");
    }
}
