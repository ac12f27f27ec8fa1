//! Reads `metrics.jsonl` while a run writes it. Each read returns only the new complete lines.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::metrics::Line;
use super::{jsonl, metrics};
use crate::error::{Error, Result};
use crate::input::regular_file;

/// An event that [`Tail::read`] reports.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TailEvent {
    /// All earlier lines are invalid, because the run was resumed from an earlier checkpoint. The events start again at line 1.
    Restarted,
    /// The next line of the file.
    Line(Line),
}

/// A reader of `metrics.jsonl` that remembers its position.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    /// Number of bytes in the complete lines read so far.
    offset: u64,
    /// Number of lines read so far.
    lines: usize,
}

impl Tail {
    /// Creates a reader at the start of a file. The file need not exist yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.into(), offset: 0, lines: 0 }
    }

    /// Reads the lines that were appended. A last line without a line break is left for the next call.
    ///
    /// # Errors
    /// If the file exists but cannot be read, or a line is invalid.
    pub(crate) fn read(&mut self, mut each: impl FnMut(TailEvent)) -> Result<()> {
        let file = match regular_file::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file.map_err(|error| self.error(&error))?,
        };
        let length = file.metadata().map_err(|error| self.error(&error))?.len();
        if length < self.offset {
            self.restart(&mut each);
        }
        let was_read_before = self.offset > 0;
        match self.read_from_offset(&file, &mut each) {
            // Another run may have replaced the file. Its lines are valid when read from the start.
            Err(_) if was_read_before => {
                self.restart(&mut each);
                self.read_from_offset(&file, &mut each)
            }
            result => result,
        }
    }

    fn restart(&mut self, each: &mut impl FnMut(TailEvent)) {
        (self.offset, self.lines) = (0, 0);
        each(TailEvent::Restarted);
    }

    fn read_from_offset(&mut self, mut file: &File, each: &mut impl FnMut(TailEvent)) -> Result<()> {
        file.seek(SeekFrom::Start(self.offset)).map_err(|error| self.error(&error))?;
        let (mut file, mut line) = (BufReader::new(file), Vec::new());
        loop {
            line.clear();
            let length = file.read_until(b'\n', &mut line).map_err(|error| self.error(&error))?;
            if !line.ends_with(b"\n") {
                return Ok(());
            }
            let parsed = serde_json::from_slice(&line);
            each(TailEvent::Line(
                parsed.map_err(|error| metrics::invalid_line_error(&self.path, self.lines + 1, &error))?,
            ));
            self.offset += length as u64;
            self.lines += 1;
        }
    }

    fn error(&self, error: &std::io::Error) -> Error {
        Error::file("read", &self.path, error, &jsonl::expected_file("metrics"))
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

    /// Reads the new events: the number of each line, and `None` for a restart.
    fn read_events(tail: &mut Tail) -> Vec<Option<usize>> {
        let mut events = Vec::new();
        let each = |event| {
            events.push(match event {
                TailEvent::Line(Line::Validation(line)) => Some(line.validation),
                TailEvent::Line(Line::Update(line)) => Some(line.update),
                TailEvent::Restarted => None,
            });
        };
        tail.read(each).expect("metrics");
        events
    }

    #[test]
    fn tail_appended_lines_are_read_once_when_complete() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut tail = Tail::new(&path);
        assert_eq!(read_events(&mut tail), []);
        let text = [line(1), line(2), line(3)].concat();
        let mut seen = Vec::new();
        for end in 0..=text.len() {
            fs::write(&path, &text[..end]).expect("written");
            seen.extend(read_events(&mut tail));
            assert_eq!(seen.len(), text[..end].matches('\n').count(), "after {end} bytes");
        }
        assert_eq!(seen, [1, 2, 3].map(Some));
    }

    #[test]
    fn tail_truncated_or_replaced_file_is_read_from_the_start() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut tail = Tail::new(&path);
        fs::write(&path, [line(1), line(2)].concat()).expect("written");
        assert_eq!(read_events(&mut tail), [1, 2].map(Some));
        fs::write(&path, line(1)).expect("written");
        assert_eq!(read_events(&mut tail), [None, Some(1)]);
        fs::write(&path, [line(1000), line(2000)].concat()).expect("written");
        assert_eq!(read_events(&mut tail), [None, Some(1000), Some(2000)]);
    }

    #[test]
    fn tail_invalid_line_is_an_error_with_its_number() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut tail = Tail::new(&path);
        fs::write(&path, line(1)).expect("written");
        assert_eq!(read_events(&mut tail), [Some(1)]);
        fs::write(&path, line(1) + "what?\n").expect("written");
        let error = tail.read(|_| {}).expect_err("no metrics").to_string();
        assert!(error.contains("line 2: invalid metrics"), "{error}");
    }
}
