//! Memory on a GPU.
#![allow(unsafe_code)] // copies to and from it

use alloc::vec;
use alloc::vec::Vec;
use core::any::{TypeId, type_name};
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use cudarc::driver::{CudaSlice, DevicePtr, result};

use super::error::CudaError;
use super::gpu::{Gpu, done};
use crate::real::Element;

/// The numbers that a GPU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scalar {
    F32,
    F64,
    U32,
}

impl Scalar {
    /// Which of them `T` is.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn of<T: Element>() -> Result<Self, CudaError> {
        let all =
            [(TypeId::of::<f32>(), Self::F32), (TypeId::of::<f64>(), Self::F64), (TypeId::of::<u32>(), Self::U32)];
        let found = all.into_iter().find(|(id, _)| *id == TypeId::of::<T>());
        found.map(|(_, scalar)| scalar).ok_or(CudaError::Scalar { name: type_name::<T>() })
    }
}

/// Some elements on a GPU. It is freed when it is dropped, in the order of the GPU's stream.
///
/// Whoever holds it may write there: that nobody else does is for views to see to, as with a slice on the host.
pub struct Memory<T> {
    gpu: &'static Gpu,
    /// Nothing, where there are no elements.
    block: Option<CudaSlice<u8>>,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Element> Memory<T> {
    /// No elements: what takes no memory, and cannot fail.
    pub fn empty(gpu: &'static Gpu) -> Self {
        Self { gpu, block: None, len: 0, elements: PhantomData }
    }

    /// `len` elements, which may be anything.
    ///
    /// # Errors
    /// If the GPU has too little memory, does not have such numbers, or fails.
    pub fn any(gpu: &'static Gpu, len: usize) -> Result<Self, CudaError> {
        Scalar::of::<T>()?;
        if len == 0 {
            return Ok(Self::empty(gpu));
        }
        let bytes = len.saturating_mul(size_of::<T>());
        // SAFETY: whatever bytes there are, they are a number of each type that a GPU has.
        let block = gpu.asked_for(bytes, || unsafe { gpu.stream.alloc::<u8>(bytes) })?;
        Ok(Self { gpu, block: Some(block), len, elements: PhantomData })
    }

    /// `len` zeros.
    ///
    /// # Errors
    /// As [`any`](Self::any).
    pub fn zeros(gpu: &'static Gpu, len: usize) -> Result<Self, CudaError> {
        let memory = Self::any(gpu, len)?;
        memory.clear(0..len)?;
        Ok(memory)
    }

    /// These elements.
    ///
    /// # Errors
    /// As [`any`](Self::any).
    pub fn copy_of(gpu: &'static Gpu, elements: &[T]) -> Result<Self, CudaError> {
        let memory = Self::any(gpu, elements.len())?;
        memory.write(0, elements)?;
        Ok(memory)
    }

    pub(crate) fn gpu(&self) -> &'static Gpu {
        self.gpu
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The address of element `at` on the GPU; any address where there are no elements.
    pub fn place(&self, at: usize) -> u64 {
        let base = self.block.as_ref().map_or(16, |block| block.device_ptr(&self.gpu.stream).0); // not null
        base + (at * size_of::<T>()) as u64
    }

    /// Sets these to zero: to numbers whose bytes are all zero.
    pub(crate) fn clear(&self, range: Range<usize>) -> Result<(), CudaError> {
        let (place, bytes) = (self.within(&range), range.len() * size_of::<T>());
        if bytes == 0 {
            return Ok(());
        }
        self.gpu.asked("clearing memory", || {
            self.gpu.context().bind_to_thread()?;
            // SAFETY: the range lies inside, and all that uses this memory is in the order of this stream.
            unsafe { result::memset_d8_async(place, 0, bytes, self.gpu.stream.cu_stream()) }
        })
    }

    /// Puts `elements` there, from element `at` on.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If there are fewer elements.
    pub fn write(&self, at: usize, elements: &[T]) -> Result<(), CudaError> {
        let place = self.within(&(at..at + elements.len()));
        if elements.is_empty() {
            return Ok(());
        }
        self.gpu.asked("copying to the GPU", || {
            self.gpu.context().bind_to_thread()?;
            // SAFETY: the range lies inside, and the elements stay where they are until the copy is over, for which is waited.
            unsafe { result::memcpy_htod_async(place, elements, self.gpu.stream.cu_stream()) }?;
            self.gpu.stream.synchronize()
        })
    }

    /// These elements, on the host.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If there are fewer elements.
    pub fn read(&self, range: Range<usize>) -> Result<Vec<T>, CudaError> {
        let mut elements = vec![T::default(); range.len()];
        self.read_to(range.start, &mut elements)?;
        Ok(elements)
    }

    /// The elements from `at` on, to the host.
    pub(crate) fn read_to(&self, at: usize, elements: &mut [T]) -> Result<(), CudaError> {
        let place = self.within(&(at..at + elements.len()));
        if elements.is_empty() {
            return Ok(());
        }
        self.gpu.asked("copying from the GPU", || {
            self.gpu.context().bind_to_thread()?;
            // SAFETY: the range lies inside; the elements are numbers of a type that a GPU has, for which any bytes will do,
            // and nobody looks at them until the copy is over, for which is waited.
            unsafe { result::memcpy_dtoh_async(elements, place, self.gpu.stream.cu_stream()) }?;
            self.gpu.stream.synchronize()
        })
    }

    /// One element.
    ///
    /// # Panics
    /// If the GPU fails.
    #[track_caller]
    pub(crate) fn get(&self, at: usize) -> T {
        let mut element = [T::default()];
        done(self.read_to(at, &mut element));
        element[0]
    }

    /// Writes one element.
    ///
    /// # Panics
    /// If the GPU fails.
    #[track_caller]
    pub(crate) fn set(&self, at: usize, element: T) {
        done(self.write(at, &[element]));
    }

    /// Puts these elements of `from` there, from element `at` on; both on one GPU, and not on top of each other.
    pub(crate) fn copy(&self, at: usize, from: &Self, range: Range<usize>) -> Result<(), CudaError> {
        let to = self.within(&(at..at + range.len()));
        let (from, bytes) = (from.within(&range), range.len() * size_of::<T>());
        if bytes == 0 {
            return Ok(());
        }
        self.gpu.asked("copying on the GPU", || {
            self.gpu.context().bind_to_thread()?;
            // SAFETY: both ranges lie inside their memory, which is used in the order of this stream.
            unsafe { result::memcpy_dtod_async(to, from, bytes, self.gpu.stream.cu_stream()) }
        })
    }

    fn within(&self, range: &Range<usize>) -> u64 {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {} elements on a GPU", self.len);
        self.place(range.start)
    }
}

impl<T> Drop for Memory<T> {
    /// The driver frees on behalf of a thread that uses the GPU, which this one may never have done.
    fn drop(&mut self) {
        if self.block.is_some() {
            self.gpu.context().bind_to_thread().ok();
        }
    }
}

impl<T> fmt::Debug for Memory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} elements on {:?}", self.len, self.gpu)
    }
}
