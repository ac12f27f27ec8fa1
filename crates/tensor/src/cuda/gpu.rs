//! An open GPU.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{CUmemPool_attribute, CUresult};
use cudarc::driver::{CudaContext, CudaStream};

use super::error::{CudaError, CudaVersion};
use super::kernels::CudaKernels;
use super::launch::{self, GridLimits};
use super::memory::DeviceBuffer;
use super::modules::Modules;
use super::probe::{self, GpuProperties, catch_missing_symbol, driver_error};

/// An open GPU. It stays open until the process ends.
///
/// All work runs in the order of the GPU's stream. So a kernel reads only finished results, and freed memory is reused only
/// after its last use. Several threads may submit work.
pub struct Gpu {
    ordinal: usize,
    properties: GpuProperties,
    driver: CudaVersion,
    context: Arc<CudaContext>,
    pub(super) stream: Arc<CudaStream>,
    pub(super) modules: Modules,
    pub(super) limits: GridLimits,
    kernels: OnceLock<&'static CudaKernels>,
    /// Buffers of one zero each, in which kernels report an index that is out of range.
    reports: Mutex<Vec<DeviceBuffer<u32>>>,
}

/// The open GPUs.
static OPEN: Mutex<Vec<&'static Gpu>> = Mutex::new(Vec::new());

/// The failures that were raised as panics, with their messages. Equal messages are stored once.
static FAILURES: Mutex<Vec<(String, CudaError)>> = Mutex::new(Vec::new());

impl Gpu {
    /// Opens the GPU with this number, or returns it if it is open.
    pub(crate) fn open(ordinal: usize) -> Result<&'static Self, CudaError> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gpu) = open.iter().find(|gpu| gpu.ordinal == ordinal) {
            return Ok(gpu);
        }
        let gpu: &'static Self = Box::leak(Box::new(Self::new(ordinal)?));
        launch::check_compiler(gpu)?;
        open.push(gpu);
        Ok(gpu)
    }

    #[allow(unsafe_code)]
    fn new(ordinal: usize) -> Result<Self, CudaError> {
        let driver = probe::query_driver()?;
        let properties = probe::query_gpu(ordinal)?;
        properties.check_capability()?;
        let compiler = probe::query_compiler()?;
        let (context, stream) = catch_missing_symbol("the CUDA driver", || {
            let opening = |error| driver_error(&format!("opening GPU {ordinal}, {}", properties.name), error);
            let context = CudaContext::new(ordinal).map_err(opening)?;
            // SAFETY: memory of this GPU is used only on the stream that is created next.
            unsafe { context.disable_event_tracking() };
            let stream = context.new_stream().map_err(opening)?; // the context's default stream cannot be captured
            Ok((context, stream))
        })?;
        keep_freed_memory(&context);
        let modules = Modules::new(&properties, driver, compiler);
        let limits = GridLimits::new(&properties);
        Ok(Self {
            ordinal,
            properties,
            driver,
            context,
            stream,
            modules,
            limits,
            kernels: OnceLock::new(),
            reports: Mutex::default(),
        })
    }

    /// The GPU's number, in the driver's order.
    pub fn ordinal(&self) -> usize {
        self.ordinal
    }

    /// The GPU's name.
    pub fn name(&self) -> &str {
        &self.properties.name
    }

    /// The GPU's compute capability.
    pub fn compute_capability(&self) -> CudaVersion {
        self.properties.capability
    }

    /// The number of multiprocessors.
    pub fn multiprocessors(&self) -> usize {
        self.properties.multiprocessors as usize
    }

    pub(crate) fn flops(&self) -> Option<f64> {
        self.properties.flops()
    }

    /// The driver's version.
    pub fn driver_version(&self) -> CudaVersion {
        self.driver
    }

    /// Returns the number of free bytes and the total number of bytes.
    ///
    /// # Errors
    /// If the GPU failed.
    pub fn memory_info(&self) -> Result<(u64, u64), CudaError> {
        let (free, total) = self.call_driver("querying the free memory", || self.context.mem_get_info())?;
        Ok((free as u64, total as u64))
    }

    /// Waits until all submitted work is done.
    ///
    /// # Errors
    /// If some of the work failed.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.call_driver("waiting for the GPU's work", || self.stream.synchronize())
    }

    /// The GPU's kernels, created at the first call.
    pub(super) fn kernels(&'static self) -> &'static CudaKernels {
        self.kernels.get_or_init(|| Box::leak(Box::new(CudaKernels::new(self))))
    }

    /// Takes a buffer that holds one zero, in which a kernel reports an index that is out of range.
    pub(super) fn take_index_report(&'static self) -> Result<DeviceBuffer<u32>, CudaError> {
        let kept = self.reports.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.map_or_else(|| DeviceBuffer::zeros(self, 1), Ok)
    }

    /// Returns a buffer of `take_index_report`, which must still hold zero, for the next call.
    pub(super) fn return_index_report(&self, zero: DeviceBuffer<u32>) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(zero);
    }

    /// Returns freed memory from the driver's pool, so that the free memory can be measured. A driver without a pool has kept
    /// none.
    ///
    /// # Errors
    /// If some of the submitted work failed.
    #[allow(unsafe_code)]
    pub fn trim_memory_pool(&self) -> Result<(), CudaError> {
        self.synchronize()?;
        let trim = || {
            // SAFETY: the device is the context's.
            let pool = unsafe { result::device::get_default_mem_pool(self.context.cu_device()) }?;
            // SAFETY: the pool was obtained above; trimming it frees no memory in use.
            unsafe { result::mem_pool::trim_to(pool, 0) }
        };
        self.call_driver("trimming the memory pool", trim).ok();
        Ok(())
    }

    pub(super) fn context(&self) -> &Arc<CudaContext> {
        &self.context
    }

    /// Calls the driver. `doing` names the operation in the error.
    pub(super) fn call_driver<R>(
        &self,
        doing: &str,
        call: impl FnOnce() -> Result<R, DriverError>,
    ) -> Result<R, CudaError> {
        catch_missing_symbol("the CUDA driver", || call().map_err(|error| driver_error(doing, error)))
    }

    /// Allocates `bytes` bytes by `call`. Too little memory is a separate error, after which the GPU remains usable.
    pub(super) fn allocate<R>(
        &self,
        bytes: usize,
        call: impl FnOnce() -> Result<R, DriverError>,
    ) -> Result<R, CudaError> {
        match call() {
            Ok(memory) => Ok(memory),
            Err(DriverError(CUresult::CUDA_ERROR_OUT_OF_MEMORY)) => {
                let (free, total) = self.memory_info()?;
                Err(CudaError::OutOfMemory { asked: bytes as u64, free, total, fits: None })
            }
            Err(error) => self.call_driver("allocating memory", || Err(error)),
        }
    }
}

