//! A GPU that is open.

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
use super::kernels::Cuda;
use super::launch::{self, Limits};
use super::memory::Memory;
use super::modules::Modules;
use super::probe::{self, Facts, failed, safely};

/// A GPU that is open, for as long as the process runs.
///
/// All that is done on it is done in one order, that of its stream: so what a kernel reads has been written, and memory that is
/// given back is not used by what was asked for before. Several threads may ask.
pub struct Gpu {
    ordinal: usize,
    facts: Facts,
    driver: CudaVersion,
    context: Arc<CudaContext>,
    pub(super) stream: Arc<CudaStream>,
    pub(super) modules: Modules,
    pub(super) limits: Limits,
    kernels: OnceLock<&'static Cuda>,
    /// Numbers that are zero, for kernels to report an index in.
    reports: Mutex<Vec<Memory<u32>>>,
}

/// The GPUs that are open.
static OPEN: Mutex<Vec<&'static Gpu>> = Mutex::new(Vec::new());

/// The failures that panics have told, with their words; of equal ones, one.
static FAILURES: Mutex<Vec<(String, CudaError)>> = Mutex::new(Vec::new());

impl Gpu {
    /// The GPU of this number.
    pub(crate) fn open(ordinal: usize) -> Result<&'static Self, CudaError> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gpu) = open.iter().find(|gpu| gpu.ordinal == ordinal) {
            return Ok(gpu);
        }
        let gpu: &'static Self = Box::leak(Box::new(Self::new(ordinal)?));
        launch::prepare(gpu)?;
        open.push(gpu);
        Ok(gpu)
    }

    #[allow(unsafe_code)]
    fn new(ordinal: usize) -> Result<Self, CudaError> {
        let driver = probe::driver()?;
        let facts = probe::gpu(ordinal)?;
        facts.suffices()?;
        let compiler = probe::compiler()?;
        let (context, stream) = safely("the CUDA driver", || {
            let opening = |error| failed(&format!("opening GPU {ordinal}, {}", facts.name), error);
            let context = CudaContext::new(ordinal).map_err(opening)?;
            // SAFETY: whatever is allocated on this GPU is used on the one stream that is made next.
            unsafe { context.disable_event_tracking() };
            let stream = context.new_stream().map_err(opening)?; // that of the context could not be captured
            Ok((context, stream))
        })?;
        keep_memory(&context);
        let modules = Modules::new(&facts, driver, compiler);
        let limits = Limits::of(&facts);
        Ok(Self {
            ordinal,
            facts,
            driver,
            context,
            stream,
            modules,
            limits,
            kernels: OnceLock::new(),
            reports: Mutex::default(),
        })
    }

    /// Its number, as the driver counts.
    pub fn ordinal(&self) -> usize {
        self.ordinal
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// Its compute capability.
    pub fn capability(&self) -> CudaVersion {
        self.facts.capability
    }

    /// Its multiprocessors.
    pub fn multiprocessors(&self) -> usize {
        self.facts.multiprocessors as usize
    }

    pub(crate) fn flops(&self) -> Option<f64> {
        self.facts.flops()
    }

    /// The driver's version.
    pub fn driver(&self) -> CudaVersion {
        self.driver
    }

    /// How many bytes are free, and how many there are.
    ///
    /// # Errors
    /// If the GPU has failed.
    pub fn memory(&self) -> Result<(u64, u64), CudaError> {
        let (free, total) = self.asked("asking for free memory", || self.context.mem_get_info())?;
        Ok((free as u64, total as u64))
    }

    /// Waits until all is done that was asked for.
    ///
    /// # Errors
    /// If some of it failed.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.asked("waiting for what runs there", || self.stream.synchronize())
    }

    /// Its kernels, which live as long as it does.
    pub(super) fn kernels(&'static self) -> &'static Cuda {
        self.kernels.get_or_init(|| Box::leak(Box::new(Cuda::of(self))))
    }

    /// A number that is zero, for a kernel to report an index in.
    pub(super) fn report(&'static self) -> Result<Memory<u32>, CudaError> {
        let kept = self.reports.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.map_or_else(|| Memory::zeros(self, 1), Ok)
    }

    /// Keeps such a number, which is still zero, for the next.
    pub(super) fn keep_report(&self, zero: Memory<u32>) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(zero);
    }

    /// Gives back what was freed and kept, so that what is free is known. A driver that cannot kept nothing.
    ///
    /// # Errors
    /// If some of the work that was asked for failed.
    #[allow(unsafe_code)]
    pub fn give_back(&self) -> Result<(), CudaError> {
        self.synchronize()?;
        let give = || {
            // SAFETY: the device is that of the context.
            let pool = unsafe { result::device::get_default_mem_pool(self.context.cu_device()) }?;
            // SAFETY: the pool has just been given out; nothing that is in use leaves it.
            unsafe { result::mem_pool::trim_to(pool, 0) }
        };
        self.asked("giving memory back", give).ok();
        Ok(())
    }

    pub(super) fn context(&self) -> &Arc<CudaContext> {
        &self.context
    }

    /// What the driver answers.
    pub(super) fn asked<R>(&self, doing: &str, ask: impl FnOnce() -> Result<R, DriverError>) -> Result<R, CudaError> {
        safely("the CUDA driver", || ask().map_err(|error| failed(doing, error)))
    }

    /// The same for memory, where too little is an error of its own, after which all goes on.
    pub(super) fn asked_for<R>(
        &self,
        bytes: usize,
        ask: impl FnOnce() -> Result<R, DriverError>,
    ) -> Result<R, CudaError> {
        match ask() {
            Ok(memory) => Ok(memory),
            Err(DriverError(CUresult::CUDA_ERROR_OUT_OF_MEMORY)) => {
                let (free, total) = self.memory()?;
                Err(CudaError::Memory { asked: bytes as u64, free, total, fits: None })
            }
            Err(error) => self.asked("taking memory", || Err(error)),
        }
    }
}

