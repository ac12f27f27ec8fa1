//! Fits printed text to the width of the terminal: sentences are wrapped, tables are folded. A pipe or a file gets every
//! line in full, so that programs can read it, unless the environment variable `COLUMNS` asks for a width.

use std::env;

use console::{Term, measure_text_width};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::output::table::Table;

/// The minimum width in columns. Text is not made narrower, since no word would fit.
const MIN_COLUMNS: usize = 20;

/// The text before the arguments of a command in a message, and the place of the command in it.
const COMMAND: &str = "with: gradus ";
const SPACE: usize = "with: ".len();

/// Returns the columns of a line on `term`: `COLUMNS` if it is set to a number, else the width of the terminal. `None`
/// means any width, because `term` is no terminal.
pub(crate) fn terminal_columns(term: &Term) -> Option<usize> {
    let set = env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|&columns: &usize| columns > 0);
    let columns = set.or_else(|| term.is_term().then(|| term.size().1.into()));
    columns.map(|columns| columns.max(MIN_COLUMNS))
}

/// Fits a text to `columns`: wraps its lines between words, and folds its tables. Text that fits stays as it is.
pub(crate) fn fit(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let lines: Vec<&str> = text.split('\n').collect();
    let parts = lines.chunk_by(|a, b| Table::is_line(a) && Table::is_line(b)).map(|lines| match Table::parse(lines) {
        Some(table) => table.fold(columns).trim_end().to_owned(),
        None => lines.iter().flat_map(|line| wrap(line, columns)).collect::<Vec<_>>().join("\n"),
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// Wraps a line between words. A longer word, such as a path, stays whole, so that it can be copied. In `name  meaning`, with
/// at least two spaces, the further lines begin below the meaning. In a comment they begin with `#`. A command after `with:`
/// gets a line of its own.
pub(crate) fn wrap(line: &str, columns: usize) -> Vec<String> {
    wrap_words(line, columns, false)
}

/// Wraps the text of a table cell as [`wrap`] does, but splits words that are longer than a line.
pub(crate) fn wrap_cell(text: &str, columns: usize) -> Vec<String> {
    wrap_words(text, columns, true)
}

/// Wraps a command of the shell, so that its lines can be copied together.
pub(crate) fn wrap_command(line: &str, columns: usize) -> Vec<String> {
    const CONTINUED: &str = " \\";
    if measure_text_width(line) <= columns {
        return vec![line.to_owned()];
    }
    let indent = " ".repeat(hanging_indent(line, columns) + 2);
    let lines = textwrap::wrap(line, options(columns.saturating_sub(CONTINUED.len())).subsequent_indent(&indent));
    let end = |k: usize| if k + 1 < lines.len() { CONTINUED } else { "" };
    lines.iter().enumerate().map(|(k, line)| line.trim_end().to_owned() + end(k)).collect()
}

fn options<'a>(columns: usize) -> Options<'a> {
    Options::new(columns)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .break_words(false)
}

fn wrap_words(line: &str, columns: usize, split_words: bool) -> Vec<String> {
    if measure_text_width(line) <= columns {
        return vec![line.to_owned()];
    }
    if let Some(at) = line.rfind(COMMAND).filter(|_| !split_words) {
        return [wrap(&line[..at + SPACE - 1], columns), vec![line[at + SPACE..].to_owned()]].concat();
    }
    let indent = if line.starts_with("# ") { "# ".to_owned() } else { " ".repeat(hanging_indent(line, columns)) };
    let options = options(columns).subsequent_indent(&indent).break_words(split_words);
    textwrap::wrap(line, options).into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Returns the column of the meaning in `name  meaning`, or else of the first word; at most half of a line.
fn hanging_indent(line: &str, columns: usize) -> usize {
    let start = line.len() - line.trim_start().len();
    let gap = line[start..].find("  ").map(|at| start + at);
    let meaning = gap.map_or(start, |gap| line.len() - line[gap..].trim_start().len());
    let indent = |end: usize| measure_text_width(&line[..end]);
    if indent(meaning) <= columns / 2 { indent(meaning) } else { indent(start).min(columns / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrap_breaks_between_words_and_keeps_long_words_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("in a/very/long/path", 6), ["in", "a/very/long/path"]);
        assert_eq!(wrap_cell("a/very/long/path", 6), ["a/very", "/long/", "path"]);
        assert_eq!(wrap_cell("with: gradus train", 8), ["with:", "gradus", "train"]);
        assert_eq!(wrap_cell("from 漢字漢字", 6), ["from", "漢字漢", "字"]);
        assert_eq!(wrap("pass --max-updates", 14), ["pass", "--max-updates"]);
        assert_eq!(wrap("", 7), [""]);
    }

    #[test]
    fn wrap_further_lines_begin_below_the_meaning() {
        assert_eq!(
            wrap("  driver  missing: there is none", 20),
            ["  driver  missing:", "          there is", "          none"]
        );
        assert_eq!(wrap("  two words and a third", 12), ["  two words", "  and a", "  third"]);
        assert_eq!(wrap("stopped; resume with: gradus train", 20), ["stopped; resume", "with:", "gradus train"]);
        assert_eq!(wrap("stopped; resume with: gradus train", 11), ["stopped;", "resume", "with:", "gradus train"]);
        assert_eq!(wrap("# H, the hidden size", 12), ["# H, the", "# hidden", "# size"]);
        assert_eq!(wrap("a long first column  of a line", 20), ["a long first column", "of a line"]);
    }

    #[test]
    fn wrap_command_that_does_not_fit_is_continued_with_backslashes() {
        assert_eq!(wrap_command("  gradus train --seed 7", 23), ["  gradus train --seed 7"]);
        assert_eq!(wrap_command("  gradus train --seed 7", 20), ["  gradus train \\", "    --seed 7"]);
    }

    #[test]
    fn fit_folds_tables_and_wraps_sentences() {
        let mut table = Table::new(["stage", "exact match", "shuffled contexts"]);
        table.row(["0", "1.000", "0.999"]);
        let text = format!("one sentence of several words\n\n{table}\nand another one");
        assert_eq!(fit(&text, None), text);
        assert_eq!(fit(&text, Some(80)), text);
        let want = format!("one sentence of several\nwords\n\n{}\nand another one", table.fold(28));
        assert_eq!(fit(&text, Some(28)), want);
    }
}
