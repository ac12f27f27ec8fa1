//! Finds the driver, NVRTC and the GPUs. Each step has its own error.
//!
//! `cudarc` panics if a library or a function is missing. So each step checks for them first, and a remaining panic is
//! caught.
#![allow(unsafe_code)] // calls into the driver

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{self, CUdevice_attribute as Attribute, CUresult};
use cudarc::nvrtc;

use super::error::{CudaError, CudaVersion};
use super::panics::catch_panic;

/// The minimum driver version: the first that NVIDIA still maintains and that has all functions used here, including
/// stream-ordered allocation.
pub(super) const DRIVER: CudaVersion = CudaVersion { major: 12, minor: 0 };

/// The minimum compute capability: Ampere, the first with tf32 and asynchronous copies.
pub(super) const CAPABILITY: CudaVersion = CudaVersion { major: 8, minor: 0 };

/// The driver functions that the engine uses.
const DRIVER_FUNCTIONS: &str = "cuInit cuDriverGetVersion cuGetErrorString cuDeviceGet cuDeviceGetCount \
    cuDeviceGetName cuDeviceGetAttribute cuDeviceTotalMem_v2 cuDevicePrimaryCtxRetain cuDevicePrimaryCtxRelease_v2 \
    cuCtxGetCurrent cuCtxSetCurrent cuMemGetInfo_v2 cuMemAlloc_v2 cuMemFree_v2 cuMemAllocAsync cuMemFreeAsync \
    cuMemcpyHtoDAsync_v2 cuMemcpyDtoHAsync_v2 cuMemcpyDtoDAsync_v2 cuMemsetD8Async cuStreamCreate \
    cuStreamSynchronize cuStreamDestroy_v2 cuModuleLoadData cuModuleUnload cuModuleGetFunction cuLaunchKernel";

/// The NVRTC functions that the engine uses.
const NVRTC_FUNCTIONS: &str = "nvrtcVersion nvrtcCreateProgram nvrtcCompileProgram nvrtcDestroyProgram \
    nvrtcGetPTXSize nvrtcGetPTX nvrtcGetProgramLogSize nvrtcGetProgramLog";

/// The properties of a GPU, known before it is opened.
#[derive(Clone, Debug)]
pub(super) struct GpuProperties {
    pub(super) name: String,
    pub(super) capability: CudaVersion,
    pub(super) bytes: u64,
    pub(super) multiprocessors: u32,
    /// The maximum clock rate in Hz, if the driver reports it.
    pub(super) clock: Option<f64>,
}

/// Starts the driver and returns its version.
///
/// # Errors
/// If it is missing, lacks a function, does not start, or is too old.
pub(super) fn query_driver() -> Result<CudaVersion, CudaError> {
    catch_missing_symbol("the CUDA driver", || {
        // SAFETY: libraries with these names are NVIDIA's, and any program may run their initialisation.
        if !unsafe { sys::is_culib_present() } {
            return Err(CudaError::NoDriver { names: library_names(&["cuda", "nvcuda"]) });
        }
        // SAFETY: as above; the library was found.
        let library = unsafe { sys::culib() };
        // SAFETY: the symbol is looked up but not called.
        let has_symbol = |name: &str| unsafe { library.get::<unsafe extern "C" fn()>(name.as_bytes()) }.is_ok();
        if let Some(symbol) = DRIVER_FUNCTIONS.split(' ').find(|name| !has_symbol(name)) {
            return Err(CudaError::MissingSymbol { library: "the CUDA driver", symbol: symbol.to_string() });
        }
        let mut version = 0;
        // SAFETY: the function writes one number, to a valid place, and does not need a started driver.
        let asked = unsafe { sys::cuDriverGetVersion(&mut version) }.result();
        asked.map_err(|error| CudaError::NotStarted { message: driver_message(error) })?;
        let found = CudaVersion { major: (version / 1000) as u32, minor: (version % 1000 / 10) as u32 };
        if found < DRIVER {
            return Err(CudaError::DriverTooOld { found, needed: DRIVER });
        }
        match result::init() {
            Err(DriverError(CUresult::CUDA_ERROR_NO_DEVICE)) => Err(CudaError::NoDevice),
            started => {
                started.map(|()| found).map_err(|error| CudaError::NotStarted { message: driver_message(error) })
            }
        }
    })
}

/// Returns the number of GPUs, at least one.
///
/// # Errors
/// If there is none, or the driver fails.
pub(super) fn count_gpus() -> Result<usize, CudaError> {
    catch_missing_symbol("the CUDA driver", || match result::device::get_count() {
        Ok(count @ 1..) => Ok(count as usize),
        Ok(_) | Err(DriverError(CUresult::CUDA_ERROR_NO_DEVICE)) => Err(CudaError::NoDevice),
        Err(error) => Err(driver_error("counting the GPUs", error)),
    })
}

