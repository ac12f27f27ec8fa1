//! A survey of the driver, NVRTC and the GPUs of this machine.

use std::string::String;
use std::vec::Vec;

use super::error::{CudaError, CudaVersion};

/// A survey of the driver, NVRTC and the GPUs of this machine. The survey opens no GPU.
#[derive(Clone, Debug)]
pub struct CudaSurvey {
    /// The driver's version, or the reason why it cannot be used.
    pub driver: Result<CudaVersion, CudaError>,
    /// NVRTC's version, or the reason why it cannot be used.
    pub nvrtc: Result<CudaVersion, CudaError>,
    /// The GPUs in the driver's order, or the reason why there is none.
    pub gpus: Result<Vec<GpuInfo>, CudaError>,
}

/// A GPU that the driver lists.
#[derive(Clone, Debug)]
pub struct GpuInfo {
    /// The GPU's name.
    pub name: String,
    /// The compute capability.
    pub capability: CudaVersion,
    /// The memory size in bytes.
    pub bytes: u64,
    /// The number of multiprocessors.
    pub multiprocessors: u32,
    /// `Ok` if the engine can use the GPU, or the reason why not.
    pub usable: Result<(), CudaError>,
}

/// Looks for the driver, NVRTC and GPUs.
pub fn survey_cuda() -> CudaSurvey {
    #[cfg(not(feature = "cuda"))]
    return CudaSurvey {
        driver: Err(CudaError::NotBuilt),
        nvrtc: Err(CudaError::NotBuilt),
        gpus: Err(CudaError::NotBuilt),
    };
    #[cfg(feature = "cuda")]
    {
        use super::probe;
        let driver = probe::query_driver();
        let found = |ordinal| {
            probe::query_gpu(ordinal).map(|properties| GpuInfo {
                usable: properties.check_capability(),
                name: properties.name,
                capability: properties.capability,
                bytes: properties.bytes,
                multiprocessors: properties.multiprocessors,
            })
        };
        let gpus = driver.clone().and_then(|_| probe::count_gpus()).and_then(|count| (0..count).map(found).collect());
        CudaSurvey { driver, nvrtc: probe::query_compiler(), gpus }
    }
}
