//! Kernel launches with their arguments and grids; and kernel calls on tensors, whose operands are copied to the GPU if needed.
#![allow(unsafe_code)] // creating and running a launch

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::env;

use cudarc::driver::{CudaFunction, CudaStream, DeviceRepr, LaunchConfig, PushKernelArg};

use super::error::CudaError;
use super::gpu::{Gpu, expect_driver};
use super::memory::{DeviceBuffer, Scalar};
use super::modules::{Define, Entry, Kernel};
use super::probe::GpuProperties;
use crate::data::{Data, DataMut};
use crate::real::Element;
use crate::shape::{Layout, MAX_RANK};
use crate::view::{View, ViewMut};

/// The size of the largest kernel argument, a struct, in 64-bit words.
const WORDS: usize = 11;

/// A kernel argument as the driver reads it: a number or a struct. The fields of a struct fill 64-bit words from the lowest
/// bits up.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Argument([u64; WORDS]);

// SAFETY: an array of integers is plain data.
unsafe impl DeviceRepr for Argument {}

// The driver reads a 32-bit number from the first bytes of its word.
const _: () = assert!(cfg!(target_endian = "little"));

/// Converts the words of a struct.
impl<const N: usize> From<[u64; N]> for Argument {
    fn from(words: [u64; N]) -> Self {
        const { assert!(N <= WORDS) };
        let mut all = [0; WORDS];
        all[..N].copy_from_slice(&words);
        Self(all)
    }
}

/// Converts a buffer to its address on the GPU.
impl<T: Element> From<&DeviceBuffer<T>> for Argument {
    fn from(memory: &DeviceBuffer<T>) -> Self {
        memory.address(0).into()
    }
}

/// Converts numbers, each to one word.
macro_rules! numbers {
    ($($number:ty: $x:ident => $bits:expr;)*) => {$(
        impl From<$number> for Argument {
            fn from($x: $number) -> Self {
                [$bits].into()
            }
        }
    )*};
}
numbers! {
    u64: x => x;
    u32: x => x.into();
    i32: x => x.cast_unsigned().into();
    f64: x => x.to_bits();
    f32: x => x.to_bits().into();
}

/// Packs two 32-bit numbers into a word in the order of their memory layout.
pub const fn pack_pair(first: u32, second: u32) -> u64 {
    first as u64 | (second as u64) << 32
}

/// The largest extent of an axis. Threads and tiles step past it by at most 1023, so that 32-bit counters do not overflow.
const MAX_EXTENT: u32 = u32::MAX - 1023;

/// Converts a number of elements, rows, columns or episodes to the kernels' 32-bit count.
///
/// # Panics
/// If it is larger than 2³² − 1024.
#[track_caller]
pub fn checked_count(what: &dyn fmt::Display, n: usize) -> u32 {
    let count = u32::try_from(n).ok().filter(|&n| n <= MAX_EXTENT);
    count.unwrap_or_else(|| panic!("{what}: {n} along an axis, where kernels of a GPU count up to {MAX_EXTENT}"))
}

/// Encodes a tensor as the kernels' `struct Tensor` and `struct Indices` (kernels/common.cuh): the address of the first
/// element, or 0 if absent; four extents, outermost first, padded with leading 1s; and four strides in elements, padded with
/// leading 0s.
#[track_caller]
fn encode_operand(data: u64, layout: &Layout) -> [u64; 7] {
    let (mut n, mut s) = ([1; MAX_RANK], [0; MAX_RANK]);
    let lead = MAX_RANK - layout.shape.rank();
    for (axis, &extent) in layout.shape.iter().enumerate() {
        n[lead + axis] = checked_count(&layout.shape, extent);
        s[lead + axis] = (layout.strides[axis] as i64).cast_unsigned();
    }
    [data, pack_pair(n[0], n[1]), pack_pair(n[2], n[3]), s[0], s[1], s[2], s[3]]
}

/// The operand of an absent argument.
const ABSENT: [u64; 7] = [0, pack_pair(1, 1), pack_pair(1, 1), 0, 0, 0, 0];

/// The maximum grid size.
pub(super) struct GridLimits {
    blocks: u64,
}

/// The environment variable that sets the maximum number of blocks. Kernels work on any grid, and tests try several.
const BLOCKS: &str = "GRADUS_CUDA_BLOCKS";