/// Queries the properties of a GPU.
///
/// # Errors
/// If no GPU has this number, or the driver fails.
pub(super) fn query_gpu(ordinal: usize) -> Result<GpuProperties, CudaError> {
    let count = count_gpus()?;
    if ordinal >= count {
        return Err(CudaError::NoSuchDevice { asked: ordinal, count });
    }
    catch_missing_symbol("the CUDA driver", || {
        let asking = |error| driver_error(&format!("querying GPU {ordinal}"), error);
        let device = result::device::get(ordinal as i32).map_err(asking)?;
        // SAFETY: the device was obtained above.
        let attribute = |of| unsafe { result::device::get_attribute(device, of) }.map(|n| n as u32).map_err(asking);
        let capability = CudaVersion {
            major: attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            minor: attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        };
        Ok(GpuProperties {
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

impl GpuProperties {
    /// Returns the peak rate in `f32` operations per second: two for each multiply-add that all cores can start. The number of
    /// cores per multiprocessor is from NVIDIA's programming guide, section "Arithmetic instructions", for the listed
    /// architectures.
    pub(super) fn flops(&self) -> Option<f64> {
        let cores = match (self.capability.major, self.capability.minor) {
            (8, 0) => 64,
            (8..=10 | 12, _) => 128,
            _ => return None,
        };
        Some(2.0 * f64::from(cores * self.multiprocessors) * self.clock?)
    }

    /// Checks that the GPU is new enough.
    ///
    /// # Errors
    /// If its compute capability is too low.
    pub(super) fn check_capability(&self) -> Result<(), CudaError> {
        let Self { name, capability: found, .. } = self.clone();
        if found < CAPABILITY { Err(CudaError::GpuTooOld { name, found, needed: CAPABILITY }) } else { Ok(()) }
    }
}

/// Returns NVRTC's version.
///
/// # Errors
/// If it is missing, or lacks a function.
pub(super) fn query_compiler() -> Result<CudaVersion, CudaError> {
    catch_missing_symbol("NVRTC", || {
        // SAFETY: libraries with these names are NVIDIA's, and any program may run their initialisation.
        if !unsafe { nvrtc::sys::is_culib_present() } {
            return Err(CudaError::NoNvrtc { names: library_names(&["nvrtc"]) });
        }
        // SAFETY: as above; the library was found.
        let library = unsafe { nvrtc::sys::culib() };
        // SAFETY: the symbol is looked up but not called.
        let has_symbol = |name: &str| unsafe { library.get::<unsafe extern "C" fn()>(name.as_bytes()) }.is_ok();
        if let Some(symbol) = NVRTC_FUNCTIONS.split(' ').find(|name| !has_symbol(name)) {
            return Err(CudaError::MissingSymbol { library: "NVRTC", symbol: symbol.to_string() });
        }
        let (mut major, mut minor) = (0, 0);
        // SAFETY: the function writes two numbers, to valid places.
        let asked = unsafe { nvrtc::sys::nvrtcVersion(&mut major, &mut minor) }.result();
        asked.map_err(|error| CudaError::NotStarted { message: format!("NVRTC: {error}") })?;
        Ok(CudaVersion { major: major as u32, minor: minor as u32 })
    })
}

/// Runs a step. A panic means that a function is missing for which no step has checked; it becomes an error.
pub(super) fn catch_missing_symbol<R>(
    library: &'static str,
    step: impl FnOnce() -> Result<R, CudaError>,
) -> Result<R, CudaError> {
    catch_panic(step).unwrap_or_else(|words| {
        let symbol = words.strip_prefix("Missing symbol ").and_then(|rest| rest.split([':', ' ']).next());
        Err(match symbol {
            Some(symbol) => CudaError::MissingSymbol { library, symbol: symbol.into() },
            None => CudaError::NotStarted { message: words },
        })
    })
}

/// Returns the driver's description of an error, with its name in the CUDA manual.
pub(super) fn driver_message(error: DriverError) -> String {
    let words = catch_panic(|| error.error_string().map(|words| words.to_string_lossy().into_owned()));
    match words {
        Ok(Ok(words)) => format!("{words} ({:?})", error.0),
        _ => format!("{:?}", error.0),
    }
}

/// Creates the error of a driver call that failed. `doing` names the operation.
pub(super) fn driver_error(doing: &str, error: DriverError) -> CudaError {
    CudaError::Failed { doing: doing.into(), message: driver_message(error) }
}

/// Returns the library names that `cudarc` tries, without those that contain "64": no current installation uses their version
/// numbers.
fn library_names(libraries: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for library in libraries {
        let names = cudarc::get_lib_name_candidates(library);
        for name in names.iter().filter(|name| !name.contains("64")) {
            all.push(name.clone());
        }
    }
    all
}
