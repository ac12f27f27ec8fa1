//! Tests that `record/teeth.md` lists the mistakes of the code, and detection limits within a factor of 2 of the measured ones.

use std::fs;
use std::path::Path;

use super::detection_limits::limits;
use super::{Mistake, mistakes};

/// Returns the page's text under a heading.
fn section(heading: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../record/teeth.md");
    let page = fs::read_to_string(path).unwrap_or_default();
    page.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_default().to_owned()
}

/// Returns the rows of the table under a heading.
fn table(heading: &str) -> Vec<String> {
    section(heading).lines().filter(|line| line.starts_with("| ")).skip(1).map(str::to_owned).collect()
}

#[test]
fn teeth_page_lists_the_mistakes() {
    let row = |Mistake { place, wrong, level, .. }: &Mistake| format!("| `{place}` | {wrong} | {level} |");
    let rows: Vec<String> = mistakes().iter().map(row).collect();
    println!("{}", rows.join("\n"));
    assert_eq!(table("The mistakes"), rows, "record/teeth.md");
    let count = format!("\n\n{} of them. ", rows.len());
    assert!(section("The mistakes").contains(&count), "record/teeth.md must say {} of them", rows.len());
}

/// Parses the numbers of a row.
fn numbers(row: &str) -> Vec<Option<f64>> {
    row.split('|').skip(2).map(|cell| cell.trim().parse().ok()).collect()
}

#[test]
fn detection_limits_are_1e_12_or_better_and_on_the_page() {
    let (limits, listed) = (limits(), table("Detection limits"));
    limits.iter().for_each(|limit| println!("{limit}"));
    for limit in &limits {
        assert!(limit.detected.iter().flatten().all(|&d| d <= 1e-12), "{limit}");
    }
    assert_eq!(listed.len(), limits.len(), "record/teeth.md");
    for (limit, listed) in limits.iter().zip(listed) {
        let row = limit.to_string();
        assert_eq!(row.split('|').nth(1), listed.split('|').nth(1), "record/teeth.md");
        let near = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
            (Some(a), Some(b)) => (0.4..2.5).contains(&(a / b)),
            (a, b) => a.is_none() && b.is_none(),
        };
        assert!(numbers(&row).iter().zip(&numbers(&listed)).all(near), "record/teeth.md has {listed}, measured {row}");
    }
}
