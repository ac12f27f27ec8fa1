//! Where the elements of a view are: on the host, or on a GPU.

#[cfg(feature = "cuda")]
use core::marker::PhantomData;

#[cfg(feature = "cuda")]
use crate::cuda::Memory;
use crate::device::Device;
use crate::real::Element;

/// Elements that are read.
#[derive(Clone, Copy)]
pub(crate) enum Data<'a, T> {
    Host(&'a [T]),
    #[cfg(feature = "cuda")]
    Gpu(&'a Memory<T>),
}

/// Elements that are written, by nobody else meanwhile.
pub(crate) enum DataMut<'a, T> {
    Host(&'a mut [T]),
    /// Two views may share it, if no element is in both.
    #[cfg(feature = "cuda")]
    Gpu(&'a Memory<T>, PhantomData<&'a mut [T]>),
}

impl<'a, T: Element> Data<'a, T> {
    pub(crate) fn device(self) -> Device {
        match self {
            Self::Host(_) => Device::Host,
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => Device::Cuda(memory.gpu()),
        }
    }

    /// Those on the host; `None` of those on a GPU.
    pub(crate) fn slice(self) -> Option<&'a [T]> {
        match self {
            Self::Host(data) => Some(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(_) => None,
        }
    }

    /// # Panics
    /// If they lie on a GPU.
    #[track_caller]
    pub(crate) fn host(self) -> &'a [T] {
        match self {
            Self::Host(data) => data,
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => not_here(memory),
        }
    }

    /// The element at a position of the buffer.
    pub(crate) fn at(self, position: usize) -> T {
        match self {
            Self::Host(data) => data[position],
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => memory.get(position),
        }
    }
}

impl<'a, T: Element> DataMut<'a, T> {
    pub(crate) fn reborrow(&mut self) -> DataMut<'_, T> {
        match self {
            Self::Host(data) => DataMut::Host(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(memory, _) => DataMut::Gpu(memory, PhantomData),
        }
    }

    pub(crate) fn to_read(&self) -> Data<'_, T> {
        match self {
            Self::Host(data) => Data::Host(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(memory, _) => Data::Gpu(memory),
        }
    }

    /// Those on the host; `None` of those on a GPU.
    pub(crate) fn into_slice(self) -> Option<&'a mut [T]> {
        match self {
            Self::Host(data) => Some(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(..) => None,
        }
    }

    /// # Panics
    /// If they lie on a GPU.
    #[track_caller]
    pub(crate) fn host(self) -> &'a mut [T] {
        match self {
            Self::Host(data) => data,
            #[cfg(feature = "cuda")]
            Self::Gpu(memory, _) => not_here(memory),
        }
    }

    /// Writes the element at a position of the buffer.
    pub(crate) fn set(&mut self, position: usize, value: T) {
        match self {
            Self::Host(data) => data[position] = value,
            #[cfg(feature = "cuda")]
            Self::Gpu(memory, _) => memory.set(position, value),
        }
    }
}

#[cfg(feature = "cuda")]
#[track_caller]
fn not_here<T>(memory: &Memory<T>) -> ! {
    panic!("{memory:?} were asked for on the host: call .to(Device::Host) first, or compute with that GPU's kernels")
}
