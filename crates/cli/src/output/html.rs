//! The page that everything written as HTML stands on: one file that needs no network and no script, by day, by night,
//! on a telephone and on paper.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use nn::files::{Disk, try_out, write_whole};

use crate::error::{Error, Result};
use crate::input::regular_file;
use crate::output::table::share;

/// What every page says near its beginning, whichever version wrote it.
const GENERATOR: &str = "name=\"generator\" content=\"gradus ";
const STYLE: &str = include_str!("page.css");

/// A whole page called `title`.
pub(crate) fn page(title: &str, body: Markup) -> String {
    page_with(title, "", body)
}

/// The same with more style after the common one.
pub(crate) fn page_with(title: &str, style: &str, body: Markup) -> String {
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

/// Something wide, which scrolls by itself where there is no room for it.
pub(crate) fn wide(content: Markup) -> Markup {
    html! { div.wide tabindex="0" { (content) } }
}

/// [`wide`] under a caption that stays where it is.
pub(crate) fn captioned(caption: &str, content: Markup) -> Markup {
    html! { figure { figcaption { (caption) } (wide(content)) } }
}

/// A cell of a heatmap: a share from 0 to 1, the deeper the greater, with a frame where it was `chosen`.
pub(crate) fn heat(p: f64, chosen: bool) -> Markup {
    html! { td.heat.chosen[chosen] style=(format!("--p: {p:.3}")) { (share(p)) } }
}

/// Words with `code` between backticks.
pub(crate) fn prose(words: &str) -> Markup {
    html! { @for (n, part) in words.split('`').enumerate() { @if n % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// A number to three places, with the sign that printers use.
pub(crate) fn number(x: f64) -> String {
    format!("{x:.3}").replace('-', "−")
}

/// Writes a page, whole or not at all. It replaces another page of gradus or an empty file, and nothing else.
///
/// # Errors
/// If something else is there, or it cannot be written.
pub(crate) fn write(path: &Path, page: &str) -> Result<()> {
    refuse_foreign(path)?;
    write_whole(&Disk, path, page.as_bytes()).map_err(|error| unwritable(path, &error))
}

/// Looks whether [`write`] will do, before the work whose outcome is to be written.
///
/// # Errors
/// As `write` has.
pub(crate) fn check(path: &Path) -> Result<()> {
    refuse_foreign(path)?;
    try_out(&Disk, path).map_err(|error| unwritable(path, &error))
}

fn refuse_foreign(path: &Path) -> Result<()> {
    match head(path) {
        Ok(found) if !is_ours(&found) => {
            let path = path.display();
            Err(Error::input(format!("{path} is there already and is no page of gradus; name another file")))
        }
        Err(found) if found.kind() != ErrorKind::NotFound => Err(unwritable(path, &found)),
        _ => Ok(()),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::file("write", path, error, "name another file, in a folder that you may write to, on a disk with room")
}

/// The beginning of a file. A pipe would never come to one, and a device may have no end.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    regular_file::open(path)?.take(1024).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether a file that begins so may be replaced: a page of gradus, or nothing at all.
fn is_ours(head: &[u8]) -> bool {
    head.is_empty() || head.windows(GENERATOR.len()).any(|part| part == GENERATOR.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_become_code() {
        assert_eq!(prose("axis `a < b`, and").into_string(), "axis <code>a &lt; b</code>, and");
        assert_eq!(prose("none").into_string(), "none");
    }

    #[test]
    fn a_page_asks_for_nothing_from_elsewhere() {
        let page = page("a < b", html! { p { "c & d" } });
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<title>a &lt; b</title>"), "{page}");
        assert!(page.contains("<p>c &amp; d</p>"), "{page}");
        for reference in ["http", "//", "url(", "@import", "src=", "href=", "<script", "<link"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }
}
