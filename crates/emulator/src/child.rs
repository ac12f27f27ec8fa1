//! Running programs under an emulator: a program that loads `libcuda.so` by its name gets the emulator's.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::compiler::Sanitizer;
use crate::make::Built;

const INSIDE: &str = "GRADUS_EMULATOR";

/// Returns true if this process was started under an emulator, by [`Built::rerun`] or [`Built::command`].
pub fn is_emulated() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Returns true if GPU tests should run in this process: under an emulator, or on a real GPU, which `GRADUS_TEST_GPU` requests.
pub fn is_on_gpu() -> bool {
    is_emulated() || env::var_os("GRADUS_TEST_GPU").is_some()
}

/// The result of running a program under an emulator.
#[derive(Debug)]
pub struct Outcome {
    /// True if the program exited successfully.
    pub success: bool,
    /// The exit code; `None` if a signal ended the program.
    pub code: Option<i32>,
    /// The program's stdout.
    pub stdout: String,
    /// The stderr of the program, the emulator and sanitizers.
    pub stderr: String,
    /// The lines of the driver's log.
    pub log: Vec<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

impl Built {
    /// Returns the environment variables that run a program under this emulator.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut path = self.folder().as_os_str().to_os_string();
        if let Some(more) = env::var_os("LD_LIBRARY_PATH").filter(|more| !more.is_empty()) {
            path.push(":");
            path.push(more);
        }
        let mut all = vec![
            (INSIDE, self.folder().into()),
            ("LD_LIBRARY_PATH", path),
            ("GRADUS_CACHE", OsString::new()), // the output of this NVRTC must not reach the real cache
        ];
        if let Some(library) = &self.preloaded {
            all.push(("LD_PRELOAD", library.into()));
        }
        match self.sanitizer {
            Sanitizer::None => {}
            Sanitizer::Thread => {
                // Rust code is not instrumented, so the synchronization of its threads is invisible.
                let of_ours = "exitcode=66 ignore_noninstrumented_modules=1";
                all.push(("TSAN_OPTIONS", format!("{of_ours} report_thread_leaks=0 report_signal_unsafe=0").into()));
            }
            Sanitizer::Address => {
                all.push(("ASAN_OPTIONS", "detect_leaks=0".into()));
                all.push(("UBSAN_OPTIONS", "print_stacktrace=1".into()));
            }
        }
        all
    }

    /// Returns a command that runs a program under this emulator.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment());
        command
    }

    /// Runs a command to its end, with options of the emulator. It is stopped after twenty minutes, because a fault in a kernel
    /// can make it wait for ever.
    ///
    /// # Panics
    /// If the program cannot be started.
    pub fn run(&self, mut command: Command, options: &[(&str, &str)]) -> Outcome {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = env::temp_dir().join(format!("gradus-emulator-run-{}-{number}", process::id()));
        let [record, stdout, stderr] = ["log", "out", "err"].map(|end| log.with_extension(end));
        command.env("GRADUS_EMULATOR_LOG", &record).envs(options.iter().copied());
        let file = |path: &Path| File::create(path).unwrap_or_else(|error| panic!("a temporary file: {error}"));
        command.stdin(Stdio::null()).stdout(file(&stdout)).stderr(file(&stderr));
        let started = command.spawn();
        let child = started.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let (status, stopped) = wait(child);
        let taken = |path: &Path| {
            let text = fs::read(path).unwrap_or_default();
            fs::remove_file(path).ok();
            String::from_utf8_lossy(&text).into_owned()
        };
        Outcome {
            success: status.is_some_and(|status| status.success()),
            code: status.and_then(|status| status.code()),
            stdout: taken(&stdout),
            stderr: taken(&stderr) + stopped,
            log: taken(&record).lines().map(String::from).collect(),
        }
    }

    /// Reruns one test of this test program under this emulator. `test` is its full name, modules included.
    ///
    /// # Panics
    /// If there is no such test, or the program cannot be started.
    pub fn rerun(&self, test: &str, options: &[(&str, &str)]) -> Outcome {
        self.run_test(&this_program(), test, options)
    }

    /// Runs one test of a test program under this emulator.
    ///
    /// # Panics
    /// As [`rerun`](Self::rerun).
    pub fn run_test(&self, program: &Path, test: &str, options: &[(&str, &str)]) -> Outcome {
        let mut command = self.command(program);
        command.args([test, "--exact", "--nocapture", "--include-ignored", "--test-threads=1"]);
        let outcome = self.run(command, options);
        assert!(outcome.stdout.contains("running 1 test"), "there is no test {test}: {outcome}");
        outcome
    }
}

/// The path of this test program.
///
/// # Panics
/// If it has no path.
pub fn this_program() -> PathBuf {
    env::current_exe().unwrap_or_else(|error| panic!("this program has no path: {error}"))
}

/// Waits for a child. Returns its exit status, and a message if it was stopped.
fn wait(mut child: Child) -> (Option<ExitStatus>, &'static str) {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    while start.elapsed() < Duration::from_secs(1200) {
        match child.try_wait() {
            Ok(Some(status)) => return (Some(status), ""),
            Ok(None) => thread::sleep(pause),
            Err(_) => break,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    child.kill().ok();
    child.wait().ok();
    (None, "\nstopped, since it did not end\n")
}
