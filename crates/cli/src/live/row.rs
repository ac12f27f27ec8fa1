//! A line of a frame: pieces of text, each with its meaning, that never take more columns than there are.

use console::{Style as Ansi, measure_text_width};

/// What a piece of text is, where there is colour to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Nothing special.
    Plain,
    /// Names beside figures.
    Dim,
    /// What the line is about.
    Strong,
    /// What has come as far as it can.
    Good,
    /// Curves and bars.
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

/// A line of a frame.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pieces: Vec<(String, Paint)>,
    width: usize,
}

impl Row {
    /// With one piece.
    pub(super) fn of(text: impl Into<String>, paint: Paint) -> Self {
        let mut row = Self::default();
        row.add(text, paint);
        row
    }

    /// Adds a piece at the end.
    pub(super) fn add(&mut self, text: impl Into<String>, paint: Paint) {
        let text = text.into();
        self.width += measure_text_width(&text);
        self.pieces.push((text, paint));
    }

    /// Adds a piece after a gap, if there is room for all of it.
    pub(super) fn add_if_it_fits(&mut self, text: &str, paint: Paint, columns: usize) {
        let gap = if self.pieces.is_empty() { "" } else { "  " };
        if self.width + gap.len() + measure_text_width(text) <= columns {
            self.add(gap, Paint::Plain);
            self.add(text, paint);
        }
    }

    /// The columns that are left.
    pub(super) fn room(&self, columns: usize) -> usize {
        columns.saturating_sub(self.width)
    }

    /// The line in at most this many columns; the rest is cut off.
    pub(super) fn text(&self, columns: usize, colour: bool) -> String {
        let (mut left, mut line) = (columns, String::new());
        for (text, paint) in &self.pieces {
            let fitting: String = text.chars().take_while(|&c| take(&mut left, c)).collect();
            match colour && *paint != Paint::Plain {
                true => line += &paint.ansi().apply_to(fitting).to_string(),
                false => line += &fitting,
            }
        }
        line
    }
}

/// Takes the columns of a character, if there are enough; if not, none are left.
fn take(left: &mut usize, character: char) -> bool {
    let rest = left.checked_sub(measure_text_width(character.encode_utf8(&mut [0; 4])));
    *left = rest.unwrap_or(0);
    rest.is_some()
}

/// How a figure is painted that can come no further.
pub(super) fn finished(is: bool) -> Paint {
    if is { Paint::Good } else { Paint::Plain }
}

/// Seconds as people say them.
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
    fn a_row_is_cut_at_its_last_column() {
        let mut row = Row::of("ab", Paint::Strong);
        row.add("宽c", Paint::Plain);
        let texts = [0, 1, 2, 3, 4, 5, 9].map(|columns| row.text(columns, false));
        assert_eq!(texts, ["", "a", "ab", "ab", "ab宽", "ab宽c", "ab宽c"]);
        assert_eq!((row.room(4), row.room(7)), (0, 2));
    }

    #[test]
    fn pieces_that_do_not_fit_are_left_out() {
        let mut row = Row::default();
        for text in ["one", "three", "two"] {
            row.add_if_it_fits(text, Paint::Plain, 9);
        }
        assert_eq!(row.text(9, false), "one  two");
    }
}
