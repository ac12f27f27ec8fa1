//! The museum of wrong gradients: what each teaches, and what the checker says of it.

use autograd::gradcheck::Report;
use console::style;
use maud::{Markup, html};
use proofs::museum::{Exhibit, exhibits};
use serde_json::{Value, json};

use super::STYLE;
use crate::output::html::{page_with, prose};
use crate::report::chart;

const TITLE: &str = "The museum of wrong gradients";
const ABOUT: &str = "Every gradient here was published or shipped by people who know their trade, and every one is wrong. The \
     mistakes are made anew, as small as they can be; below each stands a test that passes all the same, and what the \
     checker says.";

/// An exhibit, with its check run.
pub(crate) struct Shown {
    exhibit: &'static Exhibit,
    report: Report,
    /// Whether the check finds the mistake, and nothing where it is mended.
    found: bool,
}

/// All exhibits.
pub(crate) fn all() -> Vec<Shown> {
    let shown = |exhibit: &'static Exhibit| {
        let report = (exhibit.wrong)();
        let found = !report.is_ok() && (exhibit.right)().is_ok();
        Shown { exhibit, report, found }
    };
    exhibits().map(shown).into()
}

/// The verdict on all, in a sentence.
pub(crate) fn verdict(all: &[Shown]) -> String {
    let found = all.iter().filter(|shown| shown.found).count();
    format!("{} exhibits: the checker finds {found} of them, and nothing where the mistake is mended", all.len())
}

/// Whether every mistake is found.
pub(crate) fn is_ok(all: &[Shown]) -> bool {
    all.iter().all(|shown| shown.found)
}

/// The tour for terminals, without a line's end after the last.
pub(crate) fn lines(all: &[Shown]) -> String {
    let shown = |(number, Shown { exhibit, report, .. }): (usize, &Shown)| {
        let Exhibit { mistake, lesson, weak, .. } = exhibit;
        let title = style(format!("{number}. {}", title(exhibit))).bold();
        let sources = exhibit.sources.join("\n        ");
        format!("{title}\n\n{mistake}\n\nPasses: {}\nLesson: {lesson}\nSource: {sources}\n\n{report}\n", weak.test)
    };
    format!("{ABOUT}\n\n{}{}", (1..).zip(all).map(shown).collect::<String>(), verdict(all))
}

/// `Used twice, counted once (2015)`
fn title(exhibit: &Exhibit) -> String {
    let year = exhibit.year.map(|year| format!(" ({year})")).unwrap_or_default();
    format!("{}{year}", exhibit.title)
}

/// The same for programs.
pub(crate) fn json(all: &[Shown]) -> Value {
    let shown = |Shown { exhibit, report, found }: &Shown| {
        json!({
            "name": exhibit.name,
            "title": exhibit.title,
            "year": exhibit.year,
            "sources": exhibit.sources,
            "file": exhibit.file,
            "mistake": exhibit.mistake,
            "lesson": exhibit.lesson,
            "passes": exhibit.weak.test,
            "found": found,
            "report": report,
        })
    };
    json!({ "found": is_ok(all), "exhibits": all.iter().map(shown).collect::<Vec<_>>() })
}

/// The same as a page. Its sources are text: the page asks for nothing from elsewhere.
pub(crate) fn page(all: &[Shown]) -> String {
    let found = is_ok(all);
    let body = html! {
        h1 { (TITLE) }
        p.good[found].bad[!found] { b { (verdict(all)) } }
        p { (ABOUT) }
        @for (number, shown) in (1..).zip(all) { (exhibit(number, shown)) }
    };
    page_with(TITLE, &format!("{}{STYLE}", chart::STYLE), body)
}

fn exhibit(number: usize, Shown { exhibit, report, .. }: &Shown) -> Markup {
    let plain = |source: &str| source.split_once("://").map_or(source, |(_, rest)| rest).to_owned();
    html! {
        h2 { (number) ". " (title(exhibit)) }
        p { (prose(exhibit.mistake)) }
        dl.facts {
            dt { "Passes" } dd { (exhibit.weak.test) }
            dt { "Lesson" } dd { (prose(exhibit.lesson)) }
            dt { "Source" } dd.code { @for source in exhibit.sources { (plain(source)) br; } }
            dt { "Code" } dd.code { (exhibit.file) }
        }
        details { summary { "What the checker says" } pre.mistake { (report) } }
    }
}
