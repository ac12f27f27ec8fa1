//! An emulated CUDA driver for machines without a GPU.
//!
//! [`Emulator::build`] compiles `kernels/host` and the kernels with a C++ compiler. The result is a folder with a `libcuda.so`
//! and a `libnvrtc.so`, which programs load if `LD_LIBRARY_PATH` names it. A test reruns itself under them:
//!
//! ```no_run
//! # use emulator::{Emulator, Options};
//! #[test]
//! fn a_sum_on_the_gpu() {
//!     if !emulator::is_emulated() {
//!         let Some(built) = Emulator::build_or_skip(&Options::default()) else { return };
//!         for order in ["forward", "reverse", "random:1"] {
//!             let outcome = built.rerun("a_sum_on_the_gpu", &[("GRADUS_EMULATOR_ORDER", order)]);
//!             assert!(outcome.success, "{outcome}");
//!             assert!(outcome.log.iter().any(|line| line.starts_with("launch sum_to ")));
//!         }
//!         return;
//!     }
//!     // The GPU is available here: CudaContext::new(0), load_module, launch, …
//! }
//! ```
//!
//! `kernels/host/README.md` describes the mistakes that the emulator reports, and its environment variables.
//!
//! `source` reads and rewrites kernels, `compiler` finds the C++ compiler, `parts` caches compiled parts, `make` builds the
//! folder, and `child` runs programs under it. [`mod@planted`] runs them with planted faults.
#![forbid(unsafe_code)]

mod child;
mod compiler;
mod make;
mod parts;
pub mod planted;
mod source;

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

pub use child::{Outcome, is_emulated, is_on_gpu, this_program};
pub use compiler::Sanitizer;
pub use make::Built;

/// The entry point that builds emulators.
pub struct Emulator;

impl Emulator {
    /// Builds a folder with the libraries. An earlier build from the same sources is reused, and several processes may build at
    /// once.
    ///
    /// # Errors
    /// If there is no compiler, or it rejects its input.
    pub fn build(options: &Options) -> Result<Built, BuildError> {
        make::build(options)
    }

    /// As [`build`](Self::build), for tests that may be skipped: without Linux or a compiler, prints a message and returns
    /// `None`.
    ///
    /// # Panics
    /// If building fails for another reason.
    #[track_caller]
    pub fn build_or_skip(options: &Options) -> Option<Built> {
        match Self::build(options) {
            Ok(built) => Some(built),
            Err(missing @ (BuildError::System | BuildError::Compiler(_))) => {
                println!("this was not tested: {missing}");
                None
            }
            Err(missing) => panic!("{missing}"),
        }
    }
}

/// The options of a build.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder with the `*.cu` files and, if present, `common.cuh`, which is put before each of them. The default is the
    /// repository's folder.
    pub kernels: PathBuf,
    /// The modules to build, such as `map` for `map.cu`; `None` for all.
    pub modules: Option<Vec<String>>,
    /// The scalar types to compile for: `float`, `double`, or both, which is the default.
    pub scalars: Vec<&'static str>,
    /// Modules that are compiled with defines of their own, as NVRTC would for `-DNAME=VALUE`. A module that `modules` also
    /// selects is compiled without them too.
    pub variants: Vec<Variant>,
    /// The sanitizer that checks the kernels.
    pub sanitizer: Sanitizer,
    /// A driver function that `libcuda.so` lacks.
    pub without: Option<String>,
    /// True to build a `libnvrtc.so`.
    pub nvrtc: bool,
    /// Faults that are planted into the kernels.
    pub faults: Vec<Fault>,
    /// A C++ program that calls the driver; it is built into the folder as `program`.
    pub program: Option<PathBuf>,
    /// The parent of the folders; `None` for `emulator` in cargo's target folder.
    pub folder: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kernels: repository().join("kernels"),
            modules: None,
            scalars: vec!["float", "double"],
            variants: Vec::new(),
            sanitizer: Sanitizer::None,
            without: None,
            nvrtc: true,
            faults: Vec::new(),
            program: None,
            folder: None,
        }
    }
}

/// A module with defines, such as `rollout` with `HIDDEN` = 32.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The file's name without `.cu`.
    pub module: String,
    /// Names and values, besides `REAL`.
    pub defines: Vec<(String, String)>,
}

impl Variant {
    /// Returns the modules of a whole update that are compiled for a network's sizes.
    pub fn for_network(hidden_size: usize, actions: usize, vocabulary: usize) -> Vec<Self> {
        let sizes = [("HIDDEN", hidden_size), ("ACTIONS", actions), ("VOCAB", vocabulary)];
        let defines = sizes.map(|(name, size)| (name.to_string(), size.to_string()));
        let variant = |module: &str, defines: &[_]| Self { module: module.into(), defines: defines.to_vec() };
        vec![variant("rollout", &defines[..2]), variant("bptt", &defines)]
    }
}

/// A fault: text that occurs once in a file, and its replacement.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The file's name, `map.cu` or `common.cuh`.
    pub file: String,
    /// The text to replace.
    pub text: String,
    /// The text that replaces it.
    pub replacement: String,
}

/// The reason why an emulator could not be built.
#[derive(Clone, Debug)]
pub enum BuildError {
    /// The system is not Linux.
    System,
    /// No C++ compiler was found under these names.
    Compiler(Vec<String>),
    /// The compiler lacks the library that a sanitizer needs.
    Sanitizer {
        /// The requested sanitizer.
        sanitizer: Sanitizer,
        /// The names of the compiler and of the library.
        what: String,
    },
    /// A kernel file cannot be parsed, or does not contain a fault's text.
    Source(String),
    /// The compiler rejected a file.
    Compiling {
        /// The file.
        what: String,
        /// The compiler's message.
        output: String,
    },
    /// A file could not be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: String,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => write!(f, "the emulator runs on Linux only"),
            Self::Compiler(names) => write!(
                f,
                "no C++ compiler was found as {}: install one, or name it in CXX, to run kernels without a GPU",
                names.join(", ")
            ),
            Self::Sanitizer { sanitizer, what } => write!(f, "{sanitizer:?} sanitizer: {what}"),
            Self::Source(what) => write!(f, "{what}"),
            Self::Compiling { what, output } => write!(f, "{what} does not compile for the host:\n{output}"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl Error for BuildError {}

/// The root of the repository that this crate was compiled in.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).unwrap_or(here).to_path_buf()
}

fn read(path: &Path) -> Result<String, BuildError> {
    std::fs::read_to_string(path).map_err(|error| file(path, &error))
}

fn file(path: &Path, error: &std::io::Error) -> BuildError {
    BuildError::File { path: path.into(), error: error.to_string() }
}
