//! Tests of building an emulator: once for the same sources, with the given options, and with clear errors.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::thread;

use emulator::{BuildError, Emulator, Fault, Options, Sanitizer, Variant};

/// A folder with the kernels of a test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("gradus-emulator-{}-{name}", process::id()));
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).expect("it can be written");
        Self(path)
    }

    /// Options with this text as the only kernel file, `x.cu`.
    fn options(&self, text: &str) -> Options {
        fs::write(self.0.join("x.cu"), text).expect("it can be written");
        let program = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/driver.cpp"));
        Options { kernels: self.0.clone(), program, ..Options::default() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Runs the kernel `f` and returns the number that it writes, or `None` without a compiler.
fn run_kernel(options: &Options) -> Option<String> {
    let built = Emulator::build_or_skip(options)?;
    let mut command = built.command(built.program());
    command.arg("module x_float; alloc y 4; launch f 1 1 0 y; show y words 1");
    let outcome = built.run(command, &[]);
    assert!(outcome.success, "{outcome}");
    Some(outcome.stdout.trim().to_string())
}

const SEVEN: &str = "extern \"C\" __global__ void f(int* y) { *y = 7; }";

fn fault(file: &str, text: &str, replacement: &str) -> Fault {
    Fault { file: file.into(), text: text.into(), replacement: replacement.into() }
}

#[test]
fn build_same_sources_reuses_the_folder() {
    let folder = Folder::new("again");
    let options = folder.options(SEVEN);
    let Some(seven) = run_kernel(&options) else { return };
    assert_eq!(seven, "7");
    let first = Emulator::build(&options).expect("it is there");
    let times = || {
        let files = fs::read_dir(first.folder()).expect("it can be read").map(|entry| entry.expect("an entry"));
        files.map(|file| (file.file_name(), file.metadata().expect("metadata").modified().expect("a time"))).collect()
    };
    let written: BTreeMap<_, _> = times();
    assert!(written.contains_key(OsStr::new("libcuda.so")), "{written:?}");
    Emulator::build(&options).expect("it is there");
    assert_eq!(times(), written);
    // Another text, and then the first again.
    let other = Emulator::build(&folder.options(&SEVEN.replace('7', "8"))).expect("it is built");
    assert_ne!(first.folder(), other.folder());
    assert_eq!(Emulator::build(&folder.options(SEVEN)).expect("it is there").folder(), first.folder());
}

#[test]
fn build_with_faults_replaces_the_text() {
    let folder = Folder::new("planted");
    let sound = folder.options(SEVEN);
    let planted = |fault| Options { faults: vec![fault], ..sound.clone() };
    let Some(eight) = run_kernel(&planted(fault("x.cu", "= 7", "= 8"))) else { return };
    assert_eq!(eight, "8");
    assert_eq!(run_kernel(&sound).as_deref(), Some("7"));
    for (text, times) in [("= 9", 0), ("y", 2)] {
        let error = Emulator::build(&planted(fault("x.cu", text, ""))).expect_err("nothing to replace");
        assert_eq!(error.to_string(), format!("x.cu has {text:?} {times} times, not once"));
    }
    let error = Emulator::build(&planted(fault("absent.cu", "x", "y"))).expect_err("no such file");
    assert_eq!(error.to_string(), "a mistake is to be planted into absent.cu, which is not built");
}

#[test]
fn variant_is_compiled_with_its_defines() {
    let folder = Folder::new("variant");
    let text = "#ifndef N\n#define N 1\n#endif\nextern \"C\" __global__ void f(int* y) { *y = N; }";
    let defines = vec![("N".to_string(), "5".to_string())];
    let variants = vec![Variant { module: "x".into(), defines }];
    let options = Options { variants, ..folder.options(text) };
    let Some(one) = run_kernel(&options) else { return };
    assert_eq!(one, "1");
    let folder = Emulator::build(&options).expect("it is there").folder().to_path_buf();
    for name in ["x_float.so", "x_double.so", "x_float_N-5.so", "x_double_N-5.so", "libcuda.so", "libnvrtc.so"] {
        assert!(folder.join(name).exists(), "{name}");
    }
    let alone = Emulator::build(&Options { modules: Some(Vec::new()), ..options }).expect("it is there");
    let exist = ["x_float.so", "x_float_N-5.so"].map(|name| alone.folder().join(name).exists());
    assert_eq!(exist, [false, true]);
}

#[test]
fn build_in_parallel_gives_one_folder() {
    let folder = Folder::new("several");
    let options = Options { folder: Some(folder.0.join("built")), ..folder.options(SEVEN) };
    let results: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> = (0..4).map(|_| scope.spawn(|| run_kernel(&options))).collect();
        started.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    if results.contains(&None) {
        return;
    }
    assert!(results.iter().all(|text| text.as_deref() == Some("7")), "{results:?}");
    let unfinished = fs::read_dir(folder.0.join("built"))
        .expect("it is there")
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with('.')));
    assert_eq!(unfinished.count(), 0);
}

#[test]
fn compile_error_names_the_line() {
    let folder = Folder::new("wrong");
    let error = match Emulator::build(&folder.options("\n\nextern \"C\" __global__ void f(int* y) { *y = z; }")) {
        Err(BuildError::System | BuildError::Compiler(_)) => return,
        other => other.expect_err("z is nothing").to_string(),
    };
    assert!(error.starts_with("x_") && error.contains("does not compile for the host"), "{error}");
    assert!(error.contains("kernels/x.cu:3"), "{error}");
    let float_atomics = "extern \"C\" __global__ void f(float* y) { atomicAdd(y, 1.0f); }";
    assert!(Emulator::build(&folder.options(float_atomics)).is_err(), "their sum depends on the order");
    let absent = Options { modules: Some(vec!["absent".into()]), ..folder.options(SEVEN) };
    let error = Emulator::build(&absent).expect_err("no such file").to_string();
    assert!(error.starts_with("there is no absent.cu in "), "{error}");
}

#[test]
fn build_without_compiler_names_the_candidates() {
    const INNER: &str = "GRADUS_TEST_NO_COMPILER";
    if env::var_os(INNER).is_some() {
        let error = Emulator::build(&Options::default()).expect_err("there is no such compiler").to_string();
        assert!(error.starts_with("no C++ compiler was found as no-such-compiler: install one"), "{error}");
        return;
    }
    if cfg!(target_os = "linux") {
        let program = env::current_exe().expect("a path");
        let mut inner = Command::new(program);
        inner.args(["build_without_compiler_names_the_candidates", "--exact"]);
        let done = inner.env(INNER, "1").env("CXX", "no-such-compiler").output().expect("it starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }
}

#[test]
fn sanitized_build_runs_and_preloads_its_library() {
    let folder = Folder::new("sanitizer");
    let options = Options { sanitizer: Sanitizer::Address, ..folder.options(SEVEN) };
    match Emulator::build(&options) {
        Ok(built) => {
            assert!(built.environment().iter().any(|(name, _)| *name == "LD_PRELOAD"));
            assert_eq!(run_kernel(&options).as_deref(), Some("7"));
        }
        Err(BuildError::System | BuildError::Compiler(_) | BuildError::Sanitizer { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}
