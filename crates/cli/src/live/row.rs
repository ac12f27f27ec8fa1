//! A row of a frame: pieces of text, each with a meaning that sets its colour. A row is never wider than its columns.

use console::{Style as Ansi, measure_text_width};

/// The meaning of a piece of text, shown by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Normal text.
    Plain,
    /// Labels and other minor text.
    Dim,
    /// Titles and important text.
    Strong,
    /// Values that have reached their optimum.
    Good,
    /// Sparklines and bars.
    Curve,
}

impl Paint {
    fn ansi(self) -> Ansi {
        let style = Ansi::new().force_styling(true);
        match self {
            Self::Plain => style,
            Self::Dim => style.dim(),
            Self::Strong => style.bold(),
            Self::Good => style.green(),
            Self::Curve => style.cyan(),
        }
    }
}

/// A row of a frame.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pieces: Vec<(String, Paint)>,
    width: usize,
}

impl Row {
    /// Creates a row with one piece.
    pub(super) fn from_text(text: impl Into<String>, paint: Paint) -> Self {
        let mut row = Self::default();
        row.add(text, paint);
        row
    }

    /// Appends a piece.
    pub(super) fn add(&mut self, text: impl Into<String>, paint: Paint) {
        let text = text.into();
        self.width += measure_text_width(&text);
        self.pieces.push((text, paint));
    }

    /// Appends a piece after a gap, if all of it fits.
    pub(super) fn add_if_fits(&mut self, text: &str, paint: Paint, columns: usize) {
        let gap = if self.pieces.is_empty() { "" } else { "  " };
        if self.width + gap.len() + measure_text_width(text) <= columns {
            self.add(gap, Paint::Plain);
            self.add(text, paint);
        }
    }

    /// Returns the number of free columns.
    pub(super) fn room(&self, columns: usize) -> usize {
        columns.saturating_sub(self.width)
    }

    /// Renders the row in at most this many columns; the rest is cut off.
    pub(super) fn render(&self, columns: usize, colour: bool) -> String {
        let (mut left, mut line) = (columns, String::new());
        for (text, paint) in &self.pieces {
            let fitting: String = text.chars().take_while(|&c| take_columns(&mut left, c)).collect();
            match colour && *paint != Paint::Plain {
                true => line += &paint.ansi().apply_to(fitting).to_string(),
                false => line += &fitting,
            }
        }
        line
    }
}

/// Subtracts the columns of a character. If too few are left, sets them to 0 and returns false.
fn take_columns(left: &mut usize, character: char) -> bool {
    let rest = left.checked_sub(measure_text_width(character.encode_utf8(&mut [0; 4])));
    *left = rest.unwrap_or(0);
    rest.is_some()
}

/// Returns `Good` if the value has reached its optimum, else `Plain`.
pub(super) fn good_if(optimal: bool) -> Paint {
    if optimal { Paint::Good } else { Paint::Plain }
}

/// Formats seconds as seconds, minutes or hours.
pub(super) fn duration(seconds: f64) -> String {
    match seconds.ceil() {
        seconds if seconds < 120.0 => format!("{seconds} s"),
        seconds if seconds < 7_200.0 => format!("{} min", (seconds / 60.0).round()),
        seconds => format!("{} h", (seconds / 3_600.0).round()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn render_cuts_row_at_last_column() {
        let mut row = Row::from_text("ab", Paint::Strong);
        row.add("宽c", Paint::Plain);
        let texts = [0, 1, 2, 3, 4, 5, 9].map(|columns| row.render(columns, false));
        assert_eq!(texts, ["", "a", "ab", "ab", "ab宽", "ab宽c", "ab宽c"]);
        assert_eq!((row.room(4), row.room(7)), (0, 2));
    }

    #[test]
    fn add_if_fits_skips_pieces_that_do_not_fit() {
        let mut row = Row::default();
        for text in ["one", "three", "two"] {
            row.add_if_fits(text, Paint::Plain, 9);
        }
        assert_eq!(row.render(9, false), "one  two");
    }
}
