//! Prints the checker's report on every exhibit of the museum; with `--page`, prints `docs/museum.md`.
#![forbid(unsafe_code)]

use proofs::museum::{exhibits, page};

fn main() {
    if std::env::args().any(|argument| argument == "--page") {
        return print!("{}", page());
    }
    for (number, exhibit) in (1..).zip(exhibits()) {
        println!("{number}. {}\n{}", exhibit.title, (exhibit.wrong_report)());
    }
}
