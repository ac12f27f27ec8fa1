//! What tensors on a GPU are copied, filled and grown by.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::any::Any;
use core::marker::PhantomData;

use super::error::CudaError;
use super::gpu::done;
use super::kernels;
use super::memory::{Memory, Scalar};
use crate::data::{Data, DataMut};
use crate::map::Map;
use crate::real::{Element, Real};
use crate::shape::Layout;
use crate::view::{View, ViewMut};

/// The elements in row-major order, on the host.
pub(crate) fn read<T: Element>(view: View<T>) -> Result<Vec<T>, CudaError> {
    let (data, layout) = view.place();
    let Data::Gpu(memory) = data else { return Ok(view.host().iter().copied().collect()) };
    let (span, within) = layout.span();
    let elements = memory.read(span)?;
    if within.is_contiguous() {
        return Ok(elements);
    }
    Ok(View::over(Data::Host(&elements), within).host().iter().copied().collect())
}

/// The same, for what cannot be answered by an error.
#[track_caller]
pub(crate) fn to_vec<T: Element>(view: View<T>) -> Vec<T> {
    done(read(view))
}

/// A row-major copy on the same GPU.
#[track_caller]
pub(crate) fn packed<T: Element>(memory: &Memory<T>, layout: &Layout) -> Memory<T> {
    let (gpu, size) = (memory.gpu(), layout.shape.size());
    let view = View::over(Data::Gpu(memory), *layout);
    if layout.is_contiguous() {
        let copy = done(Memory::any(gpu, size));
        done(copy.copy(0, memory, layout.offset..layout.offset + size));
        return copy;
    }
    if done(Scalar::of::<T>()) == Scalar::U32 {
        return done(Memory::copy_of(gpu, &to_vec(view)));
    }
    let copy = done(Memory::any(gpu, size));
    let to = ViewMut::over(DataMut::Gpu(&copy, PhantomData), Layout::contiguous(layout.shape, 0));
    kernels::copy(gpu, view, to);
    copy
}

/// Writes `value` everywhere.
#[track_caller]
pub(crate) fn fill<T: Element>(memory: &Memory<T>, layout: &Layout, value: T) {
    let size = layout.shape.size();
    let scalar = done(Scalar::of::<T>());
    if layout.is_contiguous() && is_all_zeros(value, scalar) {
        done(memory.clear(layout.offset..layout.offset + size));
    } else if scalar != Scalar::U32 {
        kernels::fill(memory, layout, number(value));
    } else if layout.is_contiguous() {
        done(memory.write(layout.offset, &vec![value; size]));
    } else {
        layout.shape.indices().for_each(|i| memory.set(layout.position(&i), value));
    }
}

/// Writes these elements in row-major order.
#[track_caller]
pub(crate) fn assign<T: Element>(memory: &Memory<T>, layout: &Layout, elements: &[T]) {
    if layout.is_contiguous() {
        done(memory.write(layout.offset, elements));
    } else if done(Scalar::of::<T>()) == Scalar::U32 {
        layout.shape.indices().zip(elements).for_each(|(i, &element)| memory.set(layout.position(&i), element));
    } else {
        let from = View::over(Data::Host(elements), Layout::contiguous(layout.shape, 0));
        kernels::copy(memory.gpu(), from, ViewMut::over(DataMut::Gpu(memory, PhantomData), *layout));
    }
}

/// Whether all its bytes are zero: not so −0.
fn is_all_zeros<T: Element>(value: T, scalar: Scalar) -> bool {
    if scalar == Scalar::U32 { value == T::default() } else { number(value).to_bits() == 0 }
}

/// One of the numbers that kernels compute with.
fn number<T: Element>(x: T) -> f64 {
    let x: &dyn Any = &x;
    x.downcast_ref::<f64>().copied().or_else(|| x.downcast_ref().copied().map(f32::into)).unwrap_or(f64::NAN)
}

/// Applies f to each element, in place.
#[track_caller]
pub(crate) fn apply<T: Real>(f: Map<T>, x: ViewMut<T>) {
    let (data, layout) = x.into_place();
    let DataMut::Gpu(memory, alone) = data else { unreachable!("it lies on a GPU") };
    let (from, to) = (View::over(Data::Gpu(memory), layout), ViewMut::over(DataMut::Gpu(memory, alone), layout));
    kernels::map(memory.gpu(), f, from, to); // each thread reads its element before it writes it
}

/// Makes room for `to` elements: in this buffer, if it is nobody else's and large enough. The `kept` elements from `first` on
/// come to lie in front; those of a buffer that is shared are left to the others.
#[track_caller]
pub(crate) fn grow<T: Element>(memory: &mut Arc<Memory<T>>, first: usize, kept: usize, to: usize) {
    let (gpu, len) = (memory.gpu(), memory.len());
    if Arc::get_mut(memory).is_none() {
        *memory = Arc::new(done(Memory::zeros(gpu, to)));
    } else if first > 0 || len < to {
        // Half as much again, so that what grows step by step is not copied at each.
        let room = if len < to { to.max(len / 2 * 3) } else { to };
        let new = done(Memory::any(gpu, room));
        done(new.copy(0, memory, first..first + kept));
        *memory = Arc::new(new);
    }
}
