//! The terminal that frames are drawn on.
//!
//! A frame replaces the one before: the cursor moves up, each line overwrites the old one, and the rest below is erased.
//! All of this is one write, so nothing flickers. The cursor is never hidden and no terminal mode is changed, so nothing
//! must be restored, however the process ends.
//!
//! **Assumptions.** The terminal can move the cursor up and erase everything below it. [`console`] does both with ANSI
//! codes, or with calls of the Windows console. On Windows it also turns on virtual terminal processing before it reports
//! that colours are supported. A dumb terminal has one line, and a carriage return goes back to its start. A terminal that
//! becomes narrower is assumed to rewrap its lines, as most do.

use std::env;

use console::{Term, is_dumb, measure_text_width};

use crate::output::width::{fit, terminal_columns};

/// The space for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Maximum columns of a line.
    pub(crate) width: usize,
    /// Maximum number of lines.
    pub(crate) height: usize,
}

/// The features of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// True if the terminal supports colour codes.
    pub(crate) colour: bool,
    /// True if the terminal shows Unicode.
    pub(crate) unicode: bool,
}

/// A terminal and the frame drawn on it.
#[derive(Debug)]
pub(crate) struct Screen {
    term: Term,
    dumb: bool,
    style: Style,
    /// The width of each line of the last frame.
    drawn: Vec<usize>,
    /// The width of the terminal at the last frame.
    columns: usize,
}

impl Screen {
    /// Returns standard output, if it is a terminal.
    pub(crate) fn stdout() -> Option<Self> {
        let term = Term::buffered_stdout();
        let dumb = is_dumb();
        let style = Style { colour: console::colors_enabled() && !dumb, unicode: supports_unicode(&term) && !dumb };
        term.is_term().then_some(Self { term, dumb, style, drawn: Vec::new(), columns: 0 })
    }

    /// Returns the features of the terminal.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Returns the space for a frame: the terminal, or fewer columns if `COLUMNS` asks for them. The last column stays free,
    /// because terminals differ in what they do after it. The line of the cursor also stays free.
    pub(crate) fn size(&self) -> Size {
        let (rows, width) = self.term.size();
        let height = if self.dumb { 1 } else { usize::from(rows).saturating_sub(1) };
        let width = terminal_columns(&self.term).unwrap_or(usize::MAX).min(width.into());
        Size { width: width.saturating_sub(1), height }
    }

    /// Draws a frame in place of the last one.
    pub(crate) fn draw(&mut self, lines: &[String]) {
        self.redraw(lines).ok(); // a closed terminal must not stop a training
    }

    /// Prints a line that stays above the next frame.
    pub(crate) fn print_line(&mut self, text: &str) {
        self.draw(&[]);
        let text = fit(text, terminal_columns(&self.term));
        self.term.write_line(&text).and_then(|()| self.term.flush()).ok();
    }

    /// Keeps the last frame on the terminal.
    pub(crate) fn keep_frame(&mut self) {
        if self.dumb && !self.drawn.is_empty() {
            self.term.write_line("").and_then(|()| self.term.flush()).ok();
        }
        self.drawn.clear();
    }

    fn redraw(&mut self, lines: &[String]) -> std::io::Result<()> {
        let Size { width, .. } = self.size();
        let resized = self.columns != width && !self.drawn.is_empty();
        self.term.write_str("\r")?;
        if !self.dumb {
            self.term.move_cursor_up(count_rows(&self.drawn, width))?;
            if resized {
                self.erase()?;
            }
        }
        let old = if resized { Vec::new() } else { std::mem::take(&mut self.drawn) };
        self.drawn = lines.iter().map(|line| measure_text_width(line)).collect();
        for (k, line) in lines.iter().enumerate() {
            let padding = old.get(k).copied().unwrap_or(0).saturating_sub(self.drawn[k]);
            self.term.write_str(&format!("{line}{:padding$}", ""))?;
            self.drawn[k] += padding;
            if !self.dumb {
                self.term.write_line("")?;
            }
        }
        self.columns = width;
        match (self.dumb, old.first()) {
            (true, Some(&padding)) if lines.is_empty() => self.term.write_str(&format!("{:padding$}\r", ""))?,
            (true, _) => {}
            (false, _) => self.erase()?,
        }
        self.term.flush()
    }

    /// Erases everything after the cursor. A Windows console erases at once, so buffered text is flushed first.
    fn erase(&self) -> std::io::Result<()> {
        if cfg!(windows) {
            self.term.flush()?;
        }
        self.term.clear_to_end_of_screen()
    }
}

/// Counts the terminal rows that lines of these widths take, if the terminal has `width + 1` columns.
fn count_rows(lines: &[usize], width: usize) -> usize {
    lines.iter().map(|line| line.div_ceil(width + 1).max(1)).sum()
}

/// Returns true if the terminal shows Unicode: from the locale on Unix, from the terminal's features elsewhere.
fn supports_unicode(term: &Term) -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        return term.features().wants_emoji();
    }
    // POSIX, "Internationalization Variables": the first non-empty variable sets the character encoding.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| env::var(name).ok());
    let locale = locale.into_iter().find(|value| !value.is_empty()).unwrap_or_default().to_uppercase();
    locale.contains("UTF-8") || locale.contains("UTF8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_rows_in_narrower_terminal_counts_wrapped_lines() {
        assert_eq!(count_rows(&[], 79), 0);
        assert_eq!(count_rows(&[79, 0, 40], 79), 3);
        assert_eq!(count_rows(&[79, 0, 40], 39), 2 + 1 + 1);
        assert_eq!(count_rows(&[79, 0, 40], 19), 4 + 1 + 2);
    }
}
