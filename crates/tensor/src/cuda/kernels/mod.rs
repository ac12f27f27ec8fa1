//! The kernels on a GPU. The trait [`Kernels`] is implemented by calls of the kernels in the folder kernels/, whose sources
//! explain what they compute.
//!
//! Each function states the amount of work; a grid of any size can do it, see [`Call::run`](super::launch::Call::run). The
//! module `random` is not part of the trait.

mod elementwise;
mod gru;
mod index;
mod matmul;
mod norm;
mod optim;
mod random;
mod reduce;
mod softmax;

use core::any::{Any, type_name};

use super::error::CudaError;
use super::gpu::{Gpu, expect_driver};
use super::launch::{Call, checked_count};
use super::memory::DeviceBuffer;
use super::modules::Entry;
use crate::device::Device;
use crate::kernels::{AdamStep, Binary, Form, Kernels, Reduce, forward_kernels};
use crate::map::Map;
use crate::real::Real;
use crate::shape::Shape;
use crate::view::{View, ViewMut};

pub(super) use elementwise::{copy, fill, map};

/// Returns the kernels of a GPU for the scalar type `T`.
///
/// # Errors
/// If a GPU has no kernels for this type.
pub(crate) fn kernels<T: Real>(gpu: &'static Gpu) -> Result<&'static dyn Kernels<T>, CudaError> {
    let cuda = gpu.kernels();
    let (single, double): (&'static dyn Kernels<f32>, &'static dyn Kernels<f64>) = (cuda, cuda);
    let same = |kernels: &dyn Any| kernels.downcast_ref::<&'static dyn Kernels<T>>().copied();
    same(&single).or_else(|| same(&double)).ok_or(CudaError::Scalar { name: type_name::<T>() })
}

/// Returns the number of parts of size `each` in some work.
fn count_parts(work: usize, each: usize) -> usize {
    work.div_ceil(each)
}

/// Calls a kernel that reports an out-of-range index instead of using it. Panics if it reports one.
#[track_caller]
fn call_checking_indices<'a>(
    gpu: &'static Gpu,
    what: &str,
    shape: Shape,
    call: impl FnOnce(&DeviceBuffer<u32>) -> (Call<'a>, usize),
) {
    let bad = expect_driver(gpu.take_index_report());
    let (call, blocks) = call(&bad);
    call.run(blocks);
    if blocks > 0 {
        let worst = bad.get(0);
        assert!(worst == 0, "{what}: index {} is outside {shape}", worst.wrapping_sub(1));
    }
    gpu.return_index_report(bad);
}

/// The scalar types that a GPU computes with.
trait OnGpu: Real {}
impl OnGpu for f32 {}
impl OnGpu for f64 {}

/// The kernels of a GPU.
pub(super) struct CudaKernels(&'static Gpu);

impl CudaKernels {
    pub(super) fn new(gpu: &'static Gpu) -> Self {
        Self(gpu)
    }
}

/// Maps a trait method to its call: the softmax family shares one function; any other kernel has the function of its name. The
/// GPU is the first argument.
macro_rules! call {
    ($self:ident, softmax::softmax($x:ident, $y:ident)) => { softmax::launch_rows($self.0, Entry::Softmax, [$x], $y) };
    ($self:ident, softmax::softmax_backward($y:ident, $dy:ident, $dx:ident)) => {
        softmax::launch_rows($self.0, Entry::SoftmaxBackward, [$y, $dy], $dx)
    };
    ($self:ident, softmax::log_softmax($x:ident, $y:ident)) => { softmax::launch_rows($self.0, Entry::LogSoftmax, [$x], $y) };
    ($self:ident, softmax::log_softmax_backward($y:ident, $dy:ident, $dx:ident)) => {
        softmax::launch_rows($self.0, Entry::LogSoftmaxBackward, [$y, $dy], $dx)
    };
    ($self:ident, softmax::logsumexp($x:ident, $y:ident)) => { softmax::launch_rows($self.0, Entry::Logsumexp, [$x], $y) };
    ($self:ident, softmax::logsumexp_backward($x:ident, $y:ident, $dy:ident, $dx:ident)) => {
        softmax::launch_rows($self.0, Entry::LogsumexpBackward, [$x, $y, $dy], $dx)
    };
    ($self:ident, $family:ident::$kernel:ident($($arg:ident),*)) => { $family::$kernel($self.0, $($arg),*) };
}

impl<T: OnGpu> Kernels<T> for CudaKernels {
    fn name(&self) -> &'static str {
        "cuda"
    }
    fn device(&self) -> Device {
        Device::Cuda(self.0)
    }
    forward_kernels! { call }
}
