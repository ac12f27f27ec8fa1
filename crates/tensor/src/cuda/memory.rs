//! Buffers in GPU memory.
#![allow(unsafe_code)] // copies to and from the GPU

use alloc::vec;
use alloc::vec::Vec;
use core::any::{TypeId, type_name};
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use cudarc::driver::{CudaSlice, DevicePtr, result};

use super::error::CudaError;
use super::gpu::{Gpu, expect_driver};
use crate::real::Element;

/// The element types that a GPU supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scalar {
    F32,
    F64,
    U32,
}

impl Scalar {
    /// Returns the element type of `T`.
    ///
    /// # Errors
    /// If a GPU does not support it.
    pub(crate) fn from_type<T: Element>() -> Result<Self, CudaError> {
        let all =
            [(TypeId::of::<f32>(), Self::F32), (TypeId::of::<f64>(), Self::F64), (TypeId::of::<u32>(), Self::U32)];
        let found = all.into_iter().find(|(id, _)| *id == TypeId::of::<T>());
        found.map(|(_, scalar)| scalar).ok_or(CudaError::Scalar { name: type_name::<T>() })
    }
}

/// A buffer of elements on a GPU. Dropping it frees the memory in the order of the GPU's stream.
///
/// A shared reference allows writing. As with a slice on the host, the views ensure that nobody else accesses the elements.
pub struct DeviceBuffer<T> {
    gpu: &'static Gpu,
    /// `None` for a buffer without elements.
    block: Option<CudaSlice<u8>>,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Element> DeviceBuffer<T> {
    /// Returns a buffer without elements. It takes no memory and cannot fail.
    pub fn empty(gpu: &'static Gpu) -> Self {
        Self { gpu, block: None, len: 0, elements: PhantomData }
    }

    /// Allocates `len` elements with arbitrary content.
    ///
    /// # Errors
    /// If the GPU has too little memory, does not support the element type, or fails.
    pub fn uninit(gpu: &'static Gpu, len: usize) -> Result<Self, CudaError> {
        Scalar::from_type::<T>()?;
        if len == 0 {
            return Ok(Self::empty(gpu));
        }
        let bytes = len.saturating_mul(size_of::<T>());
        // SAFETY: any bytes are valid numbers of each type that a GPU supports.
        let block = gpu.allocate(bytes, || unsafe { gpu.stream.alloc::<u8>(bytes) })?;
        Ok(Self { gpu, block: Some(block), len, elements: PhantomData })
    }

    /// Allocates `len` zeros.
    ///
    /// # Errors
    /// As [`uninit`](Self::uninit).
    pub fn zeros(gpu: &'static Gpu, len: usize) -> Result<Self, CudaError> {
        let memory = Self::uninit(gpu, len)?;
        memory.clear(0..len)?;
        Ok(memory)
    }

    /// Copies these elements to the GPU.
    ///
    /// # Errors
    /// As [`uninit`](Self::uninit).
    pub fn from_slice(gpu: &'static Gpu, elements: &[T]) -> Result<Self, CudaError> {
        let memory = Self::uninit(gpu, elements.len())?;
        memory.write(0, elements)?;
        Ok(memory)
    }

    pub(crate) fn gpu(&self) -> &'static Gpu {
        self.gpu
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the address of element `at` on the GPU; an arbitrary address if the buffer has no elements.
    pub fn address(&self, at: usize) -> u64 {
        let base = self.block.as_ref().map_or(16, |block| block.device_ptr(&self.gpu.stream).0); // not null
        base + (at * size_of::<T>()) as u64
    }

    /// Sets all bytes of these elements to zero.
    pub(crate) fn clear(&self, range: Range<usize>) -> Result<(), CudaError> {
        let (place, bytes) = (self.within(&range), range.len() * size_of::<T>());
        if bytes == 0 {
            return Ok(());
        }
        self.gpu.call_driver("clearing memory", || {
            self.gpu.context().bind_to_thread()?;
            // SAFETY: the range lies inside the buffer, and all uses of this memory are ordered by this stream.
            unsafe { result::memset_d8_async(place, 0, bytes, self.gpu.stream.cu_stream()) }
        })
    }

    /// Writes `elements` to the buffer, from element `at` on.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the buffer is too short.
    pub fn write(&self, at: usize, elements: &[T]) -> Result<(), CudaError> {
        let place = self.within(&(at..at + elements.len()));
        if elements.is_empty() {
            return Ok(());
        }
        self.gpu.call_driver("copying to the GPU", || {
            self.gpu.context().bind_to_thread()?;
            // SAFETY: the range lies inside the buffer. The elements stay in place, because we wait for the end of the copy.
            unsafe { result::memcpy_htod_async(place, elements, self.gpu.stream.cu_stream()) }?;
            self.gpu.stream.synchronize()
        })
    }

    /// Copies these elements to the host.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the buffer is too short.
    pub fn read(&self, range: Range<usize>) -> Result<Vec<T>, CudaError> {
        let mut elements = vec![T::default(); range.len()];
        self.read_to(range.start, &mut elements)?;
        Ok(elements)
    }

    /// Copies the elements from `at` on to a slice of the host.
    pub(crate) fn read_to(&self, at: usize, elements: &mut [T]) -> Result<(), CudaError> {
        let place = self.within(&(at..at + elements.len()));
        if elements.is_empty() {
            return Ok(());
        }
        self.gpu.call_driver("copying from the GPU", || {
            self.gpu.context().bind_to_thread()?;
            // SAFETY: the range lies inside the buffer. Any bytes are valid elements, because their type is one that a GPU
            // supports. Nobody reads them before the end of the copy, because we wait for it.
            unsafe { result::memcpy_dtoh_async(elements, place, self.gpu.stream.cu_stream()) }?;
            self.gpu.stream.synchronize()
        })
    }

    /// Reads one element.
    ///
    /// # Panics
    /// If the GPU fails.
    #[track_caller]
    pub(crate) fn get(&self, at: usize) -> T {
        let mut element = [T::default()];
        expect_driver(self.read_to(at, &mut element));
        element[0]
    }

    /// Writes one element.
    ///
    /// # Panics
    /// If the GPU fails.
    #[track_caller]
    pub(crate) fn set(&self, at: usize, element: T) {
        expect_driver(self.write(at, &[element]));
    }

    /// Copies these elements of `from` to this buffer, from element `at` on. Both are on one GPU and do not overlap.
    pub(crate) fn copy(&self, at: usize, from: &Self, range: Range<usize>) -> Result<(), CudaError> {
        let to = self.within(&(at..at + range.len()));
        let (from, bytes) = (from.within(&range), range.len() * size_of::<T>());
        if bytes == 0 {
            return Ok(());
        }
        self.gpu.call_driver("copying on the GPU", || {
            self.gpu.context().bind_to_thread()?;
            // SAFETY: both ranges lie inside their buffers, whose uses are ordered by this stream.
            unsafe { result::memcpy_dtod_async(to, from, bytes, self.gpu.stream.cu_stream()) }
        })
    }

    fn within(&self, range: &Range<usize>) -> u64 {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {} elements on a GPU", self.len);
        self.address(range.start)
    }
}

impl<T> Drop for DeviceBuffer<T> {
    /// Binds the GPU's context to this thread, because the driver frees in the current context.
    fn drop(&mut self) {
        if self.block.is_some() {
            self.gpu.context().bind_to_thread().ok();
        }
    }
}

impl<T> fmt::Debug for DeviceBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} elements on {:?}", self.len, self.gpu)
    }
}
