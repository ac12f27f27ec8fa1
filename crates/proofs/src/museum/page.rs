//! The guided tour, as Markdown.

use std::fmt::Write;

use super::{Exhibit, exhibits};

const BEFORE: &str = "\
# The museum of wrong gradients

Every gradient on this page was published or shipped by people who know their trade, and every one is wrong.
They stand here as code that runs: each mistake is made anew in this engine, as small as it can be, and `cargo test` holds
three things about it: that the check finds it, that the same check is content with the right version, and that the test in
its row of this table, which many people would have written, passes with the mistake in place.

To see what the checker says of each, in full:

```sh
cargo run --release -- gradcheck --museum
```

This page is written by `cargo run -p proofs --example museum -- --page`; a test holds it to the code.
";

const AFTER: &str = "
## What to take home

A test of a recurrent gradient that would have caught all of them:

1. sends back numbers of which no two are alike, not the ones of a plain sum;
2. runs at least two steps, three layers, two rows, from a state that is not zero, with all sizes different;
3. looks at every input and parameter, at whether there is a gradient, and at its shape before its entries;
4. compares entry by entry, with names for the blocks, to the precision that the method allows and not to what looks small;
5. runs twice and compares bits; sends back zero and expects zero;
6. has a witness that does not share the graph, and one for the values: a gradient check cannot tell a wrong function from
   a right one.
";

/// `docs/museum.md`.
pub fn page() -> String {
    let mut page = String::from(BEFORE);
    page += "\n| | exhibit | year | passes all the same |\n|---|---|---|---|\n";
    for (number, exhibit) in (1..).zip(exhibits()) {
        let Exhibit { title, weak, .. } = exhibit;
        line(&mut page, format_args!("| {number} | {title} | {} | {} |", year(exhibit), weak.test));
    }
    (1..).zip(exhibits()).for_each(|(number, exhibit)| section(&mut page, number, exhibit));
    page + AFTER
}

fn section(page: &mut String, number: usize, exhibit: &Exhibit) {
    let Exhibit { title, file, mistake, lesson, weak, .. } = exhibit;
    line(page, format_args!("\n## {number}. {title}\n\n{mistake}\n"));
    line(page, format_args!("- **Passes all the same:** {}.", weak.test));
    line(page, format_args!("- **The checker:** {}.", verdict(exhibit)));
    line(page, format_args!("- **Lesson:** {lesson}"));
    let sources: Vec<_> = exhibit.sources.iter().map(|source| format!("<{source}>")).collect();
    line(page, format_args!("- **Source:** {}", sources.join(", ")));
    line(page, format_args!("- **Code:** [`{file}`](../{file})"));
}

fn verdict(exhibit: &Exhibit) -> String {
    let names: Vec<_> = exhibit.wrong_in.iter().map(|name| format!("`{name}`")).collect();
    let wrong = (!names.is_empty()).then(|| format!("wrong in {}", names.join(", ")));
    let says = exhibit.says.map_or("no known signature fits".into(), |says| format!("“{says}”"));
    wrong.into_iter().chain([says]).collect::<Vec<_>>().join("; ")
}

fn year(exhibit: &Exhibit) -> String {
    exhibit.year.map_or("–".into(), |year| year.to_string())
}

fn line(page: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(page, "{line}").expect("a string takes everything");
}
