//! `gradus gradcheck`: the gradients of every operation and layer, by every method.

use std::path::Path;

use proofs::Case;
use proofs::curve::Curve;
use proofs::measure::Measured;
use serde_json::Value;

use crate::args::GradcheckArgs;
use crate::error::{Error, Result, suggestion};
use crate::gradcheck::{json, museum, page, terminal, verdict};
use crate::{html, show};

/// The page, unless `--html` names a file.
const PAGE: &str = "gradcheck.html";
/// That of the museum.
const MUSEUM: &str = "museum.html";

/// Does what the arguments say.
///
/// # Errors
/// If there is no such operation or layer, the page cannot be written, or a gradient is wrong.
pub(crate) fn gradcheck(args: &GradcheckArgs) -> Result<()> {
    if args.museum { tour(args) } else { check(args, &chosen(&args.op)?) }
}

/// The cases of the operations and layers of these names, or all where there is none.
fn chosen(names: &[String]) -> Result<Vec<Case>> {
    let mut cases = proofs::all();
    for name in names {
        if !cases.iter().any(|case| case.of.name() == name) {
            let nearest = suggestion(name, cases.iter().map(|case| case.of.name()));
            let advice = if nearest.is_empty() { "; without --op all are checked, and listed" } else { &nearest };
            return Err(Error::input(format!("--op: there is no operation or layer {name}{advice}")));
        }
    }
    cases.retain(|case| names.is_empty() || names.iter().any(|name| case.of.name() == name));
    Ok(cases)
}

fn check(args: &GradcheckArgs, cases: &[Case]) -> Result<()> {
    let measured = Measured::all(cases);
    let lines = || if args.op.is_empty() { terminal::overview(&measured) } else { terminal::cases(&measured) };
    present(args, || page::page(&measured, &Curve::gru()), || json::json(&measured, &Curve::gru()), lines)?;
    if measured.iter().all(Measured::is_ok) { Ok(()) } else { Err(Error::Run(verdict(&measured))) }
}

fn tour(args: &GradcheckArgs) -> Result<()> {
    let all = museum::all();
    present(args, || museum::page(&all), || museum::json(&all), || museum::lines(&all))?;
    if museum::is_ok(&all) { Ok(()) } else { Err(Error::Run(museum::verdict(&all))) }
}

/// In the way that was asked for.
fn present(
    args: &GradcheckArgs,
    page: impl FnOnce() -> String,
    json: impl FnOnce() -> Value,
    lines: impl FnOnce() -> String,
) -> Result<()> {
    match &args.html {
        Some(path) => {
            let path = path.as_deref().unwrap_or(Path::new(if args.museum { MUSEUM } else { PAGE }));
            html::write(path, &page())?;
            show(path.display())
        }
        None if args.json => show(format!("{:#}", json())),
        None => show(lines()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::sample;

    /// However it is shown, a wrong gradient is a failure, and what is shown is all there before it.
    #[test]
    fn a_wrong_gradient_is_exit_code_1() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let page = folder.path().join("page.html");
        let plain = GradcheckArgs { op: Vec::new(), museum: false, json: false, html: None };
        let json = GradcheckArgs { json: true, ..plain.clone() };
        let html = GradcheckArgs { html: Some(Some(page.clone())), ..plain.clone() };
        for args in [plain, json, html] {
            let error = check(&args, &sample::cases()).expect_err("one of them is wrong");
            assert_eq!((error.code(), error.to_string()), (1, "2 operations, 1 layer, 4 cases: 1 DO NOT AGREE".into()));
            check(&args, &sample::cases()[1..]).expect("the others are right");
        }
        assert!(page.exists());
    }

    #[test]
    fn names_choose_cases() {
        let names = |names: &[&str]| chosen(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        let found = names(&["gru", "Mlp", "gru"]).expect("they are there");
        assert!(found.iter().all(|case| ["gru", "Mlp"].contains(&case.of.name())));
        assert_eq!(names(&[]).expect("all").len(), proofs::all().len());
        let error = names(&["gru", "tahn"]).map(|_| ()).expect_err("no such thing");
        assert_eq!(
            (error.code(), &*error.to_string()),
            (2, "--op: there is no operation or layer tahn; did you mean tanh?")
        );
    }
}
