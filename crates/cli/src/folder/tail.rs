//! Metrics read while a run writes them: only what was appended since, and only whole lines.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::metrics::Line;
use super::{jsonl, metrics};
use crate::error::{Error, Result};
use crate::input::regular_file;

/// What a reader of metrics learns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// What was said before is void: the run went on from an earlier checkpoint, and its lines follow from the first.
    Anew,
    /// The next line.
    Line(Line),
}

/// A reader of metrics that remembers where it was.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    /// Bytes of whole lines so far.
    at: u64,
    /// How many lines these were.
    lines: usize,
}

impl Tail {
    /// At the beginning of a file, which need not be there yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.into(), at: 0, lines: 0 }
    }

    /// Reads what was appended. A last line without its line break waits.
    ///
    /// # Errors
    /// If the file is there but cannot be read, or is not of the metrics.
    pub(crate) fn read(&mut self, mut each: impl FnMut(News)) -> Result<()> {
        let file = match regular_file::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file.map_err(|error| self.error(&error))?,
        };
        let length = file.metadata().map_err(|error| self.error(&error))?.len();
        if length < self.at {
            self.begin_anew(&mut each);
        }
        let known = self.at > 0;
        match self.read_on(&file, &mut each) {
            // Another run may have come to stand where this one did: then all of it can be read.
            Err(_) if known => {
                self.begin_anew(&mut each);
                self.read_on(&file, &mut each)
            }
            result => result,
        }
    }

    fn begin_anew(&mut self, each: &mut impl FnMut(News)) {
        (self.at, self.lines) = (0, 0);
        each(News::Anew);
    }

    fn read_on(&mut self, mut file: &File, each: &mut impl FnMut(News)) -> Result<()> {
        file.seek(SeekFrom::Start(self.at)).map_err(|error| self.error(&error))?;
        let (mut file, mut line) = (BufReader::new(file), Vec::new());
        loop {
            line.clear();
            let length = file.read_until(b'\n', &mut line).map_err(|error| self.error(&error))?;
            if !line.ends_with(b"\n") {
                return Ok(());
            }
            let parsed = serde_json::from_slice(&line);
            each(News::Line(parsed.map_err(|error| metrics::not_of_them(&self.path, self.lines + 1, &error))?));
            self.at += length as u64;
            self.lines += 1;
        }
    }

    fn error(&self, error: &std::io::Error) -> Error {
        Error::file("read", &self.path, error, &jsonl::advice("metrics"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn line(update: usize) -> String {
        let line = metrics::ValidationLine { validation: update, stages: Vec::new() };
        serde_json::json!(line).to_string() + "\n"
    }

    /// What is new, a number for each line and `None` where it begins anew.
    fn news(tail: &mut Tail) -> Vec<Option<usize>> {
        let mut news = Vec::new();
        let each = |new| {
            news.push(match new {
                News::Line(Line::Validation(line)) => Some(line.validation),
                News::Line(Line::Update(line)) => Some(line.update),
                News::Anew => None,
            });
        };
        tail.read(each).expect("metrics");
        news
    }

    #[test]
    fn each_line_is_read_once_when_it_is_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut tail = Tail::new(&path);
        assert_eq!(news(&mut tail), []);
        let text = [line(1), line(2), line(3)].concat();
        let mut seen = Vec::new();
        for end in 0..=text.len() {
            fs::write(&path, &text[..end]).expect("written");
            seen.extend(news(&mut tail));
            assert_eq!(seen.len(), text[..end].matches('\n').count(), "after {end} bytes");
        }
        assert_eq!(seen, [1, 2, 3].map(Some));
    }

    #[test]
    fn a_file_that_was_cut_or_replaced_is_read_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut tail = Tail::new(&path);
        fs::write(&path, [line(1), line(2)].concat()).expect("written");
        assert_eq!(news(&mut tail), [1, 2].map(Some));
        fs::write(&path, line(1)).expect("written");
        assert_eq!(news(&mut tail), [None, Some(1)]);
        fs::write(&path, [line(1000), line(2000)].concat()).expect("written");
        assert_eq!(news(&mut tail), [None, Some(1000), Some(2000)]);
    }

    #[test]
    fn what_is_no_line_is_an_error_with_its_number() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut tail = Tail::new(&path);
        fs::write(&path, line(1)).expect("written");
        assert_eq!(news(&mut tail), [Some(1)]);
        fs::write(&path, line(1) + "what?\n").expect("written");
        let error = tail.read(|_| {}).expect_err("no metrics").to_string();
        assert!(error.contains("line 2: this is not of the metrics"), "{error}");
    }
}
