//! The errors of CUDA: no usable GPU, or a GPU that failed. Each variant says what was found, what is needed, and what to do.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A version of the CUDA driver, of its compiler NVRTC, or of a compute capability, such as 13.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CudaVersion {
    /// The number before the dot.
    pub major: u32,
    /// The number after the dot.
    pub minor: u32,
}

impl fmt::Display for CudaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The reason why no GPU can be used, or why a GPU stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CudaError {
    /// This program was built without the feature `cuda`.
    NotBuilt,
    /// No CUDA driver was found.
    NoDriver {
        /// The library names that were tried.
        names: Vec<String>,
    },
    /// A library was found, but it lacks a function.
    MissingSymbol {
        /// The library: the driver or NVRTC.
        library: &'static str,
        /// The name of the missing function.
        symbol: String,
    },
    /// The driver was found, but does not start.
    NotStarted {
        /// The driver's message.
        message: String,
    },
    /// The driver starts, but finds no GPU.
    NoDevice,
    /// The driver is too old.
    DriverTooOld {
        /// Its version.
        found: CudaVersion,
        /// The minimum version.
        needed: CudaVersion,
    },
    /// NVRTC generates code that is too new for the driver.
    CompilerTooNew {
        /// NVRTC's version.
        compiler: CudaVersion,
        /// The driver's version.
        driver: CudaVersion,
    },
    /// No GPU has this number.
    NoSuchDevice {
        /// The requested number.
        asked: usize,
        /// The number of GPUs.
        count: usize,
    },
    /// The compute capability of the GPU is too low.
    GpuTooOld {
        /// The GPU's name.
        name: String,
        /// The GPU's compute capability.
        found: CudaVersion,
        /// The minimum compute capability.
        needed: CudaVersion,
    },
    /// NVRTC, which compiles the kernels for the GPU, was not found.
    NoNvrtc {
        /// The library names that were tried.
        names: Vec<String>,
    },
    /// NVRTC rejects a kernel.
    Compile {
        /// The kernel's file and scalar type.
        source: String,
        /// NVRTC's log.
        log: String,
    },
    /// The GPU has too little memory.
    OutOfMemory {
        /// The requested number of bytes.
        asked: u64,
        /// The number of free bytes.
        free: u64,
        /// The total number of bytes.
        total: u64,
        /// The amount that would fit, with its unit, such as `4096 episodes`, if it is known.
        fits: Option<String>,
    },
    /// The GPU does not support this element type. It computes with `f32` and `f64`, and uses `u32` for indices.
    Scalar {
        /// The name of the type.
        name: &'static str,
    },
    /// An operation on the GPU failed, or the GPU is gone. After a failure the GPU is unusable in this process.
    Failed {
        /// The operation that failed.
        doing: String,
        /// The driver's message.
        message: String,
    },
}

