//! Markdown tables, and the numbers in them.

/// Formats a table. The first column holds words, the others numbers.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let rule: String = (0..head.len()).map(|column| if column == 0 { "|---" } else { "|---:" }).collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}|\n{rows}", line(&head))
}

/// Formats a rate with three digits and the prefix k, M, G or T.
pub(crate) fn rate(x: f64) -> String {
    let (mut x, mut prefix) = (x, "");
    for next in ["k", "M", "G", "T"] {
        if x < 999.5 {
            break;
        }
        (x, prefix) = (x / 1000.0, next);
    }
    let digits = if x < 9.995 { 2 } else { usize::from(x < 99.95) };
    format!("{x:.digits$} {prefix}").trim_end().to_owned()
}

/// Formats a share in percent.
pub(crate) fn share(x: Option<f64>) -> String {
    x.map_or_else(String::new, |x| format!("{:.0} %", 100.0 * x))
}

/// Formats a ratio.
pub(crate) fn times(x: Option<f64>) -> String {
    x.map_or_else(String::new, |x| format!("{x:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_with_three_digits() {
        assert_eq!(
            [1.0, 12.34, 999.4, 999.6, 20e6, 5.67e13].map(rate),
            ["1.00", "12.3", "999", "1.00 k", "20.0 M", "56.7 T"]
        );
        assert_eq!((share(Some(0.123)), share(None), times(Some(2.0))), ("12 %".into(), String::new(), "2.00".into()));
    }

    #[test]
    fn table_has_a_head_and_rows() {
        let rows = [vec!["a".to_owned(), "1".to_owned()]];
        assert_eq!(table(&["what", "n"], &rows), "| what | n |\n|---|---:|\n| a | 1 |\n");
    }
}
