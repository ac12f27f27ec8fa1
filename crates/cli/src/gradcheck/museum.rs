//! The museum of wrong gradients: the lesson of each, and the checker's report on it.

use autograd::gradcheck::Report;
use console::style;
use maud::{Markup, html};
use proofs::museum::{Exhibit, exhibits};
use serde_json::{Value, json};

use super::STYLE;
use crate::output::html::{inline_code, page_with_style};
use crate::report::chart;

const TITLE: &str = "The museum of wrong gradients";
const ABOUT: &str = "Every gradient here was published or shipped by experts, and every one is wrong. Each mistake is \
     reproduced in its smallest form. Below it are a test that passes nevertheless, and the checker's report.";

/// An exhibit with the result of its check.
pub(crate) struct CheckedExhibit {
    exhibit: &'static Exhibit,
    report: Report,
    /// True if the check finds the mistake, and finds nothing after the mistake is fixed.
    found: bool,
}

/// Checks all exhibits.
pub(crate) fn check_exhibits() -> Vec<CheckedExhibit> {
    let shown = |exhibit: &'static Exhibit| {
        let report = (exhibit.wrong_report)();
        let found = !report.is_ok() && (exhibit.right_report)().is_ok();
        CheckedExhibit { exhibit, report, found }
    };
    exhibits().map(shown).into()
}

/// Summarizes all exhibits in one sentence.
pub(crate) fn verdict(all: &[CheckedExhibit]) -> String {
    let found = all.iter().filter(|shown| shown.found).count();
    format!("{} exhibits: the checker finds {found} of them, and nothing after the mistake is fixed", all.len())
}

/// Returns true if every mistake is found.
pub(crate) fn is_ok(all: &[CheckedExhibit]) -> bool {
    all.iter().all(|shown| shown.found)
}

/// Formats all exhibits as text, without a line break at the end.
pub(crate) fn to_text(all: &[CheckedExhibit]) -> String {
    let shown = |(number, CheckedExhibit { exhibit, report, .. }): (usize, &CheckedExhibit)| {
        let Exhibit { mistake, lesson, weak_test, .. } = exhibit;
        let title = style(format!("{number}. {}", title(exhibit))).bold();
        let sources = exhibit.sources.join("\n        ");
        format!(
            "{title}\n\n{mistake}\n\nPasses: {}\nLesson: {lesson}\nSource: {sources}\n\n{report}\n",
            weak_test.description
        )
    };
    format!("{ABOUT}\n\n{}{}", (1..).zip(all).map(shown).collect::<String>(), verdict(all))
}

/// Formats title and year, as in `Used twice, counted once (2015)`.
fn title(exhibit: &Exhibit) -> String {
    let year = exhibit.year.map(|year| format!(" ({year})")).unwrap_or_default();
    format!("{}{year}", exhibit.title)
}

/// Converts all exhibits to JSON.
pub(crate) fn json(all: &[CheckedExhibit]) -> Value {
    let shown = |CheckedExhibit { exhibit, report, found }: &CheckedExhibit| {
        json!({
            "name": exhibit.name,
            "title": exhibit.title,
            "year": exhibit.year,
            "sources": exhibit.sources,
            "file": exhibit.file,
            "mistake": exhibit.mistake,
            "lesson": exhibit.lesson,
            "passes": exhibit.weak_test.description,
            "found": found,
            "report": report,
        })
    };
    json!({ "found": is_ok(all), "exhibits": all.iter().map(shown).collect::<Vec<_>>() })
}

/// Builds the HTML page. Sources are links; the page itself loads nothing.
pub(crate) fn page(all: &[CheckedExhibit]) -> String {
    let found = is_ok(all);
    let body = html! {
        h1 { (TITLE) }
        p.good[found].bad[!found] { b { (verdict(all)) } }
        p { (ABOUT) }
        @for (number, shown) in (1..).zip(all) { (exhibit(number, shown)) }
    };
    page_with_style(TITLE, &format!("{}{STYLE}", chart::STYLE), body)
}

fn exhibit(number: usize, CheckedExhibit { exhibit, report, .. }: &CheckedExhibit) -> Markup {
    let link = |source: &str| html! { a href=(source) { (source.trim_start_matches("https://")) } };
    html! {
        h2 { (number) ". " (title(exhibit)) }
        p { (inline_code(exhibit.mistake)) }
        dl.facts {
            dt { "Passes" } dd { (exhibit.weak_test.description) }
            dt { "Lesson" } dd { (inline_code(exhibit.lesson)) }
            dt { "Source" } dd.code { @for source in exhibit.sources { (link(source)) br; } }
            dt { "Code" } dd.code { (exhibit.file) }
        }
        details { summary { "Report of the checker" } pre.mistake { (report) } }
    }
}
