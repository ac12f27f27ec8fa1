//! Tables for terminals that are also valid Markdown.

use std::fmt;

use console::measure_text_width;

use crate::output::width::wrap_cell;

/// The border of cells. In a cell it is replaced by a box-drawing line of the same look.
const BORDER: char = '|';

/// Columns of the borders and spaces around each cell, and of the last border.
const FRAME: (usize, usize) = (3, 1);

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
        self.rows.push(cells.into_iter().map(|cell| cell.into().replace(BORDER, "│")).collect());
    }

    /// Returns true for a line of a printed table.
    pub(crate) fn is_line(line: &str) -> bool {
        line.starts_with(BORDER)
    }

    /// Parses the lines of a printed table; `None` for other lines.
    pub(crate) fn parse(lines: &[&str]) -> Option<Self> {
        let [header, rule, body @ ..] = lines else { return None };
        let mut table = Self::default();
        for line in [header].into_iter().chain(body) {
            table.row(line.strip_prefix(BORDER)?.strip_suffix(BORDER)?.split(BORDER).map(str::trim));
        }
        rule.starts_with("|-").then_some(table)
    }

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
        let numeric = |cell: &str| {
            cell.is_empty()
                || cell == NONE
                || cell.strip_prefix('-').unwrap_or(cell).starts_with(|c: char| c.is_ascii_digit())
        };
        self.body().iter().all(|row| row.get(column).is_none_or(|cell| numeric(cell)))
    }

    /// Formats the table in at most `columns` columns. Columns that do not fit follow in further tables, each with the first
    /// column before them. Cells are wrapped only if they do not fit beside the first column.
    pub(crate) fn fold(&self, columns: usize) -> String {
        let mut widths: Vec<usize> = (0..self.header().len()).map(|column| self.width(column)).collect();
        let total = |widths: &[usize]| widths.iter().map(|width| width + FRAME.0).sum::<usize>() + FRAME.1;
        if total(&widths) > columns {
            let room = columns.saturating_sub(total(&[0, 0]));
            let longest_word = self.rows.iter().flat_map(|row| row[0].split(' ')).map(measure_text_width).max();
            let widest = widths[1..].iter().copied().max().unwrap_or(0);
            let least = longest_word.unwrap_or(0).min(room / 2);
            widths[0] = widths[0].min(room.saturating_sub(widest).max(least));
            let rest = room - widths[0];
            widths[1..].iter_mut().for_each(|width| *width = (*width).min(rest));
        }
        let mut parts: Vec<Vec<usize>> = vec![vec![0]];
        for column in 1..widths.len() {
            let part = parts.last_mut().expect("there is a part");
            let taken: Vec<_> = part.iter().chain([&column]).map(|&column| widths[column]).collect();
            match total(&taken) > columns && part.len() > 1 {
                true => parts.push(vec![0, column]),
                false => part.push(column),
            }
        }
        parts.iter().map(|part| self.format(part, &widths)).collect::<Vec<_>>().join("\n")
    }

    /// Formats some of the columns, with cells wrapped to `widths`.
    fn format(&self, columns: &[usize], widths: &[usize]) -> String {
        let numeric: Vec<bool> = (0..widths.len()).map(|column| self.is_numeric(column)).collect();
        let mut lines: Vec<String> = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            let wrapped = |&column: &usize| wrap_cell(row.get(column).map_or("", |cell| cell), widths[column]);
            let cells: Vec<_> = columns.iter().map(wrapped).collect();
            for k in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                let cell = |(cell, &column): (&Vec<String>, &usize)| {
                    let text = cell.get(k).map_or("", |text| text);
                    let padding = " ".repeat(widths[column].saturating_sub(measure_text_width(text)));
                    if numeric[column] { format!("| {padding}{text} ") } else { format!("| {text}{padding} ") }
                };
                lines.push(cells.iter().zip(columns).map(cell).collect());
            }
            if number == 0 {
                let rule = |&column: &usize| {
                    let end = if numeric[column] { ':' } else { '-' };
                    format!("|-{}{end}", "-".repeat(widths[column]))
                };
                lines.push(columns.iter().map(rule).collect());
            }
        }
        lines.iter().map(|line| format!("{line}|\n")).collect()
    }

    /// Returns the width of a column: that of its widest cell, at least 2.
    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0).max(2)
    }
}

