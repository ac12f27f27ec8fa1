//! Tables for terminals that are also valid Markdown.

use std::fmt;

/// A header row and body rows of text cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates a table that has only this header.
    pub(crate) fn new(header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut table = Self::default();
        table.row(header);
        table
    }

    /// Appends a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl Table {
    /// The header.
    pub(crate) fn header(&self) -> &[String] {
        &self.rows[0]
    }

    /// The rows below the header.
    pub(crate) fn body(&self) -> &[Vec<String>] {
        &self.rows[1..]
    }

    /// Returns true if every cell of a column is empty, [`NONE`] or begins with a digit. Such columns align right.
    pub(crate) fn is_numeric(&self, column: usize) -> bool {
        let numeric = |cell: &str| cell.is_empty() || cell == NONE || cell.starts_with(|c: char| c.is_ascii_digit());
        self.body().iter().all(|row| row.get(column).is_none_or(|cell| numeric(cell)))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = |row: &'_ Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
        let columns: Vec<(usize, bool)> = (0..self.header().len())
            .map(|column| {
                let width = self.rows.iter().map(|row| cell(row, column).chars().count()).max();
                (width.unwrap_or(0).max(2), self.is_numeric(column))
            })
            .collect();
        let line = |f: &mut fmt::Formatter<'_>, row: &Vec<String>| {
            for (column, &(width, right)) in columns.iter().enumerate() {
                let text = cell(row, column);
                if right { write!(f, "| {text:>width$} ")? } else { write!(f, "| {text:<width$} ")? }
            }
            writeln!(f, "|")
        };
        line(f, &self.rows[0])?;
        for &(width, right) in &columns {
            let rule = "-".repeat(width);
            if right { write!(f, "|-{rule}:")? } else { write!(f, "|-{rule}-")? }
        }
        writeln!(f, "|")?;
        self.rows[1..].iter().try_for_each(|row| line(f, row))
    }
}

/// The cell text of a missing value.
pub(crate) const NONE: &str = "–";

/// Formats a share to three decimals. Only a share of exactly 1 is shown as 1.000.
pub(crate) fn format_share(x: f64) -> String {
    format!("{:.3}", if x < 1.0 { x.min(0.999) } else { x })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_display_aligns_columns() {
        let mut table = Table::new(["seed", "program"]);
        table.row(["0", "MUL ADD ANS"]);
        table.row(["10", "ANS"]);
        let lines = "\
            | seed | program     |\n\
            |-----:|-------------|\n\
            |    0 | MUL ADD ANS |\n\
            |   10 | ANS         |\n";
        assert_eq!(table.to_string(), lines);
    }

    #[test]
    fn format_share_just_below_1_is_0_999() {
        assert_eq!([1.0, 2999.0 / 3000.0, 0.5, 0.0].map(format_share), ["1.000", "0.999", "0.500", "0.000"]);
    }
}
