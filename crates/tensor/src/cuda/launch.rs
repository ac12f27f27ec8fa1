//! A launch of a kernel with its arguments and its grid; and calls on tensors, whose operands are brought to the GPU.
#![allow(unsafe_code)] // to make a launch, and the launch itself

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::env;

use cudarc::driver::{CudaFunction, CudaStream, DeviceRepr, LaunchConfig, PushKernelArg};

use super::error::CudaError;
use super::gpu::{Gpu, done};
use super::memory::{Memory, Scalar};
use super::modules::{Define, Entry, Kernel};
use super::probe::Facts;
use crate::data::{Data, DataMut};
use crate::real::Element;
use crate::shape::{Layout, MAX_RANK};
use crate::view::{View, ViewMut};

/// The words of the largest struct that a kernel takes.
const WORDS: usize = 11;

/// An argument as the driver reads it: a number or a struct. The fields of a struct fill words of 64 bits from the lowest bits up.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Argument([u64; WORDS]);

// SAFETY: these are plain numbers.
unsafe impl DeviceRepr for Argument {}

// The driver reads a number of 32 bits at the beginning of its word.
const _: () = assert!(cfg!(target_endian = "little"));

/// The words of a struct.
impl<const N: usize> From<[u64; N]> for Argument {
    fn from(words: [u64; N]) -> Self {
        const { assert!(N <= WORDS) };
        let mut all = [0; WORDS];
        all[..N].copy_from_slice(&words);
        Self(all)
    }
}

/// Memory of the GPU, as it is.
impl<T: Element> From<&Memory<T>> for Argument {
    fn from(memory: &Memory<T>) -> Self {
        memory.place(0).into()
    }
}

/// Numbers, each as one word.
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

/// Two numbers in a word, as they lie in memory.
pub const fn pair(first: u32, second: u32) -> u64 {
    first as u64 | (second as u64) << 32
}

/// The largest extent of an axis that kernels can count along in 32 bits: a thread or a tile goes on by fewer than the rest.
const MAX_EXTENT: u32 = u32::MAX - 1023;

/// A number of elements, rows, columns or episodes, as kernels take it.
///
/// # Panics
/// If it is larger than 2³² − 1024.
#[track_caller]
pub fn count_of(what: &dyn fmt::Display, n: usize) -> u32 {
    let count = u32::try_from(n).ok().filter(|&n| n <= MAX_EXTENT);
    count.unwrap_or_else(|| panic!("{what}: {n} along an axis, where kernels of a GPU count up to {MAX_EXTENT}"))
}

/// A tensor as kernels take it, `struct Tensor` and `struct Indices` in kernels/common.cuh: the address of the first element, 0 for an
/// absent argument; four extents, outermost first, with 1 for leading axes that are missing; and strides in elements, 0 for these.
#[track_caller]
fn operand(data: u64, layout: &Layout) -> [u64; 7] {
    let (mut n, mut s) = ([1; MAX_RANK], [0; MAX_RANK]);
    let lead = MAX_RANK - layout.shape.rank();
    for (axis, &extent) in layout.shape.iter().enumerate() {
        n[lead + axis] = count_of(&layout.shape, extent);
        s[lead + axis] = (layout.strides[axis] as i64).cast_unsigned();
    }
    [data, pair(n[0], n[1]), pair(n[2], n[3]), s[0], s[1], s[2], s[3]]
}

/// The operand for an absent argument.
const ABSENT: [u64; 7] = [0, pair(1, 1), pair(1, 1), 0, 0, 0, 0];

/// How large grids may be.
pub(super) struct Limits {
    blocks: u64,
}

/// The environment variable that sets the number of blocks at most: kernels work on any grid, and tests try several.
const BLOCKS: &str = "GRADUS_CUDA_BLOCKS";

