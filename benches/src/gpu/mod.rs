//! A graphics card beside the processor: looking for it, waiting for it, and the same work on both.

mod clock;
mod work;

use std::iter::once;

use tensor::{CudaError, Device, Kernels};

pub use clock::seconds;
pub use work::{Adam, Gates, LogSoftmax, Product};

/// The name of the GPU that `kernels/host` pretends to be.
const EMULATED: &str = "gradus emulator";

/// A GPU that is open.
#[derive(Clone, Copy, Debug)]
pub struct Gpu {
    /// Where tensors are brought.
    pub device: Device,
    /// Whether it is none: kernels run on the processor, under an emulated driver. Then times mean nothing, and sizes should be
    /// small.
    pub emulated: bool,
}

impl Gpu {
    /// The GPU of this number.
    ///
    /// # Errors
    /// If something is missing, which the error names.
    pub fn open(ordinal: usize) -> Result<Self, CudaError> {
        let device = Device::cuda(ordinal)?;
        Ok(Self { device, emulated: device.gpu_name() == Some(EMULATED) })
    }

    /// Its kernels.
    ///
    /// # Panics
    /// If it is the host, which [`open`](Self::open) never gives.
    pub fn kernels(&self) -> &'static dyn Kernels<f32> {
        self.device.kernels().expect("a GPU has kernels for f32")
    }

    /// Waits until all is done that it was asked for.
    ///
    /// # Panics
    /// If some of it failed.
    pub fn wait(&self) {
        self.device.synchronize().unwrap_or_else(|error| panic!("{error}"));
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.device.gpu_name().unwrap_or("the processor")
    }

    /// Its name with what else tables say of it: compute capability, and the driver's version.
    pub fn words(&self) -> String {
        let versions = self.device.gpu_versions();
        let versions = versions.map(|[gpu, driver]| format!(", compute capability {gpu}, driver {driver}"));
        format!("{}{}", self.name(), versions.unwrap_or_default())
    }

    /// What it does at most in `f32` without tensor cores, in flops a second, where that is known and it is a GPU.
    pub fn flops(&self) -> Option<f64> {
        self.device.gpu_flops().filter(|_| !self.emulated)
    }
}

/// What `f` gives while the GPU of this number computes wherever nobody asks for other kernels; afterwards that is the
/// processor again. One caller at a time.
///
/// # Panics
/// If there is no such GPU.
pub fn choosing<R>(ordinal: usize, f: impl FnOnce() -> R) -> R {
    /// Gives back, even if `f` panics.
    struct Back(&'static str);
    impl Drop for Back {
        fn drop(&mut self) {
            tensor::choose_kernels(self.0).expect("the processor has these");
        }
    }
    let host: &'static dyn Kernels<f32> = Device::Host.kernels().expect("the host has all numbers");
    let _back = Back(host.name());
    tensor::choose_kernels(&format!("cuda:{ordinal}")).unwrap_or_else(|error| panic!("{error}"));
    f()
}

/// Who computes: the processor with its fastest kernels, and the GPU; each with its name in tables.
pub fn both(gpu: Gpu) -> impl Iterator<Item = (String, &'static dyn Kernels<f32>)> {
    let host: &'static dyn Kernels<f32> = Device::Host.kernels().expect("the host has all numbers");
    once((format!("cpu, {}", host.name()), host)).chain(once((gpu.name().to_owned(), gpu.kernels())))
}