impl fmt::Display for CudaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CPU: &str = "the CPU needs none of this";
        match self {
            Self::NotBuilt => f.write_str(
                "this program was built without CUDA; build it with --features cuda, which needs no toolkit, or \
                 compute on the CPU",
            ),
            Self::NoDriver { names } => write!(
                f,
                "there is no CUDA driver: looked for {}; install NVIDIA's driver, or name its folder in \
                 LD_LIBRARY_PATH; {CPU}",
                names.join(", ")
            ),
            Self::MissingSymbol { library, symbol } => write!(
                f,
                "{library} has no function {symbol}: it is too old, or not NVIDIA's; install a newer one; {CPU}"
            ),
            Self::NotStarted { message } => write!(
                f,
                "the CUDA driver was found, but does not start: {message}; see whether nvidia-smi runs, since the kernel's \
                 module must be loaded and of the same version; {CPU}"
            ),
            Self::NoDevice => write!(
                f,
                "the CUDA driver finds no GPU; see whether nvidia-smi lists one, and whether CUDA_VISIBLE_DEVICES \
                 hides it; {CPU}"
            ),
            Self::DriverTooOld { found, needed } => write!(
                f,
                "the CUDA driver has version {found}, and {needed} is needed at least; install a newer one; {CPU}"
            ),
            Self::CompilerTooNew { compiler, driver } => write!(
                f,
                "NVRTC has version {compiler}, and its output is too new for the driver, which has version {driver}; \
                 install a newer driver, or NVRTC {driver}; {CPU}"
            ),
            Self::NoSuchDevice { asked, count: 1 } => {
                write!(f, "there is no GPU {asked}: there is one, which has number 0; choose that; {CPU}")
            }
            Self::NoSuchDevice { asked, count } => write!(
                f,
                "there is no GPU {asked}: there are {count}, with the numbers 0 to {}; choose one of these; {CPU}",
                count.saturating_sub(1)
            ),
            Self::GpuTooOld { name, found, needed } => write!(
                f,
                "{name} has compute capability {found}, and {needed} is needed at least; choose a newer GPU; {CPU}"
            ),
            Self::NoNvrtc { names } => write!(
                f,
                "there is no NVRTC, which compiles the kernels for the GPU: looked for {}; install the CUDA toolkit, \
                 or the package nvidia-cuda-nvrtc from PyPI, and name its folder in LD_LIBRARY_PATH; {CPU}",
                names.join(", ")
            ),
            Self::Compile { source, log } => write!(
                f,
                "NVRTC does not compile {source}; use another version of NVRTC, or report this log; {CPU}:\n{log}"
            ),
            Self::OutOfMemory { asked, free, total, fits } => {
                write!(
                    f,
                    "the GPU has too little memory: {} were asked for, and {} of {} are free",
                    Bytes(*asked),
                    Bytes(*free),
                    Bytes(*total)
                )?;
                match fits {
                    Some(fits) => write!(f, "; at most {fits} would fit")?,
                    None => f.write_str("; ask for less, or end the other programs that use it")?,
                }
                write!(f, "; or compute on the CPU")
            }
            Self::Scalar { name } => write!(
                f,
                "numbers of type {name} were asked for on a GPU, which has f32 and f64, and u32 for indices; compute \
                 with them on the CPU"
            ),
            Self::Failed { doing, message } => write!(
                f,
                "the GPU failed: {doing}: {message}; it is lost for this process, start it again; if that does not \
                 help, look at nvidia-smi, or compute on the CPU"
            ),
        }
    }
}

impl core::error::Error for CudaError {}

/// A number of bytes, printed with a binary unit.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024 {
            return write!(f, "{} bytes", self.0);
        }
        let (mut amount, mut unit) = (self.0 as f64 / 1024.0, 0);
        while amount >= 1024.0 && unit + 1 < UNITS.len() {
            amount /= 1024.0;
            unit += 1;
        }
        write!(f, "{amount:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn bytes_are_printed_with_binary_units() {
        let print = |n| Bytes(n).to_string();
        assert_eq!([0, 1023, 1024, 1536 << 20].map(print), ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 GiB"]);
        assert_eq!(print(u64::MAX), "16777216.0 TiB");
    }

    #[test]
    fn out_of_memory_with_known_fit_names_it() {
        let print = |fits| CudaError::OutOfMemory { asked: 3 << 30, free: 1 << 30, total: 2 << 30, fits }.to_string();
        let found = "the GPU has too little memory: 3.0 GiB were asked for, and 1.0 GiB of 2.0 GiB are free; ";
        assert_eq!(
            print(Some("64 episodes".into())),
            [found, "at most 64 episodes would fit; or compute on the CPU"].concat()
        );
        assert!(print(None).starts_with(&[found, "ask for less"].concat()));
    }

    #[test]
    fn no_such_device_names_the_valid_numbers() {
        let print = |count| CudaError::NoSuchDevice { asked: 7, count }.to_string();
        assert!(print(1).starts_with("there is no GPU 7: there is one, which has number 0;"));
        assert!(print(3).starts_with("there is no GPU 7: there are 3, with the numbers 0 to 2;"));
    }

    #[test]
    fn compile_error_ends_with_the_whole_log() {
        let error = CudaError::Compile { source: "map.cu for f32".into(), log: "map.cu(3): error\nand more".into() };
        assert!(error.to_string().ends_with(":\nmap.cu(3): error\nand more"));
        let error = CudaError::NoDriver { names: vec!["libcuda.so".into(), "libcuda.so.1".into()] };
        assert!(error.to_string().contains("looked for libcuda.so, libcuda.so.1; install"));
    }
}