impl Limits {
    /// Some rounds of blocks for each multiprocessor; each block goes on to the next part of the work.
    pub(super) fn of(facts: &Facts) -> Self {
        let asked = env::var(BLOCKS).ok().and_then(|text| text.parse().ok());
        Self { blocks: asked.unwrap_or(16 * u64::from(facts.multiprocessors)).clamp(1, 1 << 30) }
    }

    /// How many blocks a grid has at most.
    pub(super) fn blocks(&self) -> usize {
        self.blocks as usize
    }
}

/// Looks whether the GPU and NVRTC understand each other, by the kernel that is needed first.
///
/// # Errors
/// If they do not.
pub(super) fn prepare(gpu: &'static Gpu) -> Result<(), CudaError> {
    gpu.modules.function(gpu, Entry::Map, Scalar::F32, &[]).map(drop)
}

/// A queue: launches and copies run on the GPU in the order in which they were asked for. A stream, in CUDA's words.
#[derive(Clone)]
pub struct Queue {
    gpu: &'static Gpu,
    stream: Arc<CudaStream>,
}

impl Queue {
    /// The GPU's own queue, in which memory is allocated, cleared, written, read and freed.
    pub fn of(gpu: &'static Gpu) -> Self {
        Self { gpu, stream: gpu.stream.clone() }
    }

    /// A new queue, independent of the others of the GPU.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn new(gpu: &'static Gpu) -> Result<Self, CudaError> {
        let stream = gpu.asked("making a stream", || gpu.context().new_stream())?;
        Ok(Self { gpu, stream })
    }

    /// Waits until all work of this queue is done.
    ///
    /// # Errors
    /// If some of this work failed.
    pub fn wait(&self) -> Result<(), CudaError> {
        self.gpu.asked("waiting for what runs there", || self.stream.synchronize())
    }

    pub(super) fn gpu(&self) -> &'static Gpu {
        self.gpu
    }

    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }
}

/// A launch of a kernel with its arguments, to be run any number of times.
pub struct Launch {
    gpu: &'static Gpu,
    kernel: &'static Kernel,
    function: CudaFunction,
    config: LaunchConfig,
    args: Vec<Argument>,
}

impl Launch {
    /// A launch of a kernel for the scalar `T`, whose file is compiled with `defines`. It has `threads` threads a block, and at most as
    /// many blocks as the work has parts.
    ///
    /// # Errors
    /// If NVRTC or the driver refuses the kernel.
    ///
    /// # Safety
    /// The arguments must be those that the kernel's source declares, in their order, sizes and layout. The memory that the arguments
    /// point to must exist, and be as large as they tell the kernel, until the launch and every graph that has recorded it are dropped
    /// and all work that they began is done. A block must have as many threads as the kernel is written for.
    pub unsafe fn new<T: Element>(
        gpu: &'static Gpu,
        kernel: &'static Kernel,
        defines: &[Define],
        [parts, threads]: [usize; 2],
        args: Vec<Argument>,
    ) -> Result<Self, CudaError> {
        // SAFETY: as the caller has promised.
        unsafe { Self::of(gpu, kernel, Scalar::of::<T>()?, defines, [parts, threads], args) }
    }

