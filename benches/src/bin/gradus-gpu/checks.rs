//! The checks that precede the measurements.

use std::any::Any;
use std::env;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use gradus_benches::gpu::BenchGpu;
use gradus_benches::trajectory::TOLERANCE;

use crate::check_result::CheckResult;
use crate::table::table;
use crate::{fused, gradients, parity, update_checks};

/// The environment variable that makes test programs use the GPU.
const SWITCH: &str = "GRADUS_TEST_GPU";

/// Modules of tests that start emulators or test the tests. They need the repository, but no GPU.
const ELSEWHERE: [&str; 3] = ["gpu::", "check::", "planted::"];

/// A check and its name in the table.
struct Check<'a> {
    what: String,
    run: Box<dyn FnOnce() -> CheckResult + 'a>,
}

impl<'a> Check<'a> {
    fn new(what: impl Into<String>, run: impl FnOnce() -> CheckResult + 'a) -> Self {
        Self { what: what.into(), run: Box::new(run) }
    }
}

/// Runs every check. Returns a table of the results, and true if all agree.
pub(crate) fn run_all(gpu: BenchGpu, ordinal: usize) -> (String, bool) {
    let mut checks = test_program_checks(gpu, ordinal);
    checks.push(Check::new("operations and layers, value and gradients in f64, against the CPU", || {
        parity::check_all(gpu)
    }));
    checks.push(Check::new("gradients in f64, by duals, differences and dot products", || {
        gradients::check_all(gpu, ordinal)
    }));
    type Ways = (fn(BenchGpu, usize, f64) -> CheckResult, fn(BenchGpu, f64) -> CheckResult);
    let ways: [(&str, f64, Ways); 2] = [
        (
            "f64",
            update_checks::IN_F64,
            (update_checks::check_against_record::<f64>, fused::check_against_record::<f64>),
        ),
        ("f32", TOLERANCE, (update_checks::check_against_record::<f32>, fused::check_against_record::<f32>)),
    ];
    for (scalar, tolerance, (by_operations, as_a_graph)) in ways {
        let losses = format!("the losses of four updates in {scalar}, against the record");
        let operations = move || by_operations(gpu, ordinal, tolerance);
        checks.push(Check::new(format!("{losses}: operation by operation"), operations));
        checks.push(Check::new(format!("{losses}: as one graph"), move || as_a_graph(gpu, tolerance)));
    }
    checks.push(Check::new("two runs, to the last bit: operation by operation", || {
        update_checks::check_repeatable(gpu, ordinal)
    }));
    checks.push(Check::new("two runs, to the last bit: as one graph", || fused::check_repeatable(gpu)));
    checks.push(Check::new("the graph replayed, against its kernels launched, to the last bit", || {
        fused::check_replay(gpu)
    }));
    let mut rows = Vec::new();
    let mut agree = true;
    for Check { what, run } in checks {
        eprint!("{what}: ");
        let start = Instant::now();
        let result = catch_failure(run);
        let seconds = format!("{:.1}", start.elapsed().as_secs_f64());
        let (words, ok) = match result {
            Ok(words) => (words, true),
            Err(words) => (format!("**DOES NOT AGREE**: {words}"), false),
        };
        eprintln!("{words} ({seconds} s)");
        agree &= ok;
        rows.push(vec![what, words.replace('\n', "<br>"), seconds]);
    }
    (format!("\n{}", table(&["what was checked", "found", "s"], &rows)), agree)
}

/// Runs a check. A panic, such as a failure of the GPU, becomes its message.
fn catch_failure(run: impl FnOnce() -> CheckResult) -> CheckResult {
    let words = |payload: Box<dyn Any + Send>| {
        let words = payload.downcast_ref::<String>().cloned();
        words
            .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "it panicked".into())
    };
    match tensor::catch_cuda_error(|| panic::catch_unwind(AssertUnwindSafe(run)).map_err(words)) {
        Ok(Ok(found)) => found,
        Ok(Err(words)) => Err(words),
        Err(failure) => Err(failure.to_string()),
    }
}

/// Returns a check for each test program in the folder `tests` beside this program.
fn test_program_checks<'a>(gpu: BenchGpu, ordinal: usize) -> Vec<Check<'a>> {
    let folder = path_beside_program("tests");
    let found = fs::read_dir(&folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<PathBuf> = found.filter(|path| path.is_file()).collect();
    found.sort();
    if found.is_empty() && !gpu.emulated {
        let words = format!("{} has no test programs; benches/gpu/pack puts them there", folder.display());
        return vec![Check::new("every kernel, against the reference", move || Err(words))];
    }
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let check =
        |path: PathBuf| Check::new(format!("the tests `{}`", name(&path)), move || run_test_program(&path, ordinal));
    found.into_iter().map(check).collect()
}

/// Restricts a command to the GPU of this number. The command sees it as GPU 0.
pub(crate) fn restrict_to_gpu(mut command: Command, ordinal: usize) -> Command {
    const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";
    let visible = env::var(VISIBLE).unwrap_or_default();
    let gpu = visible.split(',').nth(ordinal).filter(|gpu| !gpu.is_empty());
    command.env(VISIBLE, gpu.map_or_else(|| ordinal.to_string(), str::to_owned));
    command
}

/// Returns the path of a file or folder beside this program.
pub(crate) fn path_beside_program(name: &str) -> PathBuf {
    env::current_exe().unwrap_or_default().with_file_name(name)
}

/// Runs a test program on the GPU.
fn run_test_program(path: &Path, ordinal: usize) -> CheckResult {
    let skipped = ELSEWHERE.iter().flat_map(|module| ["--skip", module]);
    let run = restrict_to_gpu(Command::new(path), ordinal).env(SWITCH, "1").args(skipped).output();
    let run = run.map_err(|error| format!("{}: {error}", path.display()))?;
    let output = String::from_utf8_lossy(&run.stdout);
    let Some(verdict) = output.lines().rev().find_map(|line| line.strip_prefix("test result: ")) else {
        return Err(format!("it ran no tests: {}", String::from_utf8_lossy(&run.stderr).trim()));
    };
    let verdict = verdict.split("; 0 measured").next().unwrap_or(verdict);
    if run.status.success() { Ok(verdict.to_owned()) } else { Err(format!("{verdict}\n{}", output.trim())) }
}
