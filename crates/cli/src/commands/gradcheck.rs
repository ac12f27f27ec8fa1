//! `gradus gradcheck`: checks the gradients of every operation and layer by every method.

use std::path::{Path, PathBuf};

use clap::Args;
use proofs::curve::StepSizeCurve;
use proofs::measure::Measurement;
use proofs::{Case, Target};
use serde_json::{Value, json};
use tensor::catch_cuda_error;

use crate::error::{Error, Result, show_path, suggest_name};
use crate::gradcheck::{json, museum, page, terminal, verdict};
use crate::input::device_name::{self, DeviceName};
use crate::output::html;
use crate::output::print::{print_data, print_result};
use crate::output::table::{NONE, Table};

/// File name of the page, unless `--html` names a file.
const PAGE: &str = "gradcheck.html";
/// File name of the museum's page, unless `--html` names a file.
const MUSEUM: &str = "museum.html";

/// Arguments of `gradus gradcheck`.
#[derive(Clone, Debug, Args)]
pub(crate) struct GradcheckArgs {
    /// Check only this operation or layer and show each case; repeat the flag, or separate names by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) op: Vec<String>,
    /// List the operations and layers, with the names that --op takes, and check nothing
    #[arg(long, conflicts_with_all = ["op", "museum", "device", "html"])]
    pub(crate) list: bool,
    /// Show the museum instead: wrong gradients that were published or shipped, and the checker's result for each
    #[arg(long, conflicts_with = "op")]
    pub(crate) museum: bool,
    /// Device that computes gradients, values and differences: cpu, cuda, or a GPU by number, for example cuda:1; dual
    /// numbers and second derivatives are always computed on the CPU [default: cpu]
    #[arg(long, value_name = "DEVICE", conflicts_with = "museum")]
    pub(crate) device: Option<DeviceName>,
    /// Write a self-contained HTML page and print its path; an existing file is replaced only if gradus wrote it
    /// [default FILE: gradcheck.html, or museum.html]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "json")]
    #[expect(clippy::option_option, reason = "the flag may be missing, alone, or with a file")]
    pub(crate) html: Option<Option<PathBuf>>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `gradus gradcheck`.
///
/// # Errors
/// If an operation, layer or device does not exist, the page cannot be written, or a gradient is wrong.
pub(crate) fn gradcheck(args: &GradcheckArgs) -> Result<()> {
    match (args.list, args.museum) {
        (true, _) => list_targets(args.json),
        (_, true) => show_museum(args),
        _ => check_cases(args, &select_cases(&args.op)?),
    }
}

/// Lists what can be checked: each operation and layer with its number of cases and its forward rule.
fn list_targets(json: bool) -> Result<()> {
    let cases = proofs::all_cases();
    let mut table = Table::new(["name", "kind", "cases", "rule"]);
    let mut targets = Vec::new();
    for cases in cases.chunk_by(|a, b| a.target == b.target) {
        let target = cases[0].target;
        let kind = if let Target::Operation(_) = target { "operation" } else { "layer" };
        let rule = target.rule().map_or(NONE, |rule| rule.forward);
        table.row([target.name(), kind, &cases.len().to_string(), rule]);
        targets.push(
            json!({ "name": target.name(), "kind": kind, "cases": cases.len(), "rule": rule, "file": target.file() }),
        );
    }
    match json {
        true => print_data(format!("{:#}", Value::from(targets))),
        false => print_result(format!("{table}\ncheck some of them with: gradus gradcheck --op NAME,NAME")),
    }
}

/// Returns the cases of the named operations and layers, or all cases if no name is given.
fn select_cases(names: &[String]) -> Result<Vec<Case>> {
    let mut cases = proofs::all_cases();
    let mut known: Vec<_> = cases.iter().map(|case| case.target.name()).collect();
    known.dedup();
    let names = names.iter().map(|name| resolve_name(name, &known)).collect::<Result<Vec<_>>>()?;
    cases.retain(|case| names.is_empty() || names.contains(&case.target.name()));
    Ok(cases)
}

/// Returns the known name that equals `name`, or the only one that equals it without regard to case.
fn resolve_name<'a>(name: &str, known: &[&'a str]) -> Result<&'a str> {
    let exact = known.iter().copied().find(|other| *other == name);
    let alike: Vec<_> = known.iter().copied().filter(|other| other.eq_ignore_ascii_case(name)).collect();
    let expected = || format!("expected one of {}", known.join(", "));
    match (exact, &alike[..]) {
        (Some(found), _) | (None, &[found]) => Ok(found),
        (None, []) if name.is_empty() => Err(Error::input(format!("--op: the name is empty; {}", expected()))),
        (None, []) => {
            let nearest = suggest_name(name, known.iter().copied());
            let advice = if nearest.is_empty() { format!("; {}", expected()) } else { nearest };
            Err(Error::input(format!("--op: there is no operation or layer {name}{advice}")))
        }
        (None, several) => Err(Error::input(format!("--op: {name} is ambiguous; write {}", several.join(" or ")))),
    }
}

/// Checks the cases and prints the result. A wrong gradient is an error after the output is complete.
fn check_cases(args: &GradcheckArgs, cases: &[Case]) -> Result<()> {
    let path = page_path(args)?;
    args.device.map(|name| device_name::select_device(name, false)).transpose()?;
    let devices = args.device.filter(|device| *device != DeviceName::Cpu).map(|device| {
        // A GPU has no forward mode, so dual numbers and second derivatives stay on the CPU.
        format!(
            "gradients, values and differences were computed by {device}; dual numbers and second derivatives by cpu"
        )
    });
    let with_devices = |text: String| devices.iter().fold(text, |text, devices| format!("{text}\n{devices}"));
    let measured =
        catch_cuda_error(|| Measurement::run_all(cases)).map_err(|failure| Error::input(failure.to_string()))?;
    let lines =
        || with_devices(if args.op.is_empty() { terminal::overview(&measured) } else { terminal::cases(&measured) });
    let verdict = verdict(&measured);
    let page = || (page::page(&measured, &StepSizeCurve::measure_gru()), with_devices(verdict.clone()));
    let json = || {
        let mut json = json::json(&measured, &StepSizeCurve::measure_gru());
        json["device"] = Value::from(args.device.unwrap_or(DeviceName::Cpu).to_string());
        json
    };
    print_or_write(args, path, page, json, lines)?;
    if measured.iter().all(Measurement::is_ok) { Ok(()) } else { Err(Error::Run(verdict)) }
}

