//! Looking for a driver, its compiler and a GPU, one step after the other, each with its own error.
//!
//! `cudarc` panics where a library or a function of it is missing. So each step looks first, and all steps together are run
//! where a panic is caught.
#![allow(unsafe_code)] // calls into the driver

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{self, CUdevice_attribute as Attribute, CUresult};
use cudarc::nvrtc;

use super::error::{CudaError, CudaVersion};
use super::quiet::caught;

/// The driver that can be worked with: the first with all functions that are called here, allocation in the order of a
/// stream included, in a version that is still cared for.
pub(super) const DRIVER: CudaVersion = CudaVersion { major: 12, minor: 0 };

/// The GPU that can be worked with: Ampere, the first with tf32 and asynchronous copies.
pub(super) const CAPABILITY: CudaVersion = CudaVersion { major: 8, minor: 0 };

/// The functions of the driver that are called here.
const DRIVER_FUNCTIONS: &str = "cuInit cuDriverGetVersion cuGetErrorString cuDeviceGet cuDeviceGetCount \
    cuDeviceGetName cuDeviceGetAttribute cuDeviceTotalMem_v2 cuDevicePrimaryCtxRetain cuDevicePrimaryCtxRelease_v2 \
    cuCtxGetCurrent cuCtxSetCurrent cuMemGetInfo_v2 cuMemAlloc_v2 cuMemFree_v2 cuMemAllocAsync cuMemFreeAsync \
    cuMemcpyHtoDAsync_v2 cuMemcpyDtoHAsync_v2 cuMemcpyDtoDAsync_v2 cuMemsetD8Async cuStreamCreate \
    cuStreamSynchronize cuStreamDestroy_v2 cuModuleLoadData cuModuleUnload cuModuleGetFunction cuLaunchKernel";

/// Those of its compiler.
const NVRTC_FUNCTIONS: &str = "nvrtcVersion nvrtcCreateProgram nvrtcCompileProgram nvrtcDestroyProgram \
    nvrtcGetPTXSize nvrtcGetPTX nvrtcGetProgramLogSize nvrtcGetProgramLog";

/// A GPU before it is opened.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) capability: CudaVersion,
    pub(super) bytes: u64,
    pub(super) multiprocessors: u32,
    /// The highest clock in Hz, where the driver names it.
    pub(super) clock: Option<f64>,
}

/// The driver, started: its version.
///
/// # Errors
/// If it is missing, lacks a function, does not start, or is too old.
pub(super) fn driver() -> Result<CudaVersion, CudaError> {
    safely("the CUDA driver", || {
        // SAFETY: the libraries of these names are NVIDIA's, whose initialisation any program may run.
        if !unsafe { sys::is_culib_present() } {
            return Err(CudaError::NoDriver { names: names(&["cuda", "nvcuda"]) });
        }
        // SAFETY: as above; it has just been found.
        let library = unsafe { sys::culib() };
        // SAFETY: a symbol is looked up and not called.
        let there = |name: &str| unsafe { library.get::<unsafe extern "C" fn()>(name.as_bytes()) }.is_ok();
        if let Some(symbol) = DRIVER_FUNCTIONS.split(' ').find(|name| !there(name)) {
            return Err(CudaError::MissingSymbol { library: "the CUDA driver", symbol: symbol.to_string() });
        }
        let mut version = 0;
        // SAFETY: it writes one number, for which there is a place, and needs no driver that has started.
        let asked = unsafe { sys::cuDriverGetVersion(&mut version) }.result();
        asked.map_err(|error| CudaError::NotStarted { said: said(error) })?;
        let found = CudaVersion { major: (version / 1000) as u32, minor: (version % 1000 / 10) as u32 };
        if found < DRIVER {
            return Err(CudaError::DriverTooOld { found, needed: DRIVER });
        }
        match result::init() {
            Err(DriverError(CUresult::CUDA_ERROR_NO_DEVICE)) => Err(CudaError::NoDevice),
            started => started.map(|()| found).map_err(|error| CudaError::NotStarted { said: said(error) }),
        }
    })
}

/// How many GPUs there are; at least one.
///
/// # Errors
/// If there is none, or the driver fails.
pub(super) fn count() -> Result<usize, CudaError> {
    safely("the CUDA driver", || match result::device::get_count() {
        Ok(count @ 1..) => Ok(count as usize),
        Ok(_) | Err(DriverError(CUresult::CUDA_ERROR_NO_DEVICE)) => Err(CudaError::NoDevice),
        Err(error) => Err(failed("counting the GPUs", error)),
    })
}

