//! What there is for CUDA on this machine, and what is missing.

use std::string::String;
use std::vec::Vec;

use super::error::{CudaError, CudaVersion};

/// What there is for CUDA on this machine. Looking is no use: no GPU is opened.
#[derive(Clone, Debug)]
pub struct CudaSurvey {
    /// The driver's version, or why it cannot be worked with.
    pub driver: Result<CudaVersion, CudaError>,
    /// NVRTC's version, or why it cannot be worked with.
    pub nvrtc: Result<CudaVersion, CudaError>,
    /// The GPUs in the driver's order, or why there is none.
    pub gpus: Result<Vec<GpuFound>, CudaError>,
}

/// A GPU that the driver names.
#[derive(Clone, Debug)]
pub struct GpuFound {
    /// Its name.
    pub name: String,
    /// Its compute capability.
    pub capability: CudaVersion,
    /// Its memory in bytes.
    pub bytes: u64,
    /// Its multiprocessors.
    pub multiprocessors: u32,
    /// Whether it can be worked with, or why not.
    pub usable: Result<(), CudaError>,
}

/// Looks for a driver, its compiler, and GPUs.
pub fn cuda_survey() -> CudaSurvey {
    #[cfg(not(feature = "cuda"))]
    return CudaSurvey {
        driver: Err(CudaError::NotBuilt),
        nvrtc: Err(CudaError::NotBuilt),
        gpus: Err(CudaError::NotBuilt),
    };
    #[cfg(feature = "cuda")]
    {
        use super::probe;
        let driver = probe::driver();
        let found = |ordinal| {
            probe::gpu(ordinal).map(|facts| GpuFound {
                usable: facts.suffices(),
                name: facts.name,
                capability: facts.capability,
                bytes: facts.bytes,
                multiprocessors: facts.multiprocessors,
            })
        };
        let gpus = driver.clone().and_then(|_| probe::count()).and_then(|count| (0..count).map(found).collect());
        CudaSurvey { driver, nvrtc: probe::compiler(), gpus }
    }
}
