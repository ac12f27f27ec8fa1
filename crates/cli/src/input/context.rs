//! Contexts as typed by users: digits separated by commas, for example `4,2,7`.

use std::fmt;

/// Error of a text that is not a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextError {
    /// The text is empty.
    Empty,
    /// An entry, counted from 1, is not a digit.
    NotADigit {
        /// Position of the entry, from 1.
        position: usize,
        /// The first characters of the entry.
        found: String,
    },
    /// The number of digits is wrong.
    Count {
        /// Number of digits in the text.
        found: usize,
        /// Required number of digits.
        expected: usize,
    },
}

/// Maximum number of characters of an invalid entry that the error shows.
const MAX_SHOWN: usize = 12;

/// Parses exactly `operands` digits from `text`.
///
/// ```
/// use gradus::context::{ContextError, parse};
///
/// assert_eq!(parse("4, 2, 7", 3), Ok(vec![4, 2, 7]));
/// assert_eq!(parse("4,2", 3), Err(ContextError::Count { found: 2, expected: 3 }));
/// ```
///
/// # Errors
/// If the text is empty, an entry is not a digit from 0 to 9, or the number of digits is not `operands`.
pub fn parse(text: &str, operands: usize) -> Result<Vec<u32>, ContextError> {
    let digits = parse_digits(text)?;
    match digits.len() {
        found if found == operands => Ok(digits),
        found => Err(ContextError::Count { found, expected: operands }),
    }
}

/// Parses any number of digits from `text`.
///
/// # Errors
/// If the text is empty, or an entry is not a digit from 0 to 9.
pub fn parse_digits(text: &str) -> Result<Vec<u32>, ContextError> {
    if text.trim().is_empty() {
        return Err(ContextError::Empty);
    }
    text.split(',').map(str::trim).enumerate().map(|(i, entry)| parse_digit(entry, i + 1)).collect()
}

fn parse_digit(entry: &str, position: usize) -> Result<u32, ContextError> {
    match entry.as_bytes() {
        [digit @ b'0'..=b'9'] => Ok(u32::from(digit - b'0')),
        _ => Err(ContextError::NotADigit { position, found: entry.chars().take(MAX_SHOWN).collect() }),
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the text is empty; expected digits separated by commas"),
            Self::NotADigit { position, found } => {
                write!(f, "entry {position} is {found:?}, expected a digit from 0 to 9")
            }
            Self::Count { found, expected } => write!(f, "found {found} digits, expected {expected}"),
        }
    }
}

impl std::error::Error for ContextError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_digits_are_accepted_and_all_else_is_an_error() {
        assert_eq!(parse("0,9,5,5,1", 5), Ok(vec![0, 9, 5, 5, 1]));
        assert_eq!(parse(" 4 ,\t2,7\n", 3), Ok(vec![4, 2, 7]));
        assert_eq!([parse("", 3), parse(" ", 0)], [Err(ContextError::Empty), Err(ContextError::Empty)]);
        let wrong = ["10", "-1", "+1", "a", "٣", "4 2", "1.0", "", "CTX", "𝟜"];
        for entry in wrong {
            let expected = ContextError::NotADigit { position: 2, found: entry.into() };
            assert_eq!(parse(&format!("4,{entry},7"), 3), Err(expected));
        }
        assert_eq!(parse("4,2,7,", 3), Err(ContextError::NotADigit { position: 4, found: String::new() }));
        assert_eq!(parse("4,2,7", 4), Err(ContextError::Count { found: 3, expected: 4 }));
    }

    #[test]
    fn parse_long_invalid_entry_is_shortened_in_the_error() {
        let error = parse(&"é".repeat(100_000), 3).expect_err("no digit").to_string();
        assert_eq!(error, "entry 1 is \"éééééééééééé\", expected a digit from 0 to 9");
        let error = parse(&"1,".repeat(50_000), 3).expect_err("one comma too many");
        assert_eq!(error, ContextError::NotADigit { position: 50_001, found: String::new() });
    }
}
