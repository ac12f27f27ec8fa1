//! The terminal that frames are drawn on.
//!
//! A frame takes the place of the one before: the cursor goes up over it, each line is written over the old one, and
//! what is left below is erased, all in one piece, so that nothing flickers. The cursor is never hidden and no mode of
//! the terminal is changed: whatever ends the process leaves nothing to be put right.
//!
//! **What is relied on.** Of a terminal: to move the cursor up and to erase what is below it. [`console`] does both, by
//! ANSI codes, or by calls of the console on Windows. There it also turns virtual terminal processing on before it says
//! that colours are shown. A dumb terminal has one line, and a carriage return to begin it again. A terminal that becomes
//! narrower is taken to break the lines that it shows anew, as most do.

use std::env;

use console::{Term, is_dumb, measure_text_width};

/// The room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// The most columns of a line.
    pub(crate) width: usize,
    /// The most lines.
    pub(crate) height: usize,
}

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether it takes the codes that colour text.
    pub(crate) colour: bool,
    /// Whether it shows more than ASCII.
    pub(crate) unicode: bool,
}

/// A terminal, and what is drawn there.
#[derive(Debug)]
pub(crate) struct Screen {
    term: Term,
    dumb: bool,
    style: Style,
    /// The columns that each line of the last frame takes.
    drawn: Vec<usize>,
    /// The columns that there were then.
    columns: usize,
}

impl Screen {
    /// The standard output, if that is a terminal.
    pub(crate) fn stdout() -> Option<Self> {
        let term = Term::buffered_stdout();
        let dumb = is_dumb();
        let style = Style { colour: console::colors_enabled() && !dumb, unicode: unicode(&term) && !dumb };
        term.is_term().then_some(Self { term, dumb, style, drawn: Vec::new(), columns: 0 })
    }

    /// What it can show.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// The room for a frame. The last column stays free, as not all terminals agree on what follows it, and so does the
    /// line that the cursor is in.
    pub(crate) fn size(&self) -> Size {
        let (rows, columns) = self.term.size();
        let height = if self.dumb { 1 } else { usize::from(rows).saturating_sub(1) };
        Size { width: usize::from(columns).saturating_sub(1), height }
    }

    /// Draws a frame in place of the last one.
    pub(crate) fn draw(&mut self, lines: &[String]) {
        self.redraw(lines).ok(); // a terminal that is gone is no reason to stop a training
    }

    /// Writes something that stays, above the next frame.
    pub(crate) fn say(&mut self, text: &str) {
        self.draw(&[]);
        self.term.write_line(text).and_then(|()| self.term.flush()).ok();
    }

    /// Leaves the last frame where it is.
    pub(crate) fn leave(&mut self) {
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
            self.term.move_cursor_up(rows(&self.drawn, width))?;
            if resized {
                self.erase()?;
            }
        }
        let old = if resized { Vec::new() } else { std::mem::take(&mut self.drawn) };
        self.drawn = lines.iter().map(|line| measure_text_width(line)).collect();
        for (k, line) in lines.iter().enumerate() {
            let over = old.get(k).copied().unwrap_or(0).saturating_sub(self.drawn[k]);
            self.term.write_str(&format!("{line}{:over$}", ""))?;
            self.drawn[k] += over;
            if !self.dumb {
                self.term.write_line("")?;
            }
        }
        self.columns = width;
        match (self.dumb, old.first()) {
            (true, Some(&over)) if lines.is_empty() => self.term.write_str(&format!("{:over$}\r", ""))?,
            (true, _) => {}
            (false, _) => self.erase()?,
        }
        self.term.flush()
    }

    /// Erases from the cursor on. What was written before must be there by then: a Windows console erases at once.
    fn erase(&self) -> std::io::Result<()> {
        if cfg!(windows) {
            self.term.flush()?;
        }
        self.term.clear_to_end_of_screen()
    }
}

/// The rows of the terminal that these lines take when it shows `width` columns and one more.
fn rows(lines: &[usize], width: usize) -> usize {
    lines.iter().map(|line| line.div_ceil(width + 1).max(1)).sum()
}

/// Whether the terminal shows more than ASCII: on Unix what the locale says, elsewhere what is known of the terminal.
fn unicode(term: &Term) -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        return term.features().wants_emoji();
    }
    // POSIX, "Internationalization Variables": the first of these that is not empty tells the characters.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| env::var(name).ok());
    let locale = locale.into_iter().find(|value| !value.is_empty()).unwrap_or_default().to_uppercase();
    locale.contains("UTF-8") || locale.contains("UTF8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_a_narrower_terminal_breaks_take_more_rows() {
        assert_eq!(rows(&[], 79), 0);
        assert_eq!(rows(&[79, 0, 40], 79), 3);
        assert_eq!(rows(&[79, 0, 40], 39), 2 + 1 + 1);
        assert_eq!(rows(&[79, 0, 40], 19), 4 + 1 + 2);
    }
}
