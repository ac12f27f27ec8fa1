//! A call of a kernel: its operands where the card finds them, its grid, and the launch.
#![allow(unsafe_code)] // the launch itself

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use std::env;

use cudarc::driver::{DeviceRepr, LaunchConfig, PushKernelArg};

use super::card::{Card, done};
use super::error::CudaError;
use super::memory::{Memory, Scalar};
use super::modules::Entry;
use super::probe::Facts;
use super::update::Task;
use crate::data::{Data, DataMut};
use crate::real::Element;
use crate::shape::{Layout, MAX_RANK};
use crate::view::{View, ViewMut};

/// A tensor as kernels take it: `struct Tensor` and `struct Indices` in kernels/common.cuh.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Operand {
    /// The first element; 0 where the argument is absent.
    data: u64,
    /// Four extents, outermost first; missing axes lead, with 1.
    n: [u32; MAX_RANK],
    /// Strides, in elements; 0 where there are none.
    s: [i64; MAX_RANK],
}

// SAFETY: these are the fields of the struct that kernels declare, in their order, sizes and places; all are plain numbers.
unsafe impl DeviceRepr for Operand {}

/// The largest extent of an axis that kernels can count along in 32 bits: a thread or a tile goes on by fewer than the rest.
pub(super) const MAX_EXTENT: u32 = u32::MAX - 1023;

/// A number of elements, rows, columns or episodes, as kernels take it.
///
/// # Panics
/// If it is larger than [`MAX_EXTENT`].
#[track_caller]
pub(super) fn count_of(what: &dyn fmt::Display, n: usize) -> u32 {
    let count = u32::try_from(n).ok().filter(|&n| n <= MAX_EXTENT);
    count.unwrap_or_else(|| panic!("{what}: {n} along an axis, where kernels of a GPU count up to {MAX_EXTENT}"))
}

impl Operand {
    const ABSENT: Self = Self { data: 0, n: [1; MAX_RANK], s: [0; MAX_RANK] };

    #[track_caller]
    fn new(data: u64, layout: &Layout) -> Self {
        let (mut n, mut s) = ([1; MAX_RANK], [0; MAX_RANK]);
        let lead = MAX_RANK - layout.shape.rank();
        for (axis, &extent) in layout.shape.iter().enumerate() {
            n[lead + axis] = count_of(&layout.shape, extent);
            s[lead + axis] = layout.strides[axis] as i64;
        }
        Self { data, n, s }
    }
}

/// An argument, kept where the driver can read it.
enum Arg {
    Operand(Operand),
    Task(Task),
    Int(i32),
    Count(u32),
    Size(u64),
    F32(f32),
    F64(f64),
    Pointer(u64),
}

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

/// Looks whether the card and NVRTC understand each other, by the kernel that is needed first.
///
/// # Errors
/// If they do not.
pub(super) fn prepare(card: &'static Card) -> Result<(), CudaError> {
    card.modules.function(card, Entry::Map, Scalar::F32).map(drop)
}

/// Something that is to be done after a launch.
type After<'a> = Box<dyn FnOnce() -> Result<(), CudaError> + 'a>;

/// A call in the making. Operands that lie elsewhere are copied to the card for it, and what it writes is copied back.
///
/// # Panics
/// All methods panic with the words of the error if the card fails: kernels have no other way to say so.
pub(super) struct Call<'a> {
    card: &'static Card,
    entry: Entry,
    scalar: Scalar,
    args: Vec<Arg>,
    after: Vec<After<'a>>,
}

impl<'a> Call<'a> {
    /// Of a kernel for scalars `T`.
    #[track_caller]
    pub(super) fn new<T: Element>(card: &'static Card, entry: Entry) -> Self {
        Self { card, entry, scalar: done(Scalar::of::<T>()), args: Vec::with_capacity(12), after: Vec::new() }
    }

    fn with(mut self, arg: Arg) -> Self {
        self.args.push(arg);
        self
    }

    pub(super) fn int(self, n: i32) -> Self {
        self.with(Arg::Int(n))
    }

    pub(super) fn count(self, n: u32) -> Self {
        self.with(Arg::Count(n))
    }

    /// A number of the kernel's scalar.
    pub(super) fn number(self, x: f64) -> Self {
        let arg = if self.scalar == Scalar::F32 { Arg::F32(x as f32) } else { Arg::F64(x) };
        self.with(arg)
    }

    /// A number that is a double for every scalar.
    pub(super) fn double(self, x: f64) -> Self {
        self.with(Arg::F64(x))
    }

    pub(super) fn size(self, n: u64) -> Self {
        self.with(Arg::Size(n))
    }

    /// A task's tables, by value.
    pub(super) fn task(self, task: Task) -> Self {
        self.with(Arg::Task(task))
    }

