//! Tensors, the kernels that compute on them, and random numbers, for the CPU and for GPUs.
//!
//! ```
//! use tensor::{Map, Tensor};
//!
//! fn main() -> Result<(), tensor::UnknownKernels> {
//!     println!("computing with the kernels '{}'", tensor::default_kernels()?.name());
//!
//!     // A dense layer, y = tanh(x·W + b), for a batch of two.
//!     let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
//!     let w = Tensor::from([[0.5, 0.0, -0.5], [0.0, 0.25, 0.25]]);
//!     let b = Tensor::from([0.0, 0.5, 0.0]); // broadcasts to both rows
//!     let y = (x.matmul(&w) + b).map(Map::Tanh);
//!     println!("{y}");
//!     assert_eq!(&y.shape()[..], [2, 3]);
//!     assert_eq!(y.get(&[0, 2]), 0.0); // tanh(1·(−0.5) + 2·0.25 + 0)
//!     Ok(())
//! }
//! ```
//!
//! Read the modules in this order:
//! 1. [`Real`], the scalar types, and [`Dual`], a scalar that carries a derivative.
//! 2. [`Shape`] and [`Index`].
//! 3. [`Tensor`], and [`View`], a borrowed tensor that a kernel takes.
//! 4. [`Kernels`], the specification; [`Naive`], the reference; [`Fast`] and [`available_kernels`], the fast implementations.
//!
//! This crate has no tapes, policies or tasks; other crates build these on it.
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
mod print;
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
pub use cuda::{CudaError, CudaVersion, Sgemm, raise_cuda_error};
#[cfg(feature = "std")]
pub use cuda::{CudaSurvey, GpuInfo, catch_cuda_error, survey_cuda};
pub use device::Device;
pub use dual::Dual;
pub use index::Index;
pub use kernels::{AdamStep, Binary, Form, Kernels, Reduce};
pub use map::Map;
pub use real::{Element, Real};
pub use shape::{MAX_RANK, Shape};
pub use tensor::Tensor;
pub use view::{View, ViewMut};

/// Custom kernels on a GPU, with the feature `cuda`: [`gpu_kernels!`] declares them, [`Launch`](gpu::Launch) calls them, and
/// [`Graph`](gpu::Graph) records launches. Only creating a launch is unsafe, because a kernel trusts its arguments.
#[cfg(feature = "cuda")]
pub mod gpu {
    pub use crate::cuda::{
        Argument, Define, DeviceBuffer, GpuStream, Graph, Kernel, Launch, Source, checked_count, pack_pair,
    };
}
