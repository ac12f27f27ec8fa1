//! The devices that hold tensors and run kernels.

use core::fmt;

#[cfg(feature = "cuda")]
use crate::cuda::{self, Gpu};
use crate::cuda::{CudaError, CudaVersion};
use crate::kernels::Kernels;
use crate::real::Real;

/// A device: the host, or a GPU.
///
/// Every program has the host. [`Device::cuda`] opens a GPU by its number, and its error says what is missing:
///
/// ```
/// use tensor::{Device, Map, Tensor};
///
/// let device = Device::cuda(0).unwrap_or_else(|error| {
///     eprintln!("{error}");
///     Device::Host
/// });
/// let x = Tensor::from([1.0_f32, 2.0]).to(device)?;
/// let mut y = Tensor::zeros_on(device, [2])?;
/// x.kernels().map(Map::Neg, x.view(), y.view_mut()); // computes on the device of x
/// assert_eq!(y.to_vec(), [-1.0, -2.0]);
/// # Ok::<(), tensor::CudaError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// The CPU and its memory.
    #[default]
    Host,
    /// A GPU, with the feature `cuda`.
    #[cfg(feature = "cuda")]
    Cuda(&'static Gpu),
}

impl Device {
    /// Returns the GPU of this number, in the driver's order.
    ///
    /// The first call opens the GPU, which stays open. It compiles the kernels for common work, or loads them from the cache of
    /// an earlier process.
    ///
    /// # Errors
    /// If the feature `cuda`, the driver, the GPU or NVRTC is missing, is too old, or fails.
    pub fn cuda(ordinal: usize) -> Result<Self, CudaError> {
        #[cfg(feature = "cuda")]
        return Gpu::open(ordinal).map(Self::Cuda);
        #[cfg(not(feature = "cuda"))]
        {
            let _ = ordinal;
            Err(CudaError::NotBuilt)
        }
    }

    /// True if this is the host.
    pub fn is_host(self) -> bool {
        self == Self::Host
    }

    /// Waits until the GPU has finished all work in its queue. On the host this returns at once.
    ///
    /// # Errors
    /// If some of the work failed.
    pub fn synchronize(self) -> Result<(), CudaError> {
        match self {
            Self::Host => Ok(()),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => gpu.synchronize(),
        }
    }

    /// The name of the GPU; `None` on the host.
    pub fn gpu_name(self) -> Option<&'static str> {
        match self {
            Self::Host => None,
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => Some(gpu.name()),
        }
    }

    /// The compute capability of the GPU and the version of its driver; `None` on the host.
    pub fn gpu_versions(self) -> Option<[CudaVersion; 2]> {
        match self {
            Self::Host => None,
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => Some([gpu.compute_capability(), gpu.driver_version()]),
        }
    }

    /// The peak `f32` throughput of the GPU in flop/s, without tensor cores. It follows from the number of cores and
    /// the highest clock rate that the driver reports; `None` if either is unknown.
    pub fn gpu_flops(self) -> Option<f64> {
        match self {
            Self::Host => None,
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => gpu.flops(),
        }
    }

    /// The kernels of this device. On the host these are the kernels of [`Real::kernels`], or the fastest ones if
    /// [`Real::kernels`] are those of a GPU.
    ///
    /// # Errors
    /// If the GPU does not support the scalar type. Dual numbers exist only on the host.
    pub fn kernels<T: Real>(self) -> Result<&'static dyn Kernels<T>, CudaError> {
        match self {
            Self::Host => Ok(T::host_kernels()),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => cuda::kernels(gpu),
        }
    }
}

/// Prints `cpu`, or `cuda:0` for GPU 0.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("cpu"),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => write!(f, "cuda:{}", gpu.ordinal()),
        }
    }
}
