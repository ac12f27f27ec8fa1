//! NVIDIA GPUs as a second device, through the CUDA driver.
//!
//! Building this needs no part of CUDA. The driver is loaded at the first request for a GPU
//! ([`Device::cuda`](crate::Device::cuda)). The kernels are sources in this binary, compiled for the GPU that is found.
//!
//! Reading order: `error` (what can be missing), `probe` (finding driver and GPUs), `gpu` (an open GPU), `memory` (buffers on
//! it), `modules` (compiled kernels and their cache), `launch` (a kernel call: operands and grid), `kernels` (the kernel trait,
//! one or two calls for each method), and `graph` (recorded launches). The module [`gpu`](crate::gpu) declares and launches
//! kernels that are not in the trait.

mod error;

#[cfg(feature = "cuda")]
mod cache;
mod failure;
#[cfg(feature = "cuda")]
mod gpu;
#[cfg(feature = "cuda")]
mod graph;
#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
mod launch;
#[cfg(feature = "cuda")]
mod memory;
#[cfg(feature = "cuda")]
mod modules;
#[cfg(feature = "cuda")]
mod panics;
#[cfg(feature = "cuda")]
mod probe;
mod sgemm;
#[cfg(feature = "std")]
mod survey;
#[cfg(feature = "cuda")]
mod transfer;

pub use error::{CudaError, CudaVersion};
#[cfg(feature = "std")]
pub use failure::catch_cuda_error;
pub use failure::raise_cuda_error;
#[cfg(feature = "cuda")]
pub use gpu::Gpu;
#[cfg(feature = "cuda")]
pub use graph::Graph;
#[cfg(feature = "cuda")]
pub use launch::{Argument, GpuStream, Launch, checked_count, pack_pair};
#[cfg(feature = "cuda")]
pub use memory::DeviceBuffer;
#[cfg(feature = "cuda")]
pub use modules::{Define, Kernel, Source};
pub use sgemm::Sgemm;
#[cfg(feature = "std")]
pub use survey::{CudaSurvey, GpuInfo, survey_cuda};

#[cfg(feature = "cuda")]
pub(crate) use kernels::kernels;
#[cfg(feature = "cuda")]
pub(crate) use transfer::{apply, assign, fill, grow, read, to_contiguous, to_vec};
