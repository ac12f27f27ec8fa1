//! What must hold before anything is measured, one after the other.

use std::any::Any;
use std::env;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use gradus_benches::gpu::Gpu;
use gradus_benches::trajectory::TOLERANCE;

use crate::found::Found;
use crate::table::table;
use crate::{fused, gradients, parity, update};

/// The environment variable by which test programs know that they are to run on the GPU.
const SWITCH: &str = "GRADUS_TEST_GPU";

/// Modules of tests that start emulators, or judge tests: they want the repository, and no GPU.
const ELSEWHERE: [&str; 3] = ["gpu::", "check::", "planted::"];

/// Something to check.
struct Check<'a> {
    what: String,
    run: Box<dyn FnOnce() -> Found + 'a>,
}

impl<'a> Check<'a> {
    fn new(what: impl Into<String>, run: impl FnOnce() -> Found + 'a) -> Self {
        Self { what: what.into(), run: Box::new(run) }
    }
}

/// Every check: a table of what was found, and whether all agree.
pub(crate) fn all(gpu: Gpu, ordinal: usize) -> (String, bool) {
    let mut checks = programs(gpu, ordinal);
    checks.push(Check::new("operations and layers, value and gradients in f64, against the CPU", || parity::all(gpu)));
    checks
        .push(Check::new("gradients in f64, by duals, differences and dot products", || gradients::all(gpu, ordinal)));
    type Ways = (fn(Gpu, usize, f64) -> Found, fn(Gpu, f64) -> Found);
    let ways: [(&str, f64, Ways); 2] = [
        ("f64", update::IN_F64, (update::recorded::<f64>, fused::recorded::<f64>)),
        ("f32", TOLERANCE, (update::recorded::<f32>, fused::recorded::<f32>)),
    ];
    for (scalar, tolerance, (by_operations, as_a_graph)) in ways {
        let losses = format!("the losses of four updates in {scalar}, against the record");
        let operations = move || by_operations(gpu, ordinal, tolerance);
        checks.push(Check::new(format!("{losses}: operation by operation"), operations));
        checks.push(Check::new(format!("{losses}: as one graph"), move || as_a_graph(gpu, tolerance)));
    }
    checks.push(Check::new("two runs, to the last bit: operation by operation", || update::twice(gpu, ordinal)));
    checks.push(Check::new("two runs, to the last bit: as one graph", || fused::twice(gpu)));
    checks
        .push(Check::new("the graph replayed, against its kernels launched, to the last bit", || fused::replayed(gpu)));
    let mut rows = Vec::new();
    let mut agree = true;
    for Check { what, run } in checks {
        eprint!("{what}: ");
        let start = Instant::now();
        let found = caught(run);
        let seconds = format!("{:.1}", start.elapsed().as_secs_f64());
        let (words, ok) = match found {
            Ok(words) => (words, true),
            Err(words) => (format!("**DOES NOT AGREE**: {words}"), false),
        };
        eprintln!("{words} ({seconds} s)");
        agree &= ok;
        rows.push(vec![what, words.replace('\n', "<br>"), seconds]);
    }
    (format!("\n{}", table(&["what was checked", "found", "s"], &rows)), agree)
}

/// What a check finds; a panic, as where the GPU fails, is its words.
fn caught(run: impl FnOnce() -> Found) -> Found {
    let words = |payload: Box<dyn Any + Send>| {
        let words = payload.downcast_ref::<String>().cloned();
        words
            .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "it panicked".into())
    };
    match tensor::catch_cuda(|| panic::catch_unwind(AssertUnwindSafe(run)).map_err(words)) {
        Ok(Ok(found)) => found,
        Ok(Err(words)) => Err(words),
        Err(failure) => Err(failure.to_string()),
    }
}

/// The test programs in the folder `tests` beside this one, which ask for the GPU by an environment variable.
fn programs<'a>(gpu: Gpu, ordinal: usize) -> Vec<Check<'a>> {
    let folder = beside("tests");
    let found = fs::read_dir(&folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<PathBuf> = found.filter(|path| path.is_file()).collect();
    found.sort();
    if found.is_empty() && !gpu.emulated {
        let words = format!("{} has no test programs; benches/gpu/pack puts them there", folder.display());
        return vec![Check::new("every kernel, against the reference", move || Err(words))];
    }
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let check = |path: PathBuf| Check::new(format!("the tests `{}`", name(&path)), move || program(&path, ordinal));
    found.into_iter().map(check).collect()
}

/// A command that sees the GPU of this number alone, as its first.
pub(crate) fn on_gpu(mut command: Command, ordinal: usize) -> Command {
    const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";
    let visible = env::var(VISIBLE).unwrap_or_default();
    let gpu = visible.split(',').nth(ordinal).filter(|gpu| !gpu.is_empty());
    command.env(VISIBLE, gpu.map_or_else(|| ordinal.to_string(), str::to_owned));
    command
}

/// Something beside this program.
pub(crate) fn beside(name: &str) -> PathBuf {
    env::current_exe().unwrap_or_default().with_file_name(name)
}

/// Runs a test program on the GPU.
fn program(path: &Path, ordinal: usize) -> Found {
    let skipped = ELSEWHERE.iter().flat_map(|module| ["--skip", module]);
    let run = on_gpu(Command::new(path), ordinal).env(SWITCH, "1").args(skipped).output();
    let run = run.map_err(|error| format!("{}: {error}", path.display()))?;
    let said = String::from_utf8_lossy(&run.stdout);
    let Some(verdict) = said.lines().rev().find_map(|line| line.strip_prefix("test result: ")) else {
        return Err(format!("it ran no tests: {}", String::from_utf8_lossy(&run.stderr).trim()));
    };
    let verdict = verdict.split("; 0 measured").next().unwrap_or(verdict);
    if run.status.success() { Ok(verdict.to_owned()) } else { Err(format!("{verdict}\n{}", said.trim())) }
}