/// For what cannot be answered by an error: a kernel's caller.
///
/// # Panics
/// With the words of the error.
#[track_caller]
pub(super) fn done<R>(result: Result<R, CudaError>) -> R {
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

/// The failure that these words of a panic tell.
pub(super) fn failure(words: Option<&str>) -> Option<CudaError> {
    let failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
    failures.iter().find(|(known, _)| Some(known.as_str()) == words).map(|(_, error)| error.clone())
}

/// Has the driver keep what is freed for what is asked for next; of itself, it gives memory back whenever the GPU is waited
/// for. A driver that cannot is slower, and that is all.
#[allow(unsafe_code)]
fn keep_memory(context: &CudaContext) {
    if !context.has_async_alloc() {
        return;
    }
    let keep = || {
        let mut all = u64::MAX;
        let value = (&raw mut all).cast();
        // SAFETY: the device is that of the context.
        let pool = unsafe { result::device::get_default_mem_pool(context.cu_device()) }?;
        // SAFETY: the pool has just been given out, and the value of this attribute is a 64-bit number.
        unsafe { result::mem_pool::set_attribute(pool, CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, value) }
    };
    safely("the CUDA driver", || keep().map_err(|error| failed("keeping memory", error))).ok();
}

/// GPUs are compared by their number: each is opened once.
impl PartialEq for Gpu {
    fn eq(&self, other: &Self) -> bool {
        self.ordinal == other.ordinal
    }
}

impl Eq for Gpu {}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GPU {} ({})", self.ordinal, self.facts.name)
    }
}

impl Facts {
    /// The architecture for which kernels are compiled: of those for which `.ci/cuda` compiles them, the last that the GPU
    /// understands. GPUs understand what was written for earlier ones.
    pub(super) fn architecture(&self) -> &'static str {
        if self.capability.major >= 9 { "compute_90" } else { "compute_80" }
    }
}