    /// The same for a scalar that is named by a value.
    ///
    /// # Safety
    /// As [`new`](Self::new).
    unsafe fn of(
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

    /// Runs the launch in a queue.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the queue is another GPU's.
    pub fn run(&self, queue: &Queue) -> Result<(), CudaError> {
        assert!(queue.gpu == self.gpu, "a launch on {:?}, in a queue of {:?}", self.gpu, queue.gpu);
        self.gpu.asked(self.kernel.running, || {
            let mut launch = queue.stream.launch_builder(&self.function);
            for arg in &self.args {
                launch.arg(arg);
            }
            // SAFETY: whoever made this launch has promised what the kernel needs: see `new`.
            unsafe { launch.launch(self.config) }.map(drop)
        })
    }

    /// Makes a driver that loads kernels at their first use load this one.
    pub(super) fn load(&self) -> Result<(), CudaError> {
        let Self { gpu, kernel, function, config, .. } = self;
        let threads = config.block_dim.0;
        gpu.asked(kernel.running, || function.occupancy_max_active_blocks_per_multiprocessor(threads, 0, None))
            .map(drop)
    }
}

/// Something that is to be done after a launch.
type After<'a> = Box<dyn FnOnce() -> Result<(), CudaError> + 'a>;

/// A call in the making. Operands that lie elsewhere are copied to the GPU for it, and what it writes is copied back.
///
/// # Panics
/// All methods panic with the words of the error if the GPU fails: kernels have no other way to say so.
pub(super) struct Call<'a> {
    gpu: &'static Gpu,
    kernel: &'static Kernel,
    scalar: Scalar,
    args: Vec<Argument>,
    after: Vec<After<'a>>,
}

impl<'a> Call<'a> {
    /// Of a kernel for scalars `T`.
    #[track_caller]
    pub(super) fn new<T: Element>(gpu: &'static Gpu, kernel: &'static Kernel) -> Self {
        Self { gpu, kernel, scalar: done(Scalar::of::<T>()), args: Vec::with_capacity(12), after: Vec::new() }
    }