/// Shows the museum. A wrong gradient that the checker does not find is an error.
fn show_museum(args: &GradcheckArgs) -> Result<()> {
    let path = page_path(args)?;
    let all = museum::check_exhibits();
    print_or_write(
        args,
        path,
        || (museum::page(&all), museum::verdict(&all)),
        || museum::json(&all),
        || museum::to_text(&all),
    )?;
    if museum::is_ok(&all) { Ok(()) } else { Err(Error::Run(museum::verdict(&all))) }
}

/// Returns the path of the page if `--html` is given. It is checked here, so that a bad path fails before any work.
fn page_path(args: &GradcheckArgs) -> Result<Option<PathBuf>> {
    let default = || Path::new(if args.museum { MUSEUM } else { PAGE });
    let path = args.html.as_ref().map(|path| path.as_deref().unwrap_or_else(default).to_owned());
    path.iter().try_for_each(|path| html::check_writable(path))?;
    Ok(path)
}

/// Writes the page and prints its verdict, or prints JSON, or prints lines, as the arguments say.
fn print_or_write(
    args: &GradcheckArgs,
    path: Option<PathBuf>,
    page: impl FnOnce() -> (String, String),
    json: impl FnOnce() -> Value,
    lines: impl FnOnce() -> String,
) -> Result<()> {
    match path {
        Some(path) => {
            let (page, verdict) = page();
            html::write(&path, &page)?;
            print_result(format!("{verdict}\nwrote {}", show_path(&path)))
        }
        None if args.json => print_data(format!("{:#}", json())),
        None => print_result(lines()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicBool, Ordering};

    use autograd::function;
    use autograd::ops::Kind;
    use tensor::Tensor;

    use super::*;
    use crate::gradcheck::sample;

    fn plain() -> GradcheckArgs {
        GradcheckArgs { op: Vec::new(), list: false, museum: false, device: None, json: false, html: None }
    }

    /// A wrong gradient is exit code 1 in every output format, and the output is complete before the error.
    #[test]
    fn check_cases_wrong_gradient_is_exit_code_1() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let page = folder.path().join("page.html");
        let json = GradcheckArgs { json: true, ..plain() };
        let html = GradcheckArgs { html: Some(Some(page.clone())), ..plain() };
        for args in [plain(), json, html] {
            let error = check_cases(&args, &sample::cases()).expect_err("one case is wrong");
            assert_eq!(
                (error.exit_code(), error.to_string()),
                (1, "2 operations, 1 layer, 4 cases: 1 DO NOT AGREE".into())
            );
        }
        check_cases(&plain(), &sample::cases()[1..]).expect("the other cases are right");
        assert!(page.exists());
    }

    /// Set when the case of the test below runs.
    static RAN: AtomicBool = AtomicBool::new(false);

    #[test]
    fn check_cases_unwritable_page_is_refused_before_any_case_runs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [mine, missing, free] = ["mine", "no/page", "page"].map(|name| folder.path().join(name));
        fs::write(&mine, "mine").expect("a temporary file");
        let f = function!(|x| {
            RAN.store(true, Ordering::Relaxed);
            x[0].tanh()
        });
        let cases = [Case::new(Target::Operation(Kind::Tanh), "seen", [Tensor::from([0.3, -1.2])], f)];
        let html = |path: &Path| check_cases(&GradcheckArgs { html: Some(Some(path.into())), ..plain() }, &cases);
        for (path, says) in [(&mine, "not a page of gradus"), (&missing, "cannot write")] {
            let error = html(path).expect_err("the path is not writable");
            assert!(error.exit_code() == 2 && error.to_string().contains(says), "{error}");
            assert!(!RAN.load(Ordering::Relaxed), "{says}");
        }
        html(&free).expect("the path is writable");
        assert!(RAN.load(Ordering::Relaxed));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing else is left behind");
    }

    #[test]
    fn select_cases_names_select_their_cases() {
        let names = |names: &[&str]| select_cases(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        let found = names(&["gru", "Mlp", "gru"]).expect("the names exist");
        assert!(found.iter().all(|case| ["gru", "Mlp"].contains(&case.target.name())));
        assert_eq!(names(&[]).expect("all").len(), proofs::all_cases().len());
        let other_case = names(&["MLP", "Softmax"]).expect("each name is unambiguous");
        assert!(other_case.iter().all(|case| ["Mlp", "softmax"].contains(&case.target.name())));
        let refused = |name: &str| names(&[name]).map(|_| ()).expect_err("no such name").to_string();
        assert_eq!(refused("GRU"), "--op: GRU is ambiguous; write gru or Gru");
        assert!(refused("").starts_with("--op: the name is empty; expected one of add, sub, "));
        assert!(refused("xyzzy").starts_with("--op: there is no operation or layer xyzzy; expected one of add, "));
        let error = names(&["gru", "tahn"]).map(|_| ()).expect_err("no such thing");
        assert_eq!(
            (error.exit_code(), &*error.to_string()),
            (2, "--op: there is no operation or layer tahn; did you mean tanh?")
        );
    }
}
