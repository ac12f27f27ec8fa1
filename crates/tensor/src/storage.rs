//! The reference-counted buffer of a tensor: sharing, copying and resizing.

use alloc::sync::Arc;
use alloc::vec::Vec;
#[cfg(feature = "cuda")]
use core::marker::PhantomData;

#[cfg(feature = "cuda")]
use crate::cuda::{self, CudaError, DeviceBuffer, Gpu};
use crate::data::{Data, DataMut};
use crate::device::Device;
use crate::real::Element;
use crate::shape::{Layout, Shape};
use crate::view::View;

/// A buffer that tensors share, on the host or on a GPU.
#[derive(Clone, Debug)]
pub(crate) enum Storage<T> {
    Host(Arc<Vec<T>>),
    #[cfg(feature = "cuda")]
    Gpu(Arc<DeviceBuffer<T>>),
}

impl<T: Element> Storage<T> {
    /// Stores `elements` on the host in row-major order. The first one is at the beginning of a cache line.
    ///
    /// # Panics
    /// If they take more than `isize::MAX` bytes.
    #[track_caller]
    pub(crate) fn from_elements(shape: Shape, elements: impl Iterator<Item = T>) -> (Self, Layout) {
        shape.assert_fits::<T>();
        let mut data = Vec::with_capacity(cache_line_len::<T>() + shape.size());
        let offset = aligned_offset(&data);
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
    /// If the buffer is shared.
    pub(crate) fn data_mut(&mut self) -> DataMut<'_, T> {
        const ALONE: &str = "the buffer is not shared";
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

    /// Copies the elements of `layout` to a new buffer on the same device, in row-major order.
    pub(crate) fn to_contiguous(&self, layout: &Layout) -> (Self, Layout) {
        match self {
            Self::Host(data) => {
                let view = View::from_layout(Data::Host(data), *layout);
                Self::from_elements(layout.shape, view.as_ndarray().iter().copied())
            }
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => {
                (Self::Gpu(Arc::new(cuda::to_contiguous(memory, layout))), Layout::contiguous(layout.shape, 0))
            }
        }
    }

    /// Makes room for a contiguous tensor of `shape`, in this buffer if it is not shared and is large enough. The first
    /// elements keep their values if the layout `old` is contiguous.
    ///
    /// # Panics
    /// If the elements take more than `isize::MAX` bytes.
    #[track_caller]
    pub(crate) fn resize(&mut self, old: &Layout, shape: Shape) -> Layout {
        shape.assert_fits::<T>();
        match self {
            Self::Host(data) => {
                let kept = old.shape.size().min(shape.size());
                let Some(buffer) = Arc::get_mut(data) else {
                    let first = if old.is_contiguous() { &data[old.offset..][..kept] } else { &[] };
                    let rest = core::iter::repeat_n(T::default(), shape.size() - first.len());
                    let (storage, layout) = Self::from_elements(shape, first.iter().copied().chain(rest));
                    *self = storage;
                    return layout;
                };
                let len = shape.size() + cache_line_len::<T>();
                if buffer.len() < len {
                    buffer.resize(len, T::default()); // a buffer that is too long stays so: nothing is filled again
                }
                let offset = aligned_offset(buffer);
                if offset != old.offset && old.offset + kept <= buffer.len() {
                    buffer.copy_within(old.offset..old.offset + kept, offset); // the aligned offset has changed
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
    /// Makes an empty buffer on a GPU.
    pub(crate) fn empty(gpu: &'static Gpu) -> Self {
        Self::Gpu(Arc::new(DeviceBuffer::empty(gpu)))
    }

    /// Makes a buffer of `len` zeros on a GPU.
    pub(crate) fn zeros(gpu: &'static Gpu, len: usize) -> Result<Self, CudaError> {
        Ok(Self::Gpu(Arc::new(DeviceBuffer::zeros(gpu, len)?)))
    }

    /// Copies the elements of `layout` to another device, in row-major order.
    pub(crate) fn copy_to_device(&self, layout: &Layout, to: Device) -> Result<(Self, Layout), CudaError> {
        let view = View::from_layout(self.data(), *layout);
        let here = match self {
            Self::Host(_) => view,
            Self::Gpu(_) => {
                let elements = cuda::read(view)?;
                let (storage, layout) = Self::from_elements(layout.shape, elements.into_iter());
                return if to == Device::Host { Ok((storage, layout)) } else { storage.copy_to_device(&layout, to) };
            }
        };
        let Device::Cuda(gpu) = to else { unreachable!("another device than the host is a GPU") };
        let memory = match here.as_slice() {
            Some(slice) => DeviceBuffer::from_slice(gpu, slice),
            None => DeviceBuffer::from_slice(gpu, &here.as_ndarray().iter().copied().collect::<Vec<_>>()),
        };
        Ok((Self::Gpu(Arc::new(memory?)), Layout::contiguous(layout.shape, 0)))
    }
}

/// The number of elements in a cache line of 64 bytes. A vector that crosses a line costs as much as two.
const fn cache_line_len<T>() -> usize {
    64_usize.div_ceil(size_of::<T>())
}

/// The position of the first cache line in the buffer.
fn aligned_offset<T>(buffer: &[T]) -> usize {
    let offset = buffer.as_ptr().align_offset(64);
    if offset < cache_line_len::<T>() { offset } else { 0 }
}
