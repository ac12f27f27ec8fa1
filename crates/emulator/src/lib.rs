//! A CUDA driver for machines without a GPU.
//!
//! [`Emulator::build`] compiles `kernels/host` and the kernels with a C++ compiler, into a folder with a `libcuda.so` and a
//! `libnvrtc.so` that a program finds where `LD_LIBRARY_PATH` names it. A test starts itself again under them:
//!
//! ```no_run
//! # use emulator::{Emulator, Options};
//! #[test]
//! fn a_sum_on_the_gpu() {
//!     if !emulator::inside() {
//!         let Some(built) = Emulator::at_hand(&Options::default()) else { return };
//!         for order in ["forward", "reverse", "random:1"] {
//!             let outcome = built.rerun("a_sum_on_the_gpu", &[("GRADUS_EMULATOR_ORDER", order)]);
//!             assert!(outcome.success, "{outcome}");
//!             assert!(outcome.log.iter().any(|line| line.starts_with("launch sum_to ")));
//!         }
//!         return;
//!     }
//!     // Here is a GPU: CudaContext::new(0), load_module, launch, …
//! }
//! ```
//!
//! What the emulator sees, and the options that it takes from the environment, are told in `kernels/host/README.md`.
//!
//! `source` reads and rewrites kernels, `compiler` finds what compiles them, `parts` keeps what was compiled, `make` puts a
//! folder together, and `child` runs programs under it. [`mod@planted`] does so with mistakes.
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

pub use child::{Outcome, inside, is_on_gpu, this_program};
pub use compiler::Sanitizer;
pub use make::Built;

/// Where the emulator is made.
pub struct Emulator;

impl Emulator {
    /// A folder with the libraries. What was built before from the same sources is used again, and several may build at once.
    ///
    /// # Errors
    /// If there is no compiler, or it does not accept what it gets.
    pub fn build(options: &Options) -> Result<Built, Missing> {
        make::build(options)
    }

    /// The same for a test that may go without: none on another system than Linux, or without a compiler, which is said.
    ///
    /// # Panics
    /// If it is not built for another reason.
    #[track_caller]
    pub fn at_hand(options: &Options) -> Option<Built> {
        match Self::build(options) {
            Ok(built) => Some(built),
            Err(missing @ (Missing::System | Missing::Compiler(_))) => {
                println!("this was not tested: {missing}");
                None
            }
            Err(missing) => panic!("{missing}"),
        }
    }
}

/// What is built.
#[derive(Clone, Debug)]
pub struct Options {
    /// A folder with `*.cu`, and `common.cuh`, if there is one, which is put before each of them. The default is that of the
    /// repository.
    pub kernels: PathBuf,
    /// The modules that are needed, `map` for `map.cu`; `None` for all.
    pub modules: Option<Vec<String>>,
    /// What modules are compiled for: `float`, `double`, or both, which is the default.
    pub scalars: Vec<&'static str>,
    /// Modules that are compiled with definitions of their own, as NVRTC would for `-DNAME=VALUE`: once more, or instead if
    /// `modules` has others alone.
    pub variants: Vec<Variant>,
    /// What watches the kernels as they run.
    pub sanitizer: Sanitizer,
    /// A function of the driver's that `libcuda.so` lacks.
    pub without: Option<String>,
    /// Whether there is a `libnvrtc.so`.
    pub nvrtc: bool,
    /// Mistakes that are planted into the kernels.
    pub faults: Vec<Fault>,
    /// A C++ program that calls the driver, built beside it as `program`.
    pub program: Option<PathBuf>,
    /// Where folders are made; `None` for `emulator` in cargo's target folder.
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

/// A module with definitions: `rollout` for `HIDDEN` = 32.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The name of its file, without `.cu`.
    pub module: String,
    /// Names and values, besides that of `REAL`.
    pub defines: Vec<(String, String)>,
}

impl Variant {
    /// The modules of a whole update that are compiled for a network, for this one.
    pub fn of_network(hidden: usize, actions: usize, vocabulary: usize) -> Vec<Self> {
        let sizes = [("HIDDEN", hidden), ("ACTIONS", actions), ("VOCAB", vocabulary)];
        let defines = sizes.map(|(name, size)| (name.to_string(), size.to_string()));
        let variant = |module: &str, defines: &[_]| Self { module: module.into(), defines: defines.to_vec() };
        vec![variant("rollout", &defines[..2]), variant("bptt", &defines)]
    }
}

/// A mistake: text that stands once in a file, and what it is replaced by.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The file's name, `map.cu` or `common.cuh`.
    pub file: String,
    /// What stands there.
    pub text: String,
    /// What is compiled instead.
    pub instead: String,
}

/// Why there is no emulator.
#[derive(Clone, Debug)]
pub enum Missing {
    /// This is not Linux.
    System,
    /// No program that compiles C++ was found under these names.
    Compiler(Vec<String>),
    /// The compiler lacks the library that a sanitizer needs.
    Sanitizer {
        /// What was asked for.
        sanitizer: Sanitizer,
        /// The compiler's name, and the library's.
        what: String,
    },
    /// A kernel's file is not what the emulator can read, or a fault's text is not in it.
    Source(String),
    /// The compiler did not accept this.
    Compiling {
        /// The file.
        what: String,
        /// What the compiler said.
        said: String,
    },
    /// A file could not be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: String,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => write!(f, "kernels run without a GPU on Linux alone"),
            Self::Compiler(names) => write!(
                f,
                "no C++ compiler was found as {}: install one, or name it in CXX, to run kernels without a GPU",
                names.join(", ")
            ),
            Self::Sanitizer { sanitizer, what } => write!(f, "{sanitizer:?} sanitizer: {what}"),
            Self::Source(what) => write!(f, "{what}"),
            Self::Compiling { what, said } => write!(f, "{what} does not compile for the host:\n{said}"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl Error for Missing {}

/// The folder of the repository that this crate was compiled in.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).unwrap_or(here).to_path_buf()
}

fn read(path: &Path) -> Result<String, Missing> {
    std::fs::read_to_string(path).map_err(|error| file(path, &error))
}

fn file(path: &Path, error: &std::io::Error) -> Missing {
    Missing::File { path: path.into(), error: error.to_string() }
}
