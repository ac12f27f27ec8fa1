//! The devices: where tensors lie, and where kernels run.

use core::fmt;

#[cfg(feature = "cuda")]
use crate::cuda::{self, Gpu};
use crate::cuda::{CudaError, CudaVersion};
use crate::kernels::Kernels;
use crate::real::Real;

/// A device: the host, or a graphics card.
///
/// Every program has the host. A GPU is asked for by its number, and whatever is missing is an error that says so:
///
/// ```
/// use tensor::{Device, Tensor};
///
/// let device = Device::cuda(0).unwrap_or_else(|missing| {
///     eprintln!("{missing}");
///     Device::Host
/// });
/// let x = Tensor::from([1.0_f32, 2.0]).to(device)?;
/// assert_eq!((&x + &x).to_vec(), [2.0, 4.0]); // computed where x lies
/// # Ok::<(), tensor::CudaError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// The processor, with its memory.
    #[default]
    Host,
    /// A GPU. Only with the feature `cuda`.
    #[cfg(feature = "cuda")]
    Cuda(&'static Gpu),
}

impl Device {
    /// The GPU of this number, as the driver counts them.
    ///
    /// It is opened when it is first asked for, and stays open: its kernels for common work are compiled, or found in the
    /// cache where an earlier process left them.
    ///
    /// # Errors
    /// If something is missing: the feature `cuda`, the driver, the GPU, or NVRTC; or if it is too old, or fails.
    pub fn cuda(ordinal: usize) -> Result<Self, CudaError> {
        #[cfg(feature = "cuda")]
        return Gpu::open(ordinal).map(Self::Cuda);
        #[cfg(not(feature = "cuda"))]
        {
            let _ = ordinal;
            Err(CudaError::NotBuilt)
        }
    }

    /// Whether this is the host.
    pub fn is_host(self) -> bool {
        self == Self::Host
    }

    /// Waits until all is done that a GPU was asked for; the host is never behind.
    ///
    /// # Errors
    /// If some of it failed.
    pub fn synchronize(self) -> Result<(), CudaError> {
        match self {
            Self::Host => Ok(()),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => gpu.synchronize(),
        }
    }

    /// A GPU's name.
    pub fn gpu_name(self) -> Option<&'static str> {
        match self {
            Self::Host => None,
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => Some(gpu.name()),
        }
    }

    /// The compute capability of a GPU, and the version of its driver.
    pub fn gpu_versions(self) -> Option<[CudaVersion; 2]> {
        match self {
            Self::Host => None,
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => Some([gpu.capability(), gpu.driver()]),
        }
    }

    /// What a GPU does at most in `f32` without tensor cores, in flops a second: by its cores and the highest clock that the
    /// driver names. `None` where either is not known.
    pub fn gpu_flops(self) -> Option<f64> {
        match self {
            Self::Host => None,
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => gpu.flops(),
        }
    }

    /// The kernels of this device; on the host, those that [`Real::kernels`] gives, or if these are a GPU's, the fastest.
    ///
    /// # Errors
    /// If a GPU does not have such numbers: duals exist on the host alone.
    pub fn kernels<T: Real>(self) -> Result<&'static dyn Kernels<T>, CudaError> {
        match self {
            Self::Host => Ok(T::host_kernels()),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => cuda::kernels(gpu),
        }
    }
}

/// `cpu`, or a GPU as `cuda:0`.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("cpu"),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => write!(f, "cuda:{}", gpu.ordinal()),
        }
    }
}