    /// Memory of the card, as it is.
    pub(super) fn memory<T: Element>(self, memory: &Memory<T>) -> Self {
        self.with(Arg::Pointer(memory.place(0)))
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
        let Data::Card(memory) = data else { panic!("{} lies on the host, not on {:?}", layout.shape, self.card) };
        assert!(memory.card() == self.card, "{} lies on {:?}, not on {:?}", layout.shape, memory.card(), self.card);
        assert!(layout.is_contiguous(), "{} has gaps", layout.shape);
        let place = here(memory, layout).data;
        self.with(Arg::Pointer(place))
    }

    pub(super) fn absent(self) -> Self {
        self.with(Arg::Operand(Operand::ABSENT))
    }

    /// A tensor that is read.
    #[track_caller]
    pub(super) fn read<T: Element>(mut self, view: View<'a, T>) -> Self {
        let (data, layout) = view.place();
        let operand = match data {
            Data::Card(memory) if memory.card() == self.card => here(memory, layout),
            _ => {
                let (memory, within) = done(brought(self.card, data, layout));
                let operand = here(&memory, &within);
                self.after.push(Box::new(move || {
                    drop(memory);
                    Ok(())
                }));
                operand
            }
        };
        self.with(Arg::Operand(operand))
    }

    /// One that may be absent.
    #[track_caller]
    pub(super) fn read_any<T: Element>(self, view: Option<View<'a, T>>) -> Self {
        match view {
            Some(view) => self.read(view),
            None => self.absent(),
        }
    }

    /// A tensor that is written.
    #[track_caller]
    pub(super) fn write<T: Element>(mut self, view: ViewMut<'a, T>) -> Self {
        let (data, layout) = view.into_place();
        let operand = match data {
            DataMut::Card(memory, _) if memory.card() == self.card => here(memory, &layout),
            data => {
                let (memory, within) = done(brought(self.card, data.to_read(), &layout)); // gaps come and go with it
                let operand = here(&memory, &within);
                let (span, _) = layout.span();
                self.after.push(Box::new(move || match data {
                    DataMut::Host(slice) => memory.read_to(0, &mut slice[span]),
                    DataMut::Card(theirs, _) => theirs.write(span.start, &memory.read(0..span.len())?),
                }));
                operand
            }
        };
        self.with(Arg::Operand(operand))
    }

    /// One that may be absent.
    #[track_caller]
    pub(super) fn write_any<T: Element>(self, view: Option<ViewMut<'a, T>>) -> Self {
        match view {
            Some(view) => self.write(view),
            None => self.absent(),
        }
    }

    /// Runs it, on as many blocks as there are parts of the work, or fewer; on none, if there is no work.
    #[track_caller]
    pub(super) fn run(self, blocks: usize) {
        let Self { card, entry, scalar, args, after } = self;
        if blocks > 0 {
            let function = done(card.modules.function(card, entry, scalar));
            let blocks = (blocks as u64).min(card.limits.blocks) as u32;
            let config =
                LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (entry.threads(), 1, 1), shared_mem_bytes: 0 };
            let launched = card.asked(entry.running(), || {
                let mut launch = card.stream.launch_builder(function);
                for arg in &args {
                    match arg {
                        Arg::Operand(operand) => launch.arg(operand),
                        Arg::Task(task) => launch.arg(task),
                        Arg::Int(n) => launch.arg(n),
                        Arg::Count(n) => launch.arg(n),
                        Arg::Size(n) => launch.arg(n),
                        Arg::F32(x) => launch.arg(x),
                        Arg::F64(x) => launch.arg(x),
                        Arg::Pointer(place) => launch.arg(place),
                    };
                }
                // SAFETY: the functions of `kernels` give each kernel the arguments that its source declares. Operands were
                // seen to lie inside their memory, which is this card's; what is written is borrowed by nobody else, and what
                // is freed meanwhile is freed in the order of this stream. Kernels write within their operands alone.
                unsafe { launch.launch(config) }
            });
            done(launched);
        }
        after.into_iter().for_each(|after| done(after()));
    }
}

/// An operand in this memory of the card.
///
/// # Panics
/// If the layout leaves it.
#[track_caller]
fn here<T: Element>(memory: &Memory<T>, layout: &Layout) -> Operand {
    layout.assert_inside(memory.len());
    Operand::new(memory.place(if layout.shape.size() == 0 { 0 } else { layout.offset }), layout)
}

/// The part of a buffer that a layout spans, copied to a card, and the layout within it.
fn brought<T: Element>(card: &'static Card, from: Data<T>, layout: &Layout) -> Result<(Memory<T>, Layout), CudaError> {
    let (span, within) = layout.span();
    let memory = match from {
        Data::Host(slice) => Memory::copy_of(card, &slice[span]),
        Data::Card(memory) => Memory::copy_of(card, &memory.read(span)?),
    };
    Ok((memory?, within))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operand_without_elements_has_strides_of_zero() {
        let nothing = crate::Tensor::<f32>::zeros([3, 4, 2]).flip(0).slice(1, 2..2);
        let operand = Operand::new(16, nothing.view().place().1);
        assert_eq!((operand.n, operand.s), ([1, 3, 0, 2], [0; 4]));
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