/// Returns the value of a result. For kernels, whose callers expect no `Result`.
///
/// # Panics
/// If it is an error, with the error's text as the message.
#[track_caller]
pub(super) fn expect_driver<R>(result: Result<R, CudaError>) -> R {
    result.unwrap_or_else(|error| {
        let words = format!("{error}");
        let mut failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.iter().all(|(known, _)| *known != words) {
            failures.push((words.clone(), error));
        }
        drop(failures);
        panic!("{words}")
    })
}

/// Returns the failure that was raised as a panic with this message.
pub(super) fn find_failure(words: Option<&str>) -> Option<CudaError> {
    let failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
    failures.iter().find(|(known, _)| Some(known.as_str()) == words).map(|(_, error)| error.clone())
}

/// Makes the driver keep freed memory for later allocations. By default it returns the memory at every synchronization. A
/// driver without this option is only slower.
#[allow(unsafe_code)]
fn keep_freed_memory(context: &CudaContext) {
    if !context.has_async_alloc() {
        return;
    }
    let keep = || {
        let mut all = u64::MAX;
        let value = (&raw mut all).cast();
        // SAFETY: the device is the context's.
        let pool = unsafe { result::device::get_default_mem_pool(context.cu_device()) }?;
        // SAFETY: the pool was obtained above, and the value of this attribute is a 64-bit number.
        unsafe { result::mem_pool::set_attribute(pool, CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, value) }
    };
    catch_missing_symbol("the CUDA driver", || keep().map_err(|error| driver_error("keeping memory", error))).ok();
}

/// GPUs are equal if their numbers are equal, because each GPU is opened once.
impl PartialEq for Gpu {
    fn eq(&self, other: &Self) -> bool {
        self.ordinal == other.ordinal
    }
}

impl Eq for Gpu {}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GPU {} ({})", self.ordinal, self.properties.name)
    }
}

impl GpuProperties {
    /// The target architecture: the newest of those that `.ci/cuda` compiles for and that the GPU supports. A GPU also runs
    /// code for earlier architectures.
    pub(super) fn architecture(&self) -> &'static str {
        if self.capability.major >= 9 { "compute_90" } else { "compute_80" }
    }
}
