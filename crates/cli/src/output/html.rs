//! The frame of every HTML page: one file without scripts that needs no network. It suits light and dark themes, phones
//! and print.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use nn::files::{Disk, probe_write, write_atomic};

use crate::error::{Error, Result, show_path};
use crate::input::regular_file;
use crate::output::table::format_share;

/// Text near the beginning of every page, from every version of gradus.
const GENERATOR: &str = "name=\"generator\" content=\"gradus ";
const STYLE: &str = include_str!("page.css");

/// Returns a whole page with this title.
pub(crate) fn page(title: &str, body: Markup) -> String {
    page_with_style(title, "", body)
}

/// Returns a whole page with more CSS after the common one.
pub(crate) fn page_with_style(title: &str, style: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(concat!("gradus ", env!("CARGO_PKG_VERSION")));
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(style)) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}

/// Wraps wide content in a box that scrolls sideways when the page is too narrow. The box then has a shade at its edge.
pub(crate) fn scrollable(content: Markup) -> Markup {
    html! { div.wide tabindex="0" role="group" aria-label="scrolls sideways" { (content) } }
}

/// Puts [`scrollable`] content under a caption that does not scroll.
pub(crate) fn captioned(caption: &str, content: Markup) -> Markup {
    html! { figure { figcaption { (caption) } (scrollable(content)) } }
}

/// Returns a heatmap cell for `p` from 0 to 1. A higher `p` has a deeper colour; a `chosen` cell has a frame.
pub(crate) fn heat_cell(p: f64, chosen: bool) -> Markup {
    html! { td.heat.chosen[chosen] style=(format!("--p: {p:.3}")) { (format_share(p)) } }
}

/// Formats the text between backticks as `code`.
pub(crate) fn inline_code(text: &str) -> Markup {
    html! { @for (n, part) in text.split('`').enumerate() { @if n % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// Formats a number to three decimals, with a typographic minus sign.
pub(crate) fn format_number(x: f64) -> String {
    format!("{x:.3}").replace('-', "−")
}

/// Writes a page atomically. It replaces only an empty file or an earlier page of gradus.
///
/// # Errors
/// If another kind of file exists at `path`, or the page cannot be written.
pub(crate) fn write(path: &Path, page: &str) -> Result<()> {
    refuse_foreign(path)?;
    write_atomic(&Disk, path, page.as_bytes()).map_err(|error| unwritable(path, &error))
}

/// Checks that [`write`] will succeed, before a long computation whose result it writes.
///
/// # Errors
/// The errors of `write`.
pub(crate) fn check_writable(path: &Path) -> Result<()> {
    refuse_foreign(path)?;
    probe_write(&Disk, path).map_err(|error| unwritable(path, &error))
}

fn refuse_foreign(path: &Path) -> Result<()> {
    match read_head(path) {
        Ok(found) if !is_ours(&found) => {
            let path = show_path(path);
            Err(Error::input(format!("{path} exists already and is not a page of gradus; name another file")))
        }
        Err(found) if found.kind() != ErrorKind::NotFound => Err(unwritable(path, &found)),
        _ => Ok(()),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::file("write", path, error, "name another file, in a folder that you may write to, on a disk with room")
}

/// Reads the first 1024 bytes of a regular file. Reading a pipe could block forever, and a device may have no end.
fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    regular_file::open(path)?.take(1024).read_to_end(&mut head)?;
    Ok(head)
}

/// Returns true if a file that begins with `head` may be replaced: it is empty or a page of gradus.
fn is_ours(head: &[u8]) -> bool {
    head.is_empty() || head.windows(GENERATOR.len()).any(|part| part == GENERATOR.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_code_backticks_become_code_element() {
        assert_eq!(inline_code("axis `a < b`, and").into_string(), "axis <code>a &lt; b</code>, and");
        assert_eq!(inline_code("none").into_string(), "none");
    }

    #[test]
    fn page_has_no_external_reference() {
        let page = page("a < b", html! { p { "c & d" } });
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<title>a &lt; b</title>"), "{page}");
        assert!(page.contains("<p>c &amp; d</p>"), "{page}");
        for reference in ["http", "//", "url(", "@import", "src=", "href=", "<script", "<link"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }
}