    fn with(mut self, arg: impl Into<Argument>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(super) fn int(self, n: i32) -> Self {
        self.with(n)
    }

    pub(super) fn count(self, n: u32) -> Self {
        self.with(n)
    }

    pub(super) fn size(self, n: u64) -> Self {
        self.with(n)
    }

    /// A number that is a double for every scalar.
    pub(super) fn double(self, x: f64) -> Self {
        self.with(x)
    }

    /// Memory of the GPU, as it is.
    pub(super) fn memory<T: Element>(self, memory: &Memory<T>) -> Self {
        self.with(memory)
    }

    /// A number of the kernel's scalar.
    pub(super) fn number(self, x: f64) -> Self {
        if self.scalar == Scalar::F32 { self.with(x as f32) } else { self.with(x) }
    }

    /// The elements of a tensor that lies there row-major without gaps, for a kernel that takes no strides.
    #[track_caller]
    pub(super) fn elements<T: Element>(self, view: View<'a, T>) -> Self {
        let (data, layout) = view.place();
        self.place(data, layout)
    }

    /// The same of one that is written.
    #[track_caller]
    pub(super) fn elements_mut<T: Element>(self, view: ViewMut<'a, T>) -> Self {
        let (data, layout) = view.into_place();
        self.place(data.to_read(), &layout)
    }

    #[track_caller]
    fn place<T: Element>(self, data: Data<T>, layout: &Layout) -> Self {
        let Data::Gpu(memory) = data else { panic!("{} lies on the host, not on {:?}", layout.shape, self.gpu) };
        assert!(memory.gpu() == self.gpu, "{} lies on {:?}, not on {:?}", layout.shape, memory.gpu(), self.gpu);
        assert!(layout.is_contiguous(), "{} has gaps", layout.shape);
        let [place, ..] = here(memory, layout);
        self.with(place)
    }

    /// A tensor that is read.
    #[track_caller]
    pub(super) fn read<T: Element>(mut self, view: View<'a, T>) -> Self {
        let (data, layout) = view.place();
        let operand = match data {
            Data::Gpu(memory) if memory.gpu() == self.gpu => here(memory, layout),
            _ => {
                let (memory, within) = done(brought(self.gpu, data, layout));
                let operand = here(&memory, &within);
                self.after.push(Box::new(move || {
                    drop(memory);
                    Ok(())
                }));
                operand
            }
        };
        self.with(operand)
    }

    /// One that may be absent.
    #[track_caller]
    pub(super) fn read_any<T: Element>(self, view: Option<View<'a, T>>) -> Self {
        match view {
            Some(view) => self.read(view),
            None => self.with(ABSENT),
        }
    }

    /// A tensor that is written.
    #[track_caller]
    pub(super) fn write<T: Element>(mut self, view: ViewMut<'a, T>) -> Self {
        let (data, layout) = view.into_place();
        let operand = match data {
            DataMut::Gpu(memory, _) if memory.gpu() == self.gpu => here(memory, &layout),
            data => {
                let (memory, within) = done(brought(self.gpu, data.to_read(), &layout)); // gaps come and go with it
                let operand = here(&memory, &within);
                let (span, _) = layout.span();
                self.after.push(Box::new(move || match data {
                    DataMut::Host(slice) => memory.read_to(0, &mut slice[span]),
                    DataMut::Gpu(theirs, _) => theirs.write(span.start, &memory.read(0..span.len())?),
                }));
                operand
            }
        };
        self.with(operand)
    }

    /// One that may be absent.
    #[track_caller]
    pub(super) fn write_any<T: Element>(self, view: Option<ViewMut<'a, T>>) -> Self {
        match view {
            Some(view) => self.write(view),
            None => self.with(ABSENT),
        }
    }

    /// Runs it, on as many blocks as there are parts of the work, or fewer; on none, if there is no work.
    #[track_caller]
    pub(super) fn run(self, blocks: usize) {
        let Self { gpu, kernel, scalar, args, after } = self;
        if blocks > 0 {
            let grid = [blocks, kernel.threads as usize];
            // SAFETY: the functions of `kernels` give each kernel the arguments that its source declares. Operands were checked to lie
            // inside their memory, which is this GPU's. Nobody else borrows the results, and memory that is freed meanwhile is
            // freed in the order of the GPU's stream. Kernels write within their operands alone.
            let launch = unsafe { Launch::of(gpu, kernel, scalar, &[], grid, args) };
            done(launch.and_then(|launch| launch.run(&Queue::of(gpu))));
        }
        after.into_iter().for_each(|after| done(after()));
    }
}

/// An operand in this memory of the GPU.
///
/// # Panics
/// If the layout leaves it.
#[track_caller]
fn here<T: Element>(memory: &Memory<T>, layout: &Layout) -> [u64; 7] {
    layout.assert_inside(memory.len());
    operand(memory.place(if layout.shape.size() == 0 { 0 } else { layout.offset }), layout)
}

/// The part of a buffer that a layout spans, copied to a GPU, and the layout within it.
fn brought<T: Element>(gpu: &'static Gpu, from: Data<T>, layout: &Layout) -> Result<(Memory<T>, Layout), CudaError> {
    let (span, within) = layout.span();
    let memory = match from {
        Data::Host(slice) => Memory::copy_of(gpu, &slice[span]),
        Data::Gpu(memory) => Memory::copy_of(gpu, &memory.read(span)?),
    };
    Ok((memory?, within))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operand_without_elements_has_strides_of_zero() {
        let nothing = crate::Tensor::<f32>::zeros([3, 4, 2]).flip(0).slice(1, 2..2);
        let operand = operand(16, nothing.view().place().1);
        assert_eq!(operand, [16, pair(1, 3), pair(0, 2), 0, 0, 0, 0]);
    }

    #[test]
    fn count_of_the_largest_extent_is_taken() {
        assert_eq!(count_of(&"x", 0), 0);
        assert_eq!(count_of(&"x", 4_294_966_272), 4_294_966_272);
    }

    #[test]
    #[should_panic(expected = "x: 4294966273 along an axis, where kernels of a GPU count up to 4294966272")]
    fn count_of_one_more_is_refused() {
        count_of(&"x", 4_294_966_273);
    }

    /// In 32 bits it would be 1.
    #[test]
    #[cfg(target_pointer_width = "64")]
    #[should_panic(expected = "x: 4294967297 along an axis, where kernels of a GPU count up to 4294966272")]
    fn count_of_more_than_32_bits_is_refused() {
        count_of(&"x", (1 << 32) + 1);
    }
}
