//! Contexts as people write them: digits between commas, as in `4,2,7`.

use std::fmt;

/// Why a text is not a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextError {
    /// There is nothing.
    Empty,
    /// An entry, counted from 1, is not a digit.
    NotADigit {
        /// Where it stands.
        place: usize,
        /// Its beginning.
        found: String,
    },
    /// There are more or fewer digits than the context has.
    Count {
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
}

/// As much of a wrong entry as is worth repeating.
const SHOWN: usize = 12;

/// The digits in `text`, which must be as many as there are `operands`.
///
/// ```
/// use gradus::context::{ContextError, parse};
///
/// assert_eq!(parse("4, 2, 7", 3), Ok(vec![4, 2, 7]));
/// assert_eq!(parse("4,2", 3), Err(ContextError::Count { found: 2, expected: 3 }));
/// ```
///
/// # Errors
/// If there is nothing, something that is not a digit from 0 to 9, or another number of digits.
pub fn parse(text: &str, operands: usize) -> Result<Vec<u32>, ContextError> {
    let digits = digits(text)?;
    match digits.len() {
        found if found == operands => Ok(digits),
        found => Err(ContextError::Count { found, expected: operands }),
    }
}

/// The digits in `text`, however many.
///
/// # Errors
/// If there is nothing, or something that is not a digit from 0 to 9.
pub fn digits(text: &str) -> Result<Vec<u32>, ContextError> {
    if text.trim().is_empty() {
        return Err(ContextError::Empty);
    }
    text.split(',').map(str::trim).enumerate().map(|(i, entry)| digit(entry, i + 1)).collect()
}

fn digit(entry: &str, place: usize) -> Result<u32, ContextError> {
    match entry.as_bytes() {
        [digit @ b'0'..=b'9'] => Ok(u32::from(digit - b'0')),
        _ => Err(ContextError::NotADigit { place, found: entry.chars().take(SHOWN).collect() }),
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing in it"),
            Self::NotADigit { place, found } => write!(f, "its entry {place}, {found:?}, is not a digit from 0 to 9"),
            Self::Count { found, expected } => write!(f, "it has {found} digits, and there must be {expected}"),
        }
    }
}

impl std::error::Error for ContextError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_taken_and_nothing_else() {
        assert_eq!(parse("0,9,5,5,1", 5), Ok(vec![0, 9, 5, 5, 1]));
        assert_eq!(parse(" 4 ,\t2,7\n", 3), Ok(vec![4, 2, 7]));
        assert_eq!([parse("", 3), parse(" ", 0)], [Err(ContextError::Empty), Err(ContextError::Empty)]);
        let wrong = ["10", "-1", "+1", "a", "٣", "4 2", "1.0", "", "CTX", "𝟜"];
        for entry in wrong {
            let expected = ContextError::NotADigit { place: 2, found: entry.into() };
            assert_eq!(parse(&format!("4,{entry},7"), 3), Err(expected));
        }
        assert_eq!(parse("4,2,7,", 3), Err(ContextError::NotADigit { place: 4, found: String::new() }));
        assert_eq!(parse("4,2,7", 4), Err(ContextError::Count { found: 3, expected: 4 }));
    }

    #[test]
    fn a_long_text_gives_a_short_error() {
        let error = parse(&"é".repeat(100_000), 3).expect_err("no digit").to_string();
        assert_eq!(error, "its entry 1, \"éééééééééééé\", is not a digit from 0 to 9");
        let error = parse(&"1,".repeat(50_000), 3).expect_err("one comma too many");
        assert_eq!(error, ContextError::NotADigit { place: 50_001, found: String::new() });
    }
}