/// What the driver says of a GPU.
///
/// # Errors
/// If there is none of this number, or the driver fails.
pub(super) fn gpu(ordinal: usize) -> Result<Facts, CudaError> {
    let count = count()?;
    if ordinal >= count {
        return Err(CudaError::NoSuchDevice { asked: ordinal, count });
    }
    safely("the CUDA driver", || {
        let asking = |error| failed(&format!("asking GPU {ordinal} what it is"), error);
        let device = result::device::get(ordinal as i32).map_err(asking)?;
        // SAFETY: the device has just been given out.
        let attribute = |of| unsafe { result::device::get_attribute(device, of) }.map(|n| n as u32).map_err(asking);
        let capability = CudaVersion {
            major: attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            minor: attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        };
        Ok(Facts {
            name: result::device::get_name(device).map_err(asking)?,
            capability,
            // SAFETY: as above.
            bytes: unsafe { result::device::total_mem(device) }.map_err(asking)? as u64,
            multiprocessors: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
            clock: attribute(Attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE)
                .ok()
                .filter(|&khz| khz > 0)
                .map(|khz| 1e3 * f64::from(khz)),
        })
    })
}

impl Facts {
    /// Two for each multiply-add of `f32` that all cores begin in a second. The number of cores is that of NVIDIA's programming
    /// guide, section "Arithmetic instructions", for the architectures that it lists.
    pub(super) fn flops(&self) -> Option<f64> {
        let cores = match (self.capability.major, self.capability.minor) {
            (8, 0) => 64,
            (8..=10 | 12, _) => 128,
            _ => return None,
        };
        Some(2.0 * f64::from(cores * self.multiprocessors) * self.clock?)
    }

    /// Whether the GPU can be worked with.
    ///
    /// # Errors
    /// If it is too old.
    pub(super) fn suffices(&self) -> Result<(), CudaError> {
        let Self { name, capability: found, .. } = self.clone();
        if found < CAPABILITY { Err(CudaError::GpuTooOld { name, found, needed: CAPABILITY }) } else { Ok(()) }
    }
}

/// NVRTC's version.
///
/// # Errors
/// If it is missing, or lacks a function.
pub(super) fn compiler() -> Result<CudaVersion, CudaError> {
    safely("NVRTC", || {
        // SAFETY: the libraries of these names are NVIDIA's, whose initialisation any program may run.
        if !unsafe { nvrtc::sys::is_culib_present() } {
            return Err(CudaError::NoNvrtc { names: names(&["nvrtc"]) });
        }
        // SAFETY: as above; it has just been found.
        let library = unsafe { nvrtc::sys::culib() };
        // SAFETY: a symbol is looked up and not called.
        let there = |name: &str| unsafe { library.get::<unsafe extern "C" fn()>(name.as_bytes()) }.is_ok();
        if let Some(symbol) = NVRTC_FUNCTIONS.split(' ').find(|name| !there(name)) {
            return Err(CudaError::MissingSymbol { library: "NVRTC", symbol: symbol.to_string() });
        }
        let (mut major, mut minor) = (0, 0);
        // SAFETY: it writes two numbers, for which there are places.
        let asked = unsafe { nvrtc::sys::nvrtcVersion(&mut major, &mut minor) }.result();
        asked.map_err(|error| CudaError::NotStarted { said: format!("NVRTC: {error}") })?;
        Ok(CudaVersion { major: major as u32, minor: minor as u32 })
    })
}

/// Runs a step. Where it panics all the same, a function is missing that was not looked for.
pub(super) fn safely<R>(library: &'static str, step: impl FnOnce() -> Result<R, CudaError>) -> Result<R, CudaError> {
    caught(step).unwrap_or_else(|words| {
        let symbol = words.strip_prefix("Missing symbol ").and_then(|rest| rest.split([':', ' ']).next());
        Err(match symbol {
            Some(symbol) => CudaError::MissingSymbol { library, symbol: symbol.into() },
            None => CudaError::NotStarted { said: words },
        })
    })
}

/// What the driver says of an error of its own, with the number under which manuals know it.
pub(super) fn said(error: DriverError) -> String {
    let words = caught(|| error.error_string().map(|words| words.to_string_lossy().into_owned()));
    match words {
        Ok(Ok(words)) => format!("{words} ({:?})", error.0),
        _ => format!("{:?}", error.0),
    }
}

/// A failure of the driver while something was done.
pub(super) fn failed(doing: &str, error: DriverError) -> CudaError {
    CudaError::Failed { doing: doing.into(), said: said(error) }
}

/// The first and the last of the names under which a library is looked for; those between have numbers in them that no
/// installation of today has.
fn names(libraries: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for library in libraries {
        let names = cudarc::get_lib_name_candidates(library);
        for name in names.iter().filter(|name| !name.contains("64")) {
            all.push(name.clone());
        }
    }
    all
}
