//! `gradus gradcheck`: the gradients of every operation and layer, by every method.

use std::path::{Path, PathBuf};

use clap::Args;
use proofs::Case;
use proofs::curve::Curve;
use proofs::measure::Measured;
use serde_json::Value;
use tensor::catch_cuda;

use crate::error::{Error, Result, suggestion};
use crate::gradcheck::{json, museum, page, terminal, verdict};
use crate::input::device_name::{self, DeviceName};
use crate::output::html;
use crate::output::print::show;

/// The page, unless `--html` names a file.
const PAGE: &str = "gradcheck.html";
/// That of the museum.
const MUSEUM: &str = "museum.html";

/// What to prove, and for whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct GradcheckArgs {
    /// Only this operation or layer, case by case; may be given several times, or with commas between names
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) op: Vec<String>,
    /// Show the museum instead: wrong gradients that were published or shipped, and what the checker says of each
    #[arg(long, conflicts_with = "op")]
    pub(crate) museum: bool,
    /// Whose gradients, values and differences: cpu, cuda, or a GPU by its number, as in cuda:1; duals, and so second
    /// derivatives, are the processor's [default: cpu]
    #[arg(long, value_name = "DEVICE", conflicts_with = "museum")]
    pub(crate) device: Option<DeviceName>,
    /// Write a page that needs no network, and print where it is; it replaces an earlier page of gradus, and nothing
    /// else [default FILE: gradcheck.html, or museum.html]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "json")]
    #[expect(clippy::option_option, reason = "the flag may be missing, alone, or with a file")]
    pub(crate) html: Option<Option<PathBuf>>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// If there is no such operation, layer or device, the page cannot be written, or a gradient is wrong.
pub(crate) fn gradcheck(args: &GradcheckArgs) -> Result<()> {
    if args.museum { tour(args) } else { check(args, &chosen(&args.op)?) }
}

/// The cases of the operations and layers of these names, or all where there is none.
fn chosen(names: &[String]) -> Result<Vec<Case>> {
    let mut cases = proofs::all();
    let mut known: Vec<_> = cases.iter().map(|case| case.of.name()).collect();
    known.dedup();
    let names = names.iter().map(|name| find(name, &known)).collect::<Result<Vec<_>>>()?;
    cases.retain(|case| names.is_empty() || names.contains(&case.of.name()));
    Ok(cases)
}

/// The one that is called so, or so in other letters if that is one alone.
fn find<'a>(name: &str, known: &[&'a str]) -> Result<&'a str> {
    let exact = known.iter().copied().find(|other| *other == name);
    let alike: Vec<_> = known.iter().copied().filter(|other| other.eq_ignore_ascii_case(name)).collect();
    let expected = || format!("expected one of {}", known.join(", "));
    match (exact, &alike[..]) {
        (Some(found), _) | (None, &[found]) => Ok(found),
        (None, []) if name.is_empty() => Err(Error::input(format!("--op: the name is empty; {}", expected()))),
        (None, []) => {
            let nearest = suggestion(name, known.iter().copied());
            let advice = if nearest.is_empty() { format!("; {}", expected()) } else { nearest };
            Err(Error::input(format!("--op: there is no operation or layer {name}{advice}")))
        }
        (None, several) => Err(Error::input(format!("--op: {name} may be {}; say which", several.join(" or ")))),
    }
}

fn check(args: &GradcheckArgs, cases: &[Case]) -> Result<()> {
    let place = place(args)?;
    args.device.map(|name| device_name::choose(name, false)).transpose()?; // kernel by kernel
    let computed = args.device.filter(|device| *device != DeviceName::Cpu).map(|device| {
        // What a GPU does not have: forward mode, and what runs on it.
        format!("gradients, values and differences by {device}; duals and second derivatives by cpu")
    });
    let told = |words: String| computed.iter().fold(words, |words, computed| format!("{words}\n{computed}"));
    let measured = catch_cuda(|| Measured::all(cases)).map_err(|failure| Error::input(failure.to_string()))?;
    let lines = || told(if args.op.is_empty() { terminal::overview(&measured) } else { terminal::cases(&measured) });
    let verdict = verdict(&measured);
    let page = || (page::page(&measured, &Curve::gru()), told(verdict.clone()));
    let json = || {
        let mut json = json::json(&measured, &Curve::gru());
        json["device"] = Value::from(args.device.unwrap_or(DeviceName::Cpu).to_string());
        json
    };
    present(args, place, page, json, lines)?;
    if measured.iter().all(Measured::is_ok) { Ok(()) } else { Err(Error::Run(verdict)) }
}

