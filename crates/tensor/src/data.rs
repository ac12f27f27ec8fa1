//! The buffer behind a view, on the host or on a GPU.

#[cfg(feature = "cuda")]
use core::marker::PhantomData;

#[cfg(feature = "cuda")]
use crate::cuda::DeviceBuffer;
use crate::device::Device;
use crate::real::Element;

/// A buffer to read.
#[derive(Clone, Copy)]
pub(crate) enum Data<'a, T> {
    Host(&'a [T]),
    #[cfg(feature = "cuda")]
    Gpu(&'a DeviceBuffer<T>),
}

/// A buffer to write. Nothing else accesses its elements meanwhile.
pub(crate) enum DataMut<'a, T> {
    Host(&'a mut [T]),
    /// Two views may share the buffer if no element is in both.
    #[cfg(feature = "cuda")]
    Gpu(&'a DeviceBuffer<T>, PhantomData<&'a mut [T]>),
}

impl<'a, T: Element> Data<'a, T> {
    pub(crate) fn device(self) -> Device {
        match self {
            Self::Host(_) => Device::Host,
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => Device::Cuda(memory.gpu()),
        }
    }

    /// The elements on the host; `None` if they are on a GPU.
    pub(crate) fn host_slice(self) -> Option<&'a [T]> {
        match self {
            Self::Host(data) => Some(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(_) => None,
        }
    }

    /// # Panics
    /// If the elements are on a GPU.
    #[track_caller]
    pub(crate) fn expect_host(self) -> &'a [T] {
        match self {
            Self::Host(data) => data,
            #[cfg(feature = "cuda")]
            Self::Gpu(memory) => panic_not_on_host(memory),
        }
    }

    /// Reads the element at a position of the buffer.
    pub(crate) fn get(self, position: usize) -> T {
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

    pub(crate) fn as_data(&self) -> Data<'_, T> {
        match self {
            Self::Host(data) => Data::Host(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(memory, _) => Data::Gpu(memory),
        }
    }

    /// The elements on the host; `None` if they are on a GPU.
    pub(crate) fn into_host_slice(self) -> Option<&'a mut [T]> {
        match self {
            Self::Host(data) => Some(data),
            #[cfg(feature = "cuda")]
            Self::Gpu(..) => None,
        }
    }

    /// # Panics
    /// If the elements are on a GPU.
    #[track_caller]
    pub(crate) fn expect_host(self) -> &'a mut [T] {
        match self {
            Self::Host(data) => data,
            #[cfg(feature = "cuda")]
            Self::Gpu(memory, _) => panic_not_on_host(memory),
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
fn panic_not_on_host<T>(memory: &DeviceBuffer<T>) -> ! {
    panic!("{memory:?} were accessed from the host: call .to(Device::Host) first, or compute with that GPU's kernels")
}
