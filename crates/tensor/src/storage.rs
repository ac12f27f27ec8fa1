//! Where a tensor's elements live, and what becomes of them when they are shared, copied or made more.

use alloc::sync::Arc;
use alloc::vec::Vec;
#[cfg(feature = "cuda")]
use core::marker::PhantomData;

#[cfg(feature = "cuda")]
use crate::cuda::{self, CudaError, Gpu, Memory};
use crate::data::{Data, DataMut};
use crate::device::Device;
use crate::real::Element;
use crate::shape::{Layout, Shape};
use crate::view::View;

/// A buffer that tensors share; nothing outside this crate sees where it is.
#[derive(Clone, Debug)]
pub(crate) enum Storage<T> {
    Host(Arc<Vec<T>>),
    #[cfg(feature = "cuda")]
    Gpu(Arc<Memory<T>>),
}

impl<T: Element> Storage<T> {
    /// These elements on the host, row-major from the beginning of a line of the cache on.
    ///
    /// # Panics
    /// If they take more than `isize::MAX` bytes.
    #[track_caller]
    pub(crate) fn collected(shape: Shape, elements: impl Iterator<Item = T>) -> (Self, Layout) {
        shape.assert_fits::<T>();
        let mut data = Vec::with_capacity(line::<T>() + shape.size());
        let offset = first_of_a_line(&data);
        data.resize(offset, T::default());
        data.extend(elements);
        (Self::Host(Arc::new(data)), Layout::contiguous(shape, offset))
    }

    pub(crate) fn device(&self) -> Device {
        self.data().device()
    }

    pub(crate) fn data(&self) -> Data<'_, T> {
        match self {
            Self::Host(data) => Data::Host(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => Data::Gpu(memory),
        }
    }

    /// # Panics
    /// If it is shared.
    pub(crate) fn data_mut(&mut self) -> DataMut<'_, T> {
        const ALONE: &str = "the buffer is this tensor's alone";
        match self {
            Self::Host(data) => DataMut::Host(Arc::get_mut(data).expect(ALONE)),
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => DataMut::Gpu(Arc::get_mut(memory).expect(ALONE), PhantomData),
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        let holders = match self {
            Self::Host(data) => Arc::strong_count(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => Arc::strong_count(memory),
        };
        holders > 1
    }

    /// The elements of `layout`, row-major in a buffer of their own on the same device.
    pub(crate) fn packed(&self, layout: &Layout) -> (Self, Layout) {
        match self {
            Self::Host(data) => {
                let view = View::over(Data::Host(data), *layout);
                Self::collected(layout.shape, view.host().iter().copied())
            }
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => {
                (Self::Gpu(Arc::new(cuda::packed(memory, layout))), Layout::contiguous(layout.shape, 0))
            }
        }
    }

    /// Makes room for `shape`, row-major: in this buffer, if it is nobody else's and large enough. What was row-major at `old`
    /// stays in front.
    ///
    /// # Panics
    /// If the elements take more than `isize::MAX` bytes.
    #[track_caller]
    pub(crate) fn resized(&mut self, old: &Layout, shape: Shape) -> Layout {
        shape.assert_fits::<T>();
        match self {
            Self::Host(data) => {
                let Some(buffer) = Arc::get_mut(data) else {
                    let zeros = core::iter::repeat_n(T::default(), shape.size());
                    let (storage, layout) = Self::collected(shape, zeros);
                    *self = storage;
                    return layout;
                };
                let kept = old.shape.size().min(shape.size());
                buffer.resize(shape.size() + line::<T>(), T::default());
                let offset = first_of_a_line(buffer);
                if offset != old.offset && old.offset + kept <= buffer.len() {
                    buffer.copy_within(old.offset..old.offset + kept, offset); // it lies elsewhere now
                }
                Layout::contiguous(shape, offset)
            }
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => {
                let kept = old.shape.size().min(shape.size()).min(memory.len() - old.offset.min(memory.len()));
                cuda::grow(memory, old.offset, kept, shape.size());
                Layout::contiguous(shape, 0)
            }
        }
    }
}

#[cfg(feature = "cuda")]
impl<T: Element> Storage<T> {
    /// No elements, on a GPU.
    pub(crate) fn empty(gpu: &'static Gpu) -> Self {
        Self::Gpu(Arc::new(Memory::empty(gpu)))
    }

    /// Zeros, on a GPU.
    pub(crate) fn zeros(gpu: &'static Gpu, len: usize) -> Result<Self, CudaError> {
        Ok(Self::Gpu(Arc::new(Memory::zeros(gpu, len)?)))
    }

    /// The elements of `layout`, row-major, on another device.
    pub(crate) fn moved(&self, layout: &Layout, to: Device) -> Result<(Self, Layout), CudaError> {
        let view = View::over(self.data(), *layout);
        let here = match self {
            Self::Host(_) => view,
            Self::Gpu(_) => {
                let elements = cuda::read(view)?;
                let (storage, layout) = Self::collected(layout.shape, elements.into_iter());
                return if to == Device::Host { Ok((storage, layout)) } else { storage.moved(&layout, to) };
            }
        };
        let Device::Cuda(gpu) = to else { unreachable!("from the host, it goes to a GPU") };
        let memory = match here.as_slice() {
            Some(slice) => Memory::copy_of(gpu, slice),
            None => Memory::copy_of(gpu, &here.host().iter().copied().collect::<Vec<_>>()),
        };
        Ok((Self::Gpu(Arc::new(memory?)), Layout::contiguous(layout.shape, 0)))
    }
}

/// How many elements a line of the cache has, 64 bytes: one that a vector crosses costs as much as two.
const fn line<T>() -> usize {
    64_usize.div_ceil(size_of::<T>())
}

/// Where the first line begins in this buffer.
fn first_of_a_line<T>(buffer: &[T]) -> usize {
    let offset = buffer.as_ptr().align_offset(64);
    if offset < line::<T>() { offset } else { 0 }
}
