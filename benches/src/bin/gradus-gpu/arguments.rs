//! The command-line arguments.

/// The usage message.
pub(crate) const USAGE: &str =
    "usage: gradus-gpu [--device N] [--look | --check | --measure] [--python PROGRAM] [--out FILE]";

/// A part of the work that can be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Check,
    Measure,
    /// Only the line that names the GPU.
    Look,
}

/// The parsed arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The GPU's number.
    pub(crate) device: usize,
    /// The only part that runs; `None` for all.
    pub(crate) only: Option<Mode>,
    /// The Python interpreter with PyTorch.
    pub(crate) python: Option<String>,
    /// The file for the tables.
    pub(crate) out: Option<String>,
}

impl Arguments {
    /// Parses words.
    ///
    /// # Errors
    /// If they are invalid.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let (mut words, mut out) = (words.into_iter(), Self::default());
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} takes a value"));
            let only = match &*word {
                "--device" => {
                    let number = value()?;
                    out.device = number.parse().map_err(|_| format!("--device takes a number, not {number}"))?;
                    continue;
                }
                "--python" => {
                    out.python = Some(value()?);
                    continue;
                }
                "--out" => {
                    out.out = Some(value()?);
                    continue;
                }
                "--look" => Mode::Look,
                "--check" => Mode::Check,
                "--measure" => Mode::Measure,
                _ => return Err(format!("{word} is not known")),
            };
            if out.only.replace(only).is_some_and(|before| before != only) {
                return Err("--look, --check and --measure exclude each other".into());
            }
        }
        Ok(out)
    }

    pub(crate) fn includes(&self, part: Mode) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn arguments_select_parts_and_values() {
        let all = parse("").expect("no arguments are needed");
        assert!(all.includes(Mode::Check) && all.includes(Mode::Measure) && all.device == 0);
        let some = parse("--device 1 --check --out here --python py").expect("it is understood");
        assert!(some.includes(Mode::Check) && !some.includes(Mode::Measure) && some.device == 1);
        assert_eq!((some.out.as_deref(), some.python.as_deref()), (Some("here"), Some("py")));
    }

    #[test]
    fn arguments_invalid_are_refused_with_a_message() {
        for (line, words) in [
            ("--device x", "--device takes a number, not x"),
            ("--out", "--out takes a value"),
            ("--fast", "--fast is not known"),
            ("--check --measure", "--look, --check and --measure exclude each other"),
        ] {
            assert_eq!(parse(line), Err(words.to_owned()), "{line}");
        }
    }
}
