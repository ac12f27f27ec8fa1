//! The guided tour of the museum, as Markdown.

use std::fmt::Write;

use super::{Exhibit, exhibits};

const BEFORE: &str = "\
# The museum of wrong gradients

Every gradient on this page was published or shipped by experienced people, and every one is wrong. Each mistake is
reproduced in this engine as a small program. `cargo test` verifies three things about it: the check finds the mistake,
the same check passes on the right version, and the weak test in its row of this table passes despite the mistake.

To see the checker's full report on each exhibit:

```sh
cargo run --release -- gradcheck --museum
```

`cargo run -p gradus-proofs --example museum -- --page` writes this page. A test compares it with the code.
";

const AFTER: &str = "
## Summary

A test of a recurrent gradient that would have found all of these mistakes:

1. sends back numbers that are all different, not the ones of a plain sum;
2. runs at least two steps, three layers and two rows, from a nonzero state, with all sizes different;
3. checks for every input and parameter that a gradient exists, then its shape, then its entries;
4. compares entry by entry, with named blocks, to the precision of the method and not to a loose tolerance;
5. runs twice and compares bits; sends back zero and expects zero;
6. has a reference that does not share the graph, and one for the values: a gradient check cannot tell a wrong function
   from a right one.
";

/// Returns the text of `docs/museum.md`.
pub fn page() -> String {
    let mut page = String::from(BEFORE);
    page += "\n| | exhibit | year | weak test that passes |\n|---|---|---|---|\n";
    for (number, exhibit) in (1..).zip(exhibits()) {
        let Exhibit { title, weak_test, .. } = exhibit;
        write_line(&mut page, format_args!("| {number} | {title} | {} | {} |", year(exhibit), weak_test.description));
    }
    (1..).zip(exhibits()).for_each(|(number, exhibit)| section(&mut page, number, exhibit));
    page + AFTER
}

fn section(page: &mut String, number: usize, exhibit: &Exhibit) {
    let Exhibit { title, file, mistake, lesson, weak_test, .. } = exhibit;
    write_line(page, format_args!("\n## {number}. {title}\n\n{mistake}\n"));
    write_line(page, format_args!("- **Weak test that passes:** {}.", weak_test.description));
    write_line(page, format_args!("- **Checker's report:** {}.", verdict(exhibit)));
    write_line(page, format_args!("- **Lesson:** {lesson}"));
    let sources: Vec<_> = exhibit.sources.iter().map(|source| format!("<{source}>")).collect();
    write_line(page, format_args!("- **Source:** {}", sources.join(", ")));
    write_line(page, format_args!("- **Code:** [`{file}`](../{file})"));
}

fn verdict(exhibit: &Exhibit) -> String {
    let names: Vec<_> = exhibit.wrong_inputs.iter().map(|name| format!("`{name}`")).collect();
    let wrong = (!names.is_empty()).then(|| format!("wrong in {}", names.join(", ")));
    let diagnosis = exhibit.diagnosis.map_or("no known signature fits".into(), |text| format!("“{text}”"));
    wrong.into_iter().chain([diagnosis]).collect::<Vec<_>>().join("; ")
}

fn year(exhibit: &Exhibit) -> String {
    exhibit.year.map_or("–".into(), |year| year.to_string())
}

fn write_line(page: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(page, "{line}").expect("a string takes everything");
}
