//! The kernels on a GPU: [`Kernels`] in calls of those in the folder kernels/, where what they compute is told.
//!
//! Each function states the amount of work; grids of any size do it, see [`Call::run`](super::launch::Call::run). `random` is
//! outside the trait.

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
use super::gpu::{Gpu, done};
use super::launch::{Call, count_of};
use super::memory::Memory;
use super::modules::Entry;
use crate::device::Device;
use crate::kernels::{AdamStep, Binary, Form, Kernels, Reduce, forward_kernels};
use crate::map::Map;
use crate::real::Real;
use crate::shape::Shape;
use crate::view::{View, ViewMut};

pub(super) use elementwise::{copy, fill, map};

/// The kernels of a GPU for scalars `T`.
///
/// # Errors
/// If it has none for them.
pub(crate) fn kernels<T: Real>(gpu: &'static Gpu) -> Result<&'static dyn Kernels<T>, CudaError> {
    let cuda = gpu.kernels();
    let (single, double): (&'static dyn Kernels<f32>, &'static dyn Kernels<f64>) = (cuda, cuda);
    let same = |kernels: &dyn Any| kernels.downcast_ref::<&'static dyn Kernels<T>>().copied();
    same(&single).or_else(|| same(&double)).ok_or(CudaError::Scalar { name: type_name::<T>() })
}

/// How many parts of `each` some work has.
fn parts(work: usize, each: usize) -> usize {
    work.div_ceil(each)
}

/// Calls a kernel that reports an index outside instead of following it, and panics if it does.
#[track_caller]
fn checked<'a>(gpu: &'static Gpu, what: &str, shape: Shape, call: impl FnOnce(&Memory<u32>) -> (Call<'a>, usize)) {
    let bad = done(gpu.report());
    let (call, blocks) = call(&bad);
    call.run(blocks);
    if blocks > 0 {
        let worst = bad.get(0);
        assert!(worst == 0, "{what}: index {} is outside {shape}", worst.wrapping_sub(1));
    }
    gpu.keep_report(bad);
}

/// The scalars that a GPU computes with.
trait OnGpu: Real {}
impl OnGpu for f32 {}
impl OnGpu for f64 {}

/// The kernels of a GPU.
pub(super) struct Cuda(&'static Gpu);

impl Cuda {
    pub(super) fn of(gpu: &'static Gpu) -> Self {
        Self(gpu)
    }
}

/// The softmax family is one function of its entries. Any other kernel is the function of its name. Both take the GPU first.
macro_rules! call {
    ($self:ident, softmax::softmax($x:ident, $y:ident)) => { softmax::rows($self.0, Entry::Softmax, [$x], $y) };
    ($self:ident, softmax::softmax_backward($y:ident, $dy:ident, $dx:ident)) => {
        softmax::rows($self.0, Entry::SoftmaxBackward, [$y, $dy], $dx)
    };
    ($self:ident, softmax::log_softmax($x:ident, $y:ident)) => { softmax::rows($self.0, Entry::LogSoftmax, [$x], $y) };
    ($self:ident, softmax::log_softmax_backward($y:ident, $dy:ident, $dx:ident)) => {
        softmax::rows($self.0, Entry::LogSoftmaxBackward, [$y, $dy], $dx)
    };
    ($self:ident, softmax::logsumexp($x:ident, $y:ident)) => { softmax::rows($self.0, Entry::Logsumexp, [$x], $y) };
    ($self:ident, softmax::logsumexp_backward($x:ident, $y:ident, $dy:ident, $dx:ident)) => {
        softmax::rows($self.0, Entry::LogsumexpBackward, [$x, $y, $dy], $dx)
    };
    ($self:ident, $family:ident::$kernel:ident($($arg:ident),*)) => { $family::$kernel($self.0, $($arg),*) };
}

impl<T: OnGpu> Kernels<T> for Cuda {
    fn name(&self) -> &'static str {
        "cuda"
    }
    fn device(&self) -> Device {
        Device::Cuda(self.0)
    }
    forward_kernels! { call }
}