impl GridLimits {
    /// 16 blocks for each multiprocessor, unless the environment variable sets another number. A block loops over its parts of
    /// the work.
    pub(super) fn new(properties: &GpuProperties) -> Self {
        let requested = env::var(BLOCKS).ok().and_then(|text| text.parse().ok());
        Self { blocks: requested.unwrap_or(16 * u64::from(properties.multiprocessors)).clamp(1, 1 << 30) }
    }

    /// The maximum number of blocks in a grid.
    pub(super) fn blocks(&self) -> usize {
        self.blocks as usize
    }
}

/// Checks that NVRTC and the driver work together by compiling and loading the first kernel.
///
/// # Errors
/// If compiling or loading fails.
pub(super) fn check_compiler(gpu: &'static Gpu) -> Result<(), CudaError> {
    gpu.modules.function(gpu, Entry::Map, Scalar::F32, &[]).map(drop)
}

/// A CUDA stream: launches and copies run on the GPU in the order in which they were submitted.
#[derive(Clone)]
pub struct GpuStream {
    gpu: &'static Gpu,
    stream: Arc<CudaStream>,
}

impl GpuStream {
    /// Returns the GPU's main stream, on which memory is allocated, cleared, written, read and freed.
    pub fn default_for(gpu: &'static Gpu) -> Self {
        Self { gpu, stream: gpu.stream.clone() }
    }

    /// Creates a stream that is independent of the GPU's other streams.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn new(gpu: &'static Gpu) -> Result<Self, CudaError> {
        let stream = gpu.call_driver("creating a stream", || gpu.context().new_stream())?;
        Ok(Self { gpu, stream })
    }

    /// Waits until all work of this stream is done.
    ///
    /// # Errors
    /// If some of this work failed.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.gpu.call_driver("waiting for the GPU's work", || self.stream.synchronize())
    }

    pub(super) fn gpu(&self) -> &'static Gpu {
        self.gpu
    }

    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }
}

/// A kernel launch with its arguments, which can run any number of times.
pub struct Launch {
    gpu: &'static Gpu,
    kernel: &'static Kernel,
    function: CudaFunction,
    config: LaunchConfig,
    args: Vec<Argument>,
}

impl Launch {
    /// Creates a launch of a kernel for the scalar type `T`, whose file is compiled with `defines`. A block has `threads`
    /// threads. The grid has at most one block for each of `parts` parts of the work.
    ///
    /// # Errors
    /// If NVRTC or the driver rejects the kernel.
    ///
    /// # Safety
    /// The arguments must match the kernel's source in order, size and layout. The memory behind pointer arguments must exist,
    /// in the size that the kernel expects, until the launch and every graph that recorded it are dropped and all their work is
    /// done. A block must have the number of threads for which the kernel is written.
    pub unsafe fn new<T: Element>(
        gpu: &'static Gpu,
        kernel: &'static Kernel,
        defines: &[Define],
        [parts, threads]: [usize; 2],
        args: Vec<Argument>,
    ) -> Result<Self, CudaError> {
        // SAFETY: as the caller has promised.
        unsafe { Self::for_scalar(gpu, kernel, Scalar::from_type::<T>()?, defines, [parts, threads], args) }
    }

    /// As [`new`](Self::new), with the scalar type as a value.
    ///
    /// # Safety
    /// As [`new`](Self::new).
    unsafe fn for_scalar(
        gpu: &'static Gpu,
        kernel: &'static Kernel,
        scalar: Scalar,
        defines: &[Define],
        [parts, threads]: [usize; 2],
        args: Vec<Argument>,
    ) -> Result<Self, CudaError> {
        let function = gpu.modules.function(gpu, kernel, scalar, defines)?;
        let blocks = parts.clamp(1, gpu.limits.blocks()) as u32;
        let config = LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (threads as u32, 1, 1), shared_mem_bytes: 0 };
        Ok(Self { gpu, kernel, function, config, args })
    }

    /// Runs the launch on a stream.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the stream belongs to another GPU.
    pub fn run(&self, stream: &GpuStream) -> Result<(), CudaError> {
        assert!(stream.gpu == self.gpu, "a launch on {:?}, on a stream of {:?}", self.gpu, stream.gpu);
        self.gpu.call_driver(self.kernel.running, || {
            let mut launch = stream.stream.launch_builder(&self.function);
            for arg in &self.args {
                launch.arg(arg);
            }
            // SAFETY: the creator of this launch has promised what the kernel needs: see `new`.
            unsafe { launch.launch(self.config) }.map(drop)
        })
    }

    /// Loads the kernel now. Some drivers otherwise load a kernel at its first launch.
    pub(super) fn load(&self) -> Result<(), CudaError> {
        let Self { gpu, kernel, function, config, .. } = self;
        let threads = config.block_dim.0;
        gpu.call_driver(kernel.running, || function.occupancy_max_active_blocks_per_multiprocessor(threads, 0, None))
            .map(drop)
    }
}

