//! Arrays, kernels and random numbers: what a device can do.
//!
//! ```
//! use tensor::Tensor;
//!
//! let row = Tensor::from([1.0_f32, 2.0, 3.0]);
//! let table = &row + &Tensor::from([[10.0], [20.0]]); // broadcast to [2, 3]
//! assert_eq!(table.sum_axis(1).to_vec(), [36.0, 66.0]);
//! ```
//!
//! In the order in which to read: [`Real`] (the scalars) and [`Dual`] (a scalar that carries a derivative), [`Shape`]
//! and [`Index`], [`Tensor`] and the [`View`]s that kernels take, [`Kernels`] (the specification), [`Naive`] (the reference) and
//! [`Fast`] (what runs). This crate knows nothing of tapes, policies or tasks.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod cpu;
mod cuda;
mod data;
mod device;
mod dual;
mod duals;
mod elementary;
mod index;
mod kernels;
mod map;
mod ops;
pub mod par;
pub mod philox;
#[cfg(feature = "std")]
pub mod profile;
mod real;
mod shape;
mod storage;
mod tensor;
mod view;

pub use cpu::{Fast, Naive, UnknownKernels, available_kernels, choose_kernels, default_kernels};
#[cfg(feature = "cuda")]
pub use cuda::Gpu;
pub use cuda::{CudaError, CudaVersion, Sgemm, cuda_failed};
#[cfg(feature = "std")]
pub use cuda::{CudaSurvey, GpuFound, catch_cuda, cuda_survey};
pub use device::Device;
pub use dual::Dual;
pub use index::Index;
pub use kernels::{AdamStep, Binary, Form, Kernels, Reduce};
pub use map::Map;
pub use real::{Element, Real};
pub use shape::{MAX_RANK, Shape};
pub use tensor::Tensor;
pub use view::{View, ViewMut};

/// The caller's own kernels on a GPU, with the feature `cuda`: [`gpu_kernels!`] declares them, [`Launch`](gpu::Launch) calls them, and
/// [`Graph`](gpu::Graph) records launches. The one unsafe step is making a launch: a kernel believes its arguments.
#[cfg(feature = "cuda")]
pub mod gpu {
    pub use crate::cuda::{Argument, Define, Graph, Kernel, Launch, Memory, Queue, Source, count_of, pair};
}
