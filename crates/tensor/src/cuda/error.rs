//! Why there is no GPU to compute on, or why it stopped: one variant for each, which says what was found, what is needed,
//! and what to do.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A version of the driver or of its compiler, as in 13.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CudaVersion {
    /// Before the dot.
    pub major: u32,
    /// Behind it.
    pub minor: u32,
}

impl fmt::Display for CudaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why there is no GPU to compute on, or why it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CudaError {
    /// This program was built without the feature `cuda`.
    NotBuilt,
    /// There is no driver.
    NoDriver {
        /// The names under which its library was looked for.
        names: Vec<String>,
    },
    /// A library is there that lacks a function.
    MissingSymbol {
        /// Which: the driver, or its compiler.
        library: &'static str,
        /// The function.
        symbol: String,
    },
    /// The driver is there, and does not start.
    NotStarted {
        /// What it says.
        said: String,
    },
    /// The driver starts, and finds no GPU.
    NoDevice,
    /// The driver is too old.
    DriverTooOld {
        /// Its version.
        found: CudaVersion,
        /// The version that is needed at least.
        needed: CudaVersion,
    },
    /// What NVRTC writes is too new for the driver.
    CompilerTooNew {
        /// NVRTC's version.
        compiler: CudaVersion,
        /// The driver's.
        driver: CudaVersion,
    },
    /// There is no GPU of this number.
    NoSuchDevice {
        /// The number.
        asked: usize,
        /// How many GPUs there are.
        count: usize,
    },
    /// The GPU is too old.
    GpuTooOld {
        /// Its name.
        name: String,
        /// Its compute capability.
        found: CudaVersion,
        /// The one that is needed at least.
        needed: CudaVersion,
    },
    /// There is no NVRTC, which compiles the kernels for the GPU.
    NoNvrtc {
        /// The names under which its library was looked for.
        names: Vec<String>,
    },
    /// NVRTC does not take a kernel.
    Compile {
        /// The kernel's file, and its scalar.
        source: String,
        /// What NVRTC says.
        log: String,
    },
    /// The GPU has too little memory.
    Memory {
        /// How many bytes were asked for.
        asked: u64,
        /// How many are free.
        free: u64,
        /// How many it has.
        total: u64,
        /// How much of what was asked for would fit, in its own unit, as in `4096 episodes`; where that is known.
        fits: Option<String>,
    },
    /// Numbers that a GPU does not have: it computes with `f32` and `f64`, and knows `u32` as indices.
    Scalar {
        /// Their type.
        name: &'static str,
    },
    /// Something failed on the GPU, or the GPU is gone. A GPU that has failed once stays lost for this process.
    Failed {
        /// What was being done.
        doing: String,
        /// What the driver says.
        said: String,
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
                "{library} has no function {symbol}: it is too old, or none of NVIDIA's; install a newer one; {CPU}"
            ),
            Self::NotStarted { said } => write!(
                f,
                "the CUDA driver is there and does not start: {said}; see whether nvidia-smi runs, since the kernel's \
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
                "NVRTC has version {compiler}, and what it writes is too new for the driver, which has version {driver}; \
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
            Self::Memory { asked, free, total, fits } => {
                write!(
                    f,
                    "the GPU has too little memory: {} were asked for, and {} of {} are free",
                    Bytes(*asked),
                    Bytes(*free),
                    Bytes(*total)
                )?;
                match fits {
                    Some(fits) => write!(f, "; at most {fits} would fit")?,
                    None => f.write_str("; ask for less, or end what else runs there")?,
                }
                write!(f, "; or compute on the CPU")
            }
            Self::Scalar { name } => write!(
                f,
                "numbers of type {name} were asked for on a GPU, which has f32 and f64, and u32 for indices; compute \
                 with them on the CPU"
            ),
            Self::Failed { doing, said } => write!(
                f,
                "the GPU failed: {doing}: {said}; it is lost for this process, start it again; if that does not \
                 help, look at nvidia-smi, or compute on the CPU"
            ),
        }
    }
}

impl core::error::Error for CudaError {}

/// A number of bytes as people say it.
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
    fn memory_is_told_in_units_that_people_read() {
        let said = |n| Bytes(n).to_string();
        assert_eq!([0, 1023, 1024, 1536 << 20].map(said), ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 GiB"]);
        assert_eq!(said(u64::MAX), "16777216.0 TiB");
    }

    #[test]
    fn what_fits_is_named_where_it_is_known() {
        let of = |fits| CudaError::Memory { asked: 3 << 30, free: 1 << 30, total: 2 << 30, fits }.to_string();
        let found = "the GPU has too little memory: 3.0 GiB were asked for, and 1.0 GiB of 2.0 GiB are free; ";
        assert_eq!(
            of(Some("64 episodes".into())),
            [found, "at most 64 episodes would fit; or compute on the CPU"].concat()
        );
        assert!(of(None).starts_with(&[found, "ask for less"].concat()));
    }

    #[test]
    fn the_numbers_of_the_gpus_are_named() {
        let of = |count| CudaError::NoSuchDevice { asked: 7, count }.to_string();
        assert!(of(1).starts_with("there is no GPU 7: there is one, which has number 0;"));
        assert!(of(3).starts_with("there is no GPU 7: there are 3, with the numbers 0 to 2;"));
    }

    #[test]
    fn a_log_comes_last_and_whole() {
        let error = CudaError::Compile { source: "map.cu for f32".into(), log: "map.cu(3): error\nand more".into() };
        assert!(error.to_string().ends_with(":\nmap.cu(3): error\nand more"));
        let error = CudaError::NoDriver { names: vec!["libcuda.so".into(), "libcuda.so.1".into()] };
        assert!(error.to_string().contains("looked for libcuda.so, libcuda.so.1; install"));
    }
}
