//! The C++ compiler: finding it, and its flags.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BuildError;

/// The sanitizer that checks the kernels while they run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sanitizer {
    /// None; only the emulator's own guards.
    #[default]
    None,
    /// ThreadSanitizer, with one thread for every CUDA thread: reports races between any two of them, whatever their order.
    Thread,
    /// AddressSanitizer and UndefinedBehaviorSanitizer: report every access out of bounds, reads included.
    Address,
}

/// A compiler that was found.
#[derive(Clone, Debug)]
pub(crate) struct Compiler {
    pub(crate) path: PathBuf,
    /// The output of `--version`, which is part of every cache key.
    pub(crate) version: String,
    pub(crate) sanitizer: Sanitizer,
    fma: bool,
}

/// Flags for the driver. It is not instrumented; it reports the order of operations to the sanitizer itself.
const DRIVER: [&str; 8] = ["-std=c++17", "-O2", "-g1", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-pthread"];

/// Flags for kernels. A GPU may fuse products with sums freely; the host fuses only where the source says so.
const KERNELS: &str = "-std=c++17 -g1 -fPIC -shared -fvisibility=hidden -ffp-contract=off -fno-math-errno \
    -fno-strict-aliasing -Wno-unknown-pragmas -Wno-attributes -U_FORTIFY_SOURCE";

impl Compiler {
    /// Finds `CXX`, or the first usable compiler of the usual names. ThreadSanitizer needs GCC: Clang's library cannot be
    /// loaded into a program that was not linked with it.
    pub(crate) fn find(sanitizer: Sanitizer) -> Result<Self, BuildError> {
        let names = match env::var("CXX") {
            Ok(name) if !name.trim().is_empty() => vec![name],
            _ => ["c++", "g++", "clang++"].map(String::from).into(),
        };
        let mut clang = None;
        for name in &names {
            let Ok(output) = Command::new(name).arg("--version").output() else { continue };
            if !output.status.success() {
                continue;
            }
            let version = String::from_utf8_lossy(&output.stdout).into_owned();
            let found = Self { path: name.into(), version, sanitizer, fma: has_fma() };
            if sanitizer != Sanitizer::Thread || !found.is_clang() {
                return Ok(found);
            }
            clang = Some(format!("{name} is Clang, whose library cannot be preloaded; ThreadSanitizer needs GCC"));
        }
        Err(clang.map_or(BuildError::Compiler(names), |what| BuildError::Sanitizer { sanitizer, what }))
    }

    fn is_clang(&self) -> bool {
        self.version.contains("clang")
    }

    pub(crate) fn for_driver(&self) -> Vec<String> {
        let mut flags: Vec<String> = DRIVER.map(String::from).into();
        match self.sanitizer {
            Sanitizer::None => {}
            Sanitizer::Thread => flags.push("-DEMULATOR_THREAD_SANITIZER".into()),
            Sanitizer::Address => flags.push("-DEMULATOR_ADDRESS_SANITIZER".into()),
        }
        flags
    }

    pub(crate) fn for_kernels(&self) -> Vec<String> {
        let mut flags: Vec<String> = KERNELS.split(' ').map(String::from).collect();
        let more: &[&str] = match self.sanitizer {
            Sanitizer::None => &["-O2"],
            Sanitizer::Thread => &["-O1", "-g", "-fsanitize=thread"],
            Sanitizer::Address => &[
                "-O1",
                "-g",
                "-fno-omit-frame-pointer",
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=undefined",
            ],
        };
        flags.extend(more.iter().map(|flag| flag.to_string()));
        if self.fma {
            flags.push("-mfma".into());
        }
        if self.is_clang() && self.sanitizer != Sanitizer::None {
            flags.push("-shared-libsan".into());
        }
        flags
    }

    /// Returns the sanitizer's library, which a process must load first.
    pub(crate) fn preloaded(&self) -> Result<Option<PathBuf>, BuildError> {
        let name = match self.sanitizer {
            Sanitizer::None => return Ok(None),
            Sanitizer::Thread => "libtsan.so".to_string(),
            Sanitizer::Address if self.is_clang() => format!("libclang_rt.asan-{}.so", env::consts::ARCH),
            Sanitizer::Address => "libasan.so".to_string(),
        };
        let result = Command::new(&self.path).arg(format!("-print-file-name={name}")).output();
        let output =
            result.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string()).unwrap_or_default();
        let path = Path::new(&output);
        if path.is_absolute() && path.exists() {
            return Ok(Some(path.to_path_buf()));
        }
        let what = format!("{} has no {name}", self.path.display());
        Err(BuildError::Sanitizer { sanitizer: self.sanitizer, what })
    }

    /// Runs the compiler; `what` names the file in the error.
    pub(crate) fn run(&self, what: &str, arguments: &[OsString]) -> Result<(), BuildError> {
        let done = Command::new(&self.path).args(arguments).output();
        let done = done.map_err(|error| crate::file(&self.path, &error))?;
        if done.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&done.stderr).into_owned();
        Err(BuildError::Compiling { what: what.into(), output })
    }
}

#[cfg(target_arch = "x86_64")]
fn has_fma() -> bool {
    std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_fma() -> bool {
    false
}