fn tour(args: &GradcheckArgs) -> Result<()> {
    let place = place(args)?;
    let all = museum::all();
    present(
        args,
        place,
        || (museum::page(&all), museum::verdict(&all)),
        || museum::json(&all),
        || museum::lines(&all),
    )?;
    if museum::is_ok(&all) { Ok(()) } else { Err(Error::Run(museum::verdict(&all))) }
}

/// Where the page goes, if one is asked for; refused before any work if it cannot go there.
fn place(args: &GradcheckArgs) -> Result<Option<PathBuf>> {
    let usual = || Path::new(if args.museum { MUSEUM } else { PAGE });
    let place = args.html.as_ref().map(|path| path.as_deref().unwrap_or_else(usual).to_owned());
    place.iter().try_for_each(|path| html::check(path))?;
    Ok(place)
}

/// In the way that was asked for: a page and the verdict on it, JSON, or lines.
fn present(
    args: &GradcheckArgs,
    place: Option<PathBuf>,
    page: impl FnOnce() -> (String, String),
    json: impl FnOnce() -> Value,
    lines: impl FnOnce() -> String,
) -> Result<()> {
    match place {
        Some(path) => {
            let (page, verdict) = page();
            html::write(&path, &page)?;
            show(format!("{verdict}\nwrote {}", path.display()))
        }
        None if args.json => show(format!("{:#}", json())),
        None => show(lines()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicBool, Ordering};

    use autograd::function;
    use autograd::ops::Kind;
    use proofs::Of;
    use tensor::Tensor;

    use super::*;
    use crate::gradcheck::sample;

    fn plain() -> GradcheckArgs {
        GradcheckArgs { op: Vec::new(), museum: false, device: None, json: false, html: None }
    }

    /// However it is shown, a wrong gradient is a failure, and what is shown is all there before it.
    #[test]
    fn a_wrong_gradient_is_exit_code_1() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let page = folder.path().join("page.html");
        let json = GradcheckArgs { json: true, ..plain() };
        let html = GradcheckArgs { html: Some(Some(page.clone())), ..plain() };
        for args in [plain(), json, html] {
            let error = check(&args, &sample::cases()).expect_err("one of them is wrong");
            assert_eq!((error.code(), error.to_string()), (1, "2 operations, 1 layer, 4 cases: 1 DO NOT AGREE".into()));
            check(&args, &sample::cases()[1..]).expect("the others are right");
        }
        assert!(page.exists());
    }

    /// Whether the case of the test below was run.
    static RAN: AtomicBool = AtomicBool::new(false);

    #[test]
    fn a_page_that_has_no_place_is_refused_before_the_work() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [mine, missing, free] = ["mine", "no/page", "page"].map(|name| folder.path().join(name));
        fs::write(&mine, "mine").expect("a temporary file");
        let f = function!(|x| {
            RAN.store(true, Ordering::Relaxed);
            x[0].tanh()
        });
        let cases = [Case::new(Of::Operation(Kind::Tanh), "seen", [Tensor::from([0.3, -1.2])], f)];
        let html = |path: &Path| check(&GradcheckArgs { html: Some(Some(path.into())), ..plain() }, &cases);
        for (path, says) in [(&mine, "no page of gradus"), (&missing, "cannot write")] {
            let error = html(path).expect_err("it cannot go there");
            assert!(error.code() == 2 && error.to_string().contains(says), "{error}");
            assert!(!RAN.load(Ordering::Relaxed), "{says}");
        }
        html(&free).expect("it can go there");
        assert!(RAN.load(Ordering::Relaxed));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing else is left behind");
    }

    #[test]
    fn names_choose_cases() {
        let names = |names: &[&str]| chosen(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        let found = names(&["gru", "Mlp", "gru"]).expect("they are there");
        assert!(found.iter().all(|case| ["gru", "Mlp"].contains(&case.of.name())));
        assert_eq!(names(&[]).expect("all").len(), proofs::all().len());
        let in_other_letters = names(&["MLP", "Softmax"]).expect("there is one of each");
        assert!(in_other_letters.iter().all(|case| ["Mlp", "softmax"].contains(&case.of.name())));
        let refused = |name: &str| names(&[name]).map(|_| ()).expect_err("no such name").to_string();
        assert_eq!(refused("GRU"), "--op: GRU may be gru or Gru; say which");
        assert!(refused("").starts_with("--op: the name is empty; expected one of add, sub, "));
        assert!(refused("xyzzy").starts_with("--op: there is no operation or layer xyzzy; expected one of add, "));
        let error = names(&["gru", "tahn"]).map(|_| ()).expect_err("no such thing");
        assert_eq!(
            (error.code(), &*error.to_string()),
            (2, "--op: there is no operation or layer tahn; did you mean tanh?")
        );
    }
}
