//! Copying, filling and growing tensors on a GPU.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::any::Any;
use core::marker::PhantomData;

use super::error::CudaError;
use super::gpu::expect_driver;
use super::kernels;
use super::memory::{DeviceBuffer, Scalar};
use crate::data::{Data, DataMut};
use crate::map::Map;
use crate::real::{Element, Real};
use crate::shape::Layout;
use crate::view::{View, ViewMut};

/// Copies the elements to the host in row-major order.
pub(crate) fn read<T: Element>(view: View<T>) -> Result<Vec<T>, CudaError> {
    let (data, layout) = view.data_and_layout();
    let Data::Gpu(memory) = data else { return Ok(view.as_ndarray().iter().copied().collect()) };
    let (span, within) = layout.span();
    let elements = memory.read(span)?;
    if within.is_contiguous() {
        return Ok(elements);
    }
    Ok(View::from_layout(Data::Host(&elements), within).as_ndarray().iter().copied().collect())
}

/// As [`read`], but panics if the GPU fails.
#[track_caller]
pub(crate) fn to_vec<T: Element>(view: View<T>) -> Vec<T> {
    expect_driver(read(view))
}

/// Makes a row-major copy on the same GPU.
#[track_caller]
pub(crate) fn to_contiguous<T: Element>(memory: &DeviceBuffer<T>, layout: &Layout) -> DeviceBuffer<T> {
    let (gpu, size) = (memory.gpu(), layout.shape.size());
    let view = View::from_layout(Data::Gpu(memory), *layout);
    if layout.is_contiguous() {
        let copy = expect_driver(DeviceBuffer::uninit(gpu, size));
        expect_driver(copy.copy(0, memory, layout.offset..layout.offset + size));
        return copy;
    }
    if expect_driver(Scalar::from_type::<T>()) == Scalar::U32 {
        return expect_driver(DeviceBuffer::from_slice(gpu, &to_vec(view)));
    }
    let copy = expect_driver(DeviceBuffer::uninit(gpu, size));
    let to = ViewMut::from_layout(DataMut::Gpu(&copy, PhantomData), Layout::contiguous(layout.shape, 0));
    kernels::copy(gpu, view, to);
    copy
}

/// Sets all elements to `value`.
#[track_caller]
pub(crate) fn fill<T: Element>(memory: &DeviceBuffer<T>, layout: &Layout, value: T) {
    let size = layout.shape.size();
    let scalar = expect_driver(Scalar::from_type::<T>());
    if layout.is_contiguous() && is_all_zeros(value, scalar) {
        expect_driver(memory.clear(layout.offset..layout.offset + size));
    } else if scalar != Scalar::U32 {
        kernels::fill(memory, layout, to_f64(value));
    } else if layout.is_contiguous() {
        expect_driver(memory.write(layout.offset, &vec![value; size]));
    } else {
        layout.shape.indices().for_each(|i| memory.set(layout.position(&i), value));
    }
}

/// Writes the elements in row-major order.
#[track_caller]
pub(crate) fn assign<T: Element>(memory: &DeviceBuffer<T>, layout: &Layout, elements: &[T]) {
    if layout.is_contiguous() {
        expect_driver(memory.write(layout.offset, elements));
    } else if expect_driver(Scalar::from_type::<T>()) == Scalar::U32 {
        layout.shape.indices().zip(elements).for_each(|(i, &element)| memory.set(layout.position(&i), element));
    } else {
        let from = View::from_layout(Data::Host(elements), Layout::contiguous(layout.shape, 0));
        kernels::copy(memory.gpu(), from, ViewMut::from_layout(DataMut::Gpu(memory, PhantomData), *layout));
    }
}

/// Returns true if all bytes of the value are zero. The bytes of −0 are not.
fn is_all_zeros<T: Element>(value: T, scalar: Scalar) -> bool {
    if scalar == Scalar::U32 { value == T::default() } else { to_f64(value).to_bits() == 0 }
}

/// Converts an element to `f64`.
fn to_f64<T: Element>(x: T) -> f64 {
    let x: &dyn Any = &x;
    x.downcast_ref::<f64>().copied().or_else(|| x.downcast_ref().copied().map(f32::into)).unwrap_or(f64::NAN)
}

/// Applies f to each element in place.
#[track_caller]
pub(crate) fn apply<T: Real>(f: Map<T>, x: ViewMut<T>) {
    let (data, layout) = x.into_data_and_layout();
    let DataMut::Gpu(memory, alone) = data else { unreachable!("it lies on a GPU") };
    let (from, to) =
        (View::from_layout(Data::Gpu(memory), layout), ViewMut::from_layout(DataMut::Gpu(memory, alone), layout));
    kernels::map(memory.gpu(), f, from, to); // each thread reads its element before it writes it
}

/// Makes room for `to` elements: in this buffer, if it is unshared and large enough, or else in a new one. The `kept` elements
/// from `first` on are copied to the front of a new buffer.
#[track_caller]
pub(crate) fn grow<T: Element>(memory: &mut Arc<DeviceBuffer<T>>, first: usize, kept: usize, to: usize) {
    let (gpu, len) = (memory.gpu(), memory.len());
    if Arc::get_mut(memory).is_none() || first > 0 || len < to {
        // The capacity grows by half, so that step-by-step growth does not copy every time.
        let room = if len < to { to.max(len / 2 * 3) } else { to };
        let new = expect_driver(DeviceBuffer::uninit(gpu, room));
        expect_driver(new.copy(0, memory, first..first + kept));
        *memory = Arc::new(new);
    }
}
