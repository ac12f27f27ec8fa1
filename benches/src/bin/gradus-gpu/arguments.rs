//! The command line.

/// How it is called.
pub(crate) const USAGE: &str =
    "usage: gradus-gpu [--device N] [--look | --check | --measure] [--python PROGRAM] [--out FILE]";

/// What can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Check,
    Measure,
    /// Neither.
    Look,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Which GPU.
    pub(crate) device: usize,
    /// The only part that is done; all, where none is named.
    pub(crate) only: Option<Part>,
    /// The Python that has PyTorch.
    pub(crate) python: Option<String>,
    /// Where the tables go.
    pub(crate) out: Option<String>,
}

impl Arguments {
    /// From words.
    ///
    /// # Errors
    /// If they make no sense.
    pub(crate) fn of(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
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
                "--look" => Part::Look,
                "--check" => Part::Check,
                "--measure" => Part::Measure,
                _ => return Err(format!("{word} is not known")),
            };
            if out.only.replace(only).is_some_and(|before| before != only) {
                return Err("--look, --check and --measure exclude each other".into());
            }
        }
        Ok(out)
    }

    pub(crate) fn does(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Arguments, String> {
        Arguments::of(line.split_whitespace().map(String::from))
    }

    #[test]
    fn what_is_asked_for() {
        let all = of("").expect("no arguments are needed");
        assert!(all.does(Part::Check) && all.does(Part::Measure) && all.device == 0);
        let some = of("--device 1 --check --out here --python py").expect("it is understood");
        assert!(some.does(Part::Check) && !some.does(Part::Measure) && some.device == 1);
        assert_eq!((some.out.as_deref(), some.python.as_deref()), (Some("here"), Some("py")));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (line, words) in [
            ("--device x", "--device takes a number, not x"),
            ("--out", "--out takes a value"),
            ("--fast", "--fast is not known"),
            ("--check --measure", "--look, --check and --measure exclude each other"),
        ] {
            assert_eq!(of(line), Err(words.to_owned()), "{line}");
        }
    }
}