/// The table at its full width.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fold(usize::MAX))
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

    /// Returns a table like the widest ones: long names, numbers with ranges, and sentences.
    fn wide_table() -> Table {
        let mut table =
            Table::new(["probability of improvement", "updates", "steps", "exact 0", "shuffled contexts", "end"]);
        let range = "1.000 [0.950, 1.000]";
        table.row([
            "runs/calculator-20261129T233712Z-seeds over b",
            "100",
            "122795",
            range,
            "0.5",
            "solved by its rule",
        ]);
        table.row(["b", "1500", NONE, range, "", "update 7: the gradient of emb.weight is no longer a finite number"]);
        table.row(["宽宽宽宽宽宽宽宽", "0 to 9", "1", range, "", ""]);
        table
    }

    #[test]
    fn fold_fits_into_every_width_and_keeps_every_cell() {
        let table = wide_table();
        let characters = |cells: &[&str]| {
            let mut characters: Vec<_> = cells.concat().chars().filter(|&c| c != ' ').collect();
            characters.sort_unstable();
            characters
        };
        let (first, others): (Vec<_>, Vec<_>) =
            table.rows.iter().map(|row| (row[0].as_str(), row[1..].iter().map(String::as_str))).unzip();
        let others: Vec<_> = others.into_iter().flatten().collect();
        for columns in (20..=300).chain([usize::MAX]) {
            let folded = table.fold(columns);
            for line in folded.lines() {
                assert!(measure_text_width(line) <= columns, "{columns}: {line}");
                assert!(line.is_empty() || Table::is_line(line) && line.ends_with(BORDER), "{line}");
            }
            let mut kept = Vec::new();
            for part in folded.split("\n\n") {
                let lines = part.lines().filter(|line| !line.starts_with("|-"));
                let cells: Vec<Vec<_>> = lines.map(|line| line.trim_matches(BORDER).split(BORDER).collect()).collect();
                let repeated: Vec<_> = cells.iter().map(|row| row[0]).collect();
                assert_eq!(characters(&repeated), characters(&first), "{columns}: {part}");
                kept.extend(cells.iter().flat_map(|row| row[1..].iter().copied()));
            }
            assert_eq!(characters(&kept), characters(&others), "{columns}: {folded}");
        }
    }

    #[test]
    fn fold_at_40_columns_repeats_the_first_column_and_wraps_wide_cells() {
        let mut table = Table::new(["stage", "goal", "shuffled contexts", "most frequent program"]);
        table.row(["0", "a·b+c", "1.000", "MUL ADD STO MUL RCL SUB ANS (1.000)"]);
        let lines = "\
            | stage | goal  | shuffled contexts |\n\
            |------:|-------|------------------:|\n\
            |     0 | a·b+c |             1.000 |\n\
            \n\
            | stage | most frequent program        |\n\
            |------:|------------------------------|\n\
            |     0 | MUL ADD STO MUL RCL SUB ANS  |\n\
            |       | (1.000)                      |\n";
        assert_eq!(table.fold(40), lines);
    }

    #[test]
    fn parse_of_a_printed_table_is_the_table() {
        let mut table = wide_table();
        table.row(["a|b"]);
        let printed = table.to_string();
        let parsed = Table::parse(&printed.lines().collect::<Vec<_>>()).expect("a table");
        assert_eq!(parsed.to_string(), printed);
        assert!(Table::parse(&["| a |", "| b |"]).is_none() && Table::parse(&["| a |"]).is_none());
    }
}