/// An action that follows a launch.
type After<'a> = Box<dyn FnOnce() -> Result<(), CudaError> + 'a>;

/// Builds a kernel call. Operands on other devices are copied to the GPU before the launch, and results back after it.
///
/// # Panics
/// All methods panic with the error's text if the GPU fails, because kernels have no results.
pub(super) struct Call<'a> {
    gpu: &'static Gpu,
    kernel: &'static Kernel,
    scalar: Scalar,
    args: Vec<Argument>,
    after: Vec<After<'a>>,
}

impl<'a> Call<'a> {
    /// Starts a call of a kernel for the scalar type `T`.
    #[track_caller]
    pub(super) fn new<T: Element>(gpu: &'static Gpu, kernel: &'static Kernel) -> Self {
        Self {
            gpu,
            kernel,
            scalar: expect_driver(Scalar::from_type::<T>()),
            args: Vec::with_capacity(12),
            after: Vec::new(),
        }
    }

    fn push(mut self, arg: impl Into<Argument>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(super) fn int(self, n: i32) -> Self {
        self.push(n)
    }

    pub(super) fn count(self, n: u32) -> Self {
        self.push(n)
    }

    pub(super) fn size(self, n: u64) -> Self {
        self.push(n)
    }

    /// Adds a number that is a `double` for every scalar type.
    pub(super) fn double(self, x: f64) -> Self {
        self.push(x)
    }

    /// Adds a buffer on the GPU by its address.
    pub(super) fn memory<T: Element>(self, memory: &DeviceBuffer<T>) -> Self {
        self.push(memory)
    }

    /// Adds a number of the kernel's scalar type.
    pub(super) fn number(self, x: f64) -> Self {
        if self.scalar == Scalar::F32 { self.push(x as f32) } else { self.push(x) }
    }

    /// Adds a tensor on this GPU that is row-major without gaps, for a kernel that takes no strides.
    #[track_caller]
    pub(super) fn elements<T: Element>(self, view: View<'a, T>) -> Self {
        let (data, layout) = view.data_and_layout();
        self.place(data, layout)
    }

    /// As [`elements`](Self::elements), for a tensor that the kernel writes.
    #[track_caller]
    pub(super) fn elements_mut<T: Element>(self, view: ViewMut<'a, T>) -> Self {
        let (data, layout) = view.into_data_and_layout();
        self.place(data.as_data(), &layout)
    }

    #[track_caller]
    fn place<T: Element>(self, data: Data<T>, layout: &Layout) -> Self {
        let Data::Gpu(memory) = data else { panic!("{} lies on the host, not on {:?}", layout.shape, self.gpu) };
        assert!(memory.gpu() == self.gpu, "{} lies on {:?}, not on {:?}", layout.shape, memory.gpu(), self.gpu);
        assert!(layout.is_contiguous(), "{} has gaps", layout.shape);
        let [place, ..] = operand_in(memory, layout);
        self.push(place)
    }

    /// Adds a tensor that the kernel reads.
    #[track_caller]
    pub(super) fn read<T: Element>(mut self, view: View<'a, T>) -> Self {
        let (data, layout) = view.data_and_layout();
        let operand = match data {
            Data::Gpu(memory) if memory.gpu() == self.gpu => operand_in(memory, layout),
            _ => {
                let (memory, within) = expect_driver(copy_to_gpu(self.gpu, data, layout));
                let operand = operand_in(&memory, &within);
                self.after.push(Box::new(move || {
                    drop(memory);
                    Ok(())
                }));
                operand
            }
        };
        self.push(operand)
    }

    /// Adds an optional tensor that the kernel reads.
    #[track_caller]
    pub(super) fn read_optional<T: Element>(self, view: Option<View<'a, T>>) -> Self {
        match view {
            Some(view) => self.read(view),
            None => self.push(ABSENT),
        }
    }

    /// Adds a tensor that the kernel writes.
    #[track_caller]
    pub(super) fn write<T: Element>(mut self, view: ViewMut<'a, T>) -> Self {
        let (data, layout) = view.into_data_and_layout();
        let operand = match data {
            DataMut::Gpu(memory, _) if memory.gpu() == self.gpu => operand_in(memory, &layout),
            data => {
                // The gaps are copied too, in both directions.
                let (memory, within) = expect_driver(copy_to_gpu(self.gpu, data.as_data(), &layout));
                let operand = operand_in(&memory, &within);
                let (span, _) = layout.span();
                self.after.push(Box::new(move || match data {
                    DataMut::Host(slice) => memory.read_to(0, &mut slice[span]),
                    DataMut::Gpu(theirs, _) => theirs.write(span.start, &memory.read(0..span.len())?),
                }));
                operand
            }
        };
        self.push(operand)
    }

    /// Adds an optional tensor that the kernel writes.
    #[track_caller]
    pub(super) fn write_optional<T: Element>(self, view: Option<ViewMut<'a, T>>) -> Self {
        match view {
            Some(view) => self.write(view),
            None => self.push(ABSENT),
        }
    }

    /// Runs the call on at most `blocks` blocks, one for each part of the work. Without work, nothing is launched.
    #[track_caller]
    pub(super) fn run(self, blocks: usize) {
        let Self { gpu, kernel, scalar, args, after } = self;
        if blocks > 0 {
            let grid = [blocks, kernel.threads as usize];
            // SAFETY: the functions of `kernels` give each kernel the arguments that its source declares. Operands were checked
            // to lie inside their memory, which is this GPU's. Nobody else borrows the results. Memory freed meanwhile is freed
            // in the order of the GPU's stream. Kernels write only to their operands.
            let launch = unsafe { Launch::for_scalar(gpu, kernel, scalar, &[], grid, args) };
            expect_driver(launch.and_then(|launch| launch.run(&GpuStream::default_for(gpu))));
        }
        after.into_iter().for_each(|after| expect_driver(after()));
    }
}

/// Encodes a tensor in this buffer.
///
/// # Panics
/// If the layout exceeds the buffer.
#[track_caller]
fn operand_in<T: Element>(memory: &DeviceBuffer<T>, layout: &Layout) -> [u64; 7] {
    layout.assert_inside(memory.len());
    encode_operand(memory.address(if layout.shape.size() == 0 { 0 } else { layout.offset }), layout)
}

/// Copies the part of a buffer that a layout spans to a GPU. Returns the copy and the layout within it.
fn copy_to_gpu<T: Element>(
    gpu: &'static Gpu,
    from: Data<T>,
    layout: &Layout,
) -> Result<(DeviceBuffer<T>, Layout), CudaError> {
    let (span, within) = layout.span();
    let memory = match from {
        Data::Host(slice) => DeviceBuffer::from_slice(gpu, &slice[span]),
        Data::Gpu(memory) => DeviceBuffer::from_slice(gpu, &memory.read(span)?),
    };
    Ok((memory?, within))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encode_operand_without_elements_has_zero_strides() {
        let nothing = crate::Tensor::<f32>::zeros([3, 4, 2]).flip(0).slice(1, 2..2);
        let operand = encode_operand(16, nothing.view().data_and_layout().1);
        assert_eq!(operand, [16, pack_pair(1, 3), pack_pair(0, 2), 0, 0, 0, 0]);
    }

    #[test]
    fn checked_count_accepts_the_largest_extent() {
        assert_eq!(checked_count(&"x", 0), 0);
        assert_eq!(checked_count(&"x", 4_294_966_272), 4_294_966_272);
    }

    #[test]
    #[should_panic(expected = "x: 4294966273 along an axis, where kernels of a GPU count up to 4294966272")]
    fn checked_count_refuses_one_more() {
        checked_count(&"x", 4_294_966_273);
    }

    /// In 32 bits this number would be 1.
    #[test]
    #[cfg(target_pointer_width = "64")]
    #[should_panic(expected = "x: 4294967297 along an axis, where kernels of a GPU count up to 4294966272")]
    fn checked_count_refuses_more_than_32_bits() {
        checked_count(&"x", (1 << 32) + 1);
    }
}
