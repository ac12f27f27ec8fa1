//! The GPU in benchmarks: opening it, waiting for it, and the same work on CPU and GPU.

mod timing;
mod work;

use std::iter::once;

use tensor::{CudaError, Device, Kernels};

pub use timing::median_seconds;
pub use work::{Adam, Gates, LogSoftmax, Product};

/// The name of the emulated GPU of `kernels/host`.
const EMULATED: &str = "gradus emulator";

/// An open GPU.
#[derive(Clone, Copy, Debug)]
pub struct BenchGpu {
    /// The device of the tensors.
    pub device: Device,
    /// True for an emulated GPU: its kernels run on the CPU, under an emulated driver. Its times mean nothing, and sizes
    /// should be small.
    pub emulated: bool,
}

impl BenchGpu {
    /// Opens the GPU with this number.
    ///
    /// # Errors
    /// If something is missing; the error names it.
    pub fn open(ordinal: usize) -> Result<Self, CudaError> {
        let device = Device::cuda(ordinal)?;
        Ok(Self { device, emulated: device.gpu_name() == Some(EMULATED) })
    }

    /// Returns the GPU's kernels.
    ///
    /// # Panics
    /// If the device is the host, which [`open`](Self::open) never returns.
    pub fn kernels(&self) -> &'static dyn Kernels<f32> {
        self.device.kernels().expect("a GPU has kernels for f32")
    }

    /// Waits until all submitted work is done.
    ///
    /// # Panics
    /// If some of the work failed.
    pub fn synchronize(&self) {
        self.device.synchronize().unwrap_or_else(|error| panic!("{error}"));
    }

    /// Returns the GPU's name.
    pub fn name(&self) -> &'static str {
        self.device.gpu_name().unwrap_or("the processor")
    }

    /// Returns the GPU's name with its compute capability and the driver's version, for tables.
    pub fn describe(&self) -> String {
        let versions = self.device.gpu_versions();
        let versions = versions.map(|[gpu, driver]| format!(", compute capability {gpu}, driver {driver}"));
        format!("{}{}", self.name(), versions.unwrap_or_default())
    }

    /// Returns the peak rate in `f32` without tensor cores, in flop/s, if it is known and the GPU is real.
    pub fn flops(&self) -> Option<f64> {
        self.device.gpu_flops().filter(|_| !self.emulated)
    }
}

/// Runs `f` with the kernels of this GPU as the default, and then restores the CPU's. One caller at a time.
///
/// # Panics
/// If there is no such GPU.
pub fn with_gpu_kernels<R>(ordinal: usize, f: impl FnOnce() -> R) -> R {
    /// Restores the default, even if `f` panics.
    struct Restore(&'static str);
    impl Drop for Restore {
        fn drop(&mut self) {
            tensor::choose_kernels(self.0).expect("the processor has these");
        }
    }
    let host: &'static dyn Kernels<f32> = Device::Host.kernels().expect("the host has all numbers");
    let _restore = Restore(host.name());
    tensor::choose_kernels(&format!("cuda:{ordinal}")).unwrap_or_else(|error| panic!("{error}"));
    f()
}

/// Returns the CPU's fastest kernels and the GPU's, each with its name in tables.
pub fn cpu_and_gpu(gpu: BenchGpu) -> impl Iterator<Item = (String, &'static dyn Kernels<f32>)> {
    let host: &'static dyn Kernels<f32> = Device::Host.kernels().expect("the host has all numbers");
    once((format!("cpu, {}", host.name()), host)).chain(once((gpu.name().to_owned(), gpu.kernels())))
}
