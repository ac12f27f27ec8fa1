//! The C++ compiler: which there is, and what it is told.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Missing;

/// What watches the kernels as they run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sanitizer {
    /// Nothing but the emulator's own guards.
    #[default]
    None,
    /// ThreadSanitizer, to which every CUDA thread is a thread: races between any two of them, whatever their order.
    Thread,
    /// AddressSanitizer and UndefinedBehaviorSanitizer: every access out of bounds, reads too.
    Address,
}

/// A compiler that was found.
#[derive(Clone, Debug)]
pub(crate) struct Compiler {
    pub(crate) path: PathBuf,
    /// What it says of itself; part of every key.
    pub(crate) version: String,
    pub(crate) sanitizer: Sanitizer,
    fma: bool,
}

/// For the driver itself, which no sanitizer watches: it says itself what happens after what.
const DRIVER: [&str; 8] = ["-std=c++17", "-O2", "-g1", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-pthread"];

/// For kernels. A GPU fuses products with sums as it likes; the host does where the source says so.
const KERNELS: &str = "-std=c++17 -g1 -fPIC -shared -fvisibility=hidden -ffp-contract=off -fno-math-errno \
    -fno-strict-aliasing -Wno-unknown-pragmas -Wno-attributes -U_FORTIFY_SOURCE";

impl Compiler {
    /// `CXX`, or the first of the usual names that will do. Clang's ThreadSanitizer has no library that a program which was not
    /// linked with it could load: GCC's has.
    pub(crate) fn find(sanitizer: Sanitizer) -> Result<Self, Missing> {
        let names = match env::var("CXX") {
            Ok(name) if !name.trim().is_empty() => vec![name],
            _ => ["c++", "g++", "clang++"].map(String::from).into(),
        };
        let mut clang = None;
        for name in &names {
            let Ok(said) = Command::new(name).arg("--version").output() else { continue };
            if !said.status.success() {
                continue;
            }
            let version = String::from_utf8_lossy(&said.stdout).into_owned();
            let found = Self { path: name.into(), version, sanitizer, fma: has_fma() };
            if sanitizer != Sanitizer::Thread || !found.is_clang() {
                return Ok(found);
            }
            clang = Some(format!("{name} is Clang, whose library cannot be preloaded; it takes GCC"));
        }
        Err(clang.map_or(Missing::Compiler(names), |what| Missing::Sanitizer { sanitizer, what }))
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

    /// The sanitizer's library, which must be in a process before all others.
    pub(crate) fn preloaded(&self) -> Result<Option<PathBuf>, Missing> {
        let name = match self.sanitizer {
            Sanitizer::None => return Ok(None),
            Sanitizer::Thread => "libtsan.so".to_string(),
            Sanitizer::Address if self.is_clang() => format!("libclang_rt.asan-{}.so", env::consts::ARCH),
            Sanitizer::Address => "libasan.so".to_string(),
        };
        let asked = Command::new(&self.path).arg(format!("-print-file-name={name}")).output();
        let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string()).unwrap_or_default();
        let path = Path::new(&said);
        if path.is_absolute() && path.exists() {
            return Ok(Some(path.to_path_buf()));
        }
        let what = format!("{} has no {name}", self.path.display());
        Err(Missing::Sanitizer { sanitizer: self.sanitizer, what })
    }

    /// Compiles; `what` is for the message.
    pub(crate) fn run(&self, what: &str, arguments: &[OsString]) -> Result<(), Missing> {
        let done = Command::new(&self.path).args(arguments).output();
        let done = done.map_err(|error| crate::file(&self.path, &error))?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        Err(Missing::Compiling { what: what.into(), said })
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
