//! The page that everything written as HTML stands on: one file that needs no network and no script, by day, by night,
//! on a telephone and on paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");

/// A whole page called `title`.
pub(crate) fn page(title: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
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

#[cfg(test)]
mod tests {
    use super::*;

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
