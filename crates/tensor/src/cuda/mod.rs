//! A graphics card as a second device, by NVIDIA's driver.
//!
//! Nothing of CUDA is needed to build this: the driver is looked for when a GPU is first asked for ([`Device::cuda`](crate::Device::cuda)), and
//! the kernels, which are sources in this binary, are compiled for the GPU that is found.
//!
//! Reading order: `error` (what can be missing), `probe` (looking for it), `gpu` (a GPU that is open),
//! `memory` (what lies there), `modules` (compiled kernels, and their cache), `launch` (a call: its operands, its grid),
//! `kernels` (the trait, a call or two for each method), and `graph` (recorded launches). [`gpu`](crate::gpu) declares and launches kernels
//! that are not in the trait.

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
mod probe;
#[cfg(feature = "cuda")]
mod quiet;
mod sgemm;
#[cfg(feature = "std")]
mod survey;
#[cfg(feature = "cuda")]
mod transfer;

pub use error::{CudaError, CudaVersion};
#[cfg(feature = "std")]
pub use failure::catch_cuda;
pub use failure::cuda_failed;
#[cfg(feature = "cuda")]
pub use gpu::Gpu;
#[cfg(feature = "cuda")]
pub use graph::Graph;
#[cfg(feature = "cuda")]
pub use launch::{Argument, Launch, Queue, count_of, pair};
#[cfg(feature = "cuda")]
pub use memory::Memory;
#[cfg(feature = "cuda")]
pub use modules::{Define, Kernel, Source};
pub use sgemm::Sgemm;
#[cfg(feature = "std")]
pub use survey::{CudaSurvey, GpuFound, cuda_survey};

#[cfg(feature = "cuda")]
pub(crate) use kernels::kernels;
#[cfg(feature = "cuda")]
pub(crate) use transfer::{apply, assign, fill, grow, packed, read, to_vec};
