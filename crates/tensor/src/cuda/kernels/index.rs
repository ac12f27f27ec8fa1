//! Gathering by index and scattering back: one thread for each element of the output.

use super::{Call, Gpu, call_checking_indices};
use crate::cuda::modules::Entry;
use crate::real::Real;
use crate::view::{View, ViewMut};

#[track_caller]
pub(super) fn gather_rows<T: Real>(gpu: &'static Gpu, table: View<T>, index: View<u32>, y: ViewMut<T>) {
    let blocks = Entry::GatherRows.blocks(y.shape().size());
    call_checking_indices(gpu, "gather_rows", table.shape(), |bad| {
        (Call::new::<T>(gpu, Entry::GatherRows).read(table).read(index).write(y).memory(bad), blocks)
    });
}

#[track_caller]
pub(super) fn scatter_add_rows<T: Real>(gpu: &'static Gpu, index: View<u32>, dy: View<T>, dtable: ViewMut<T>) {
    let shape = dtable.shape();
    let blocks = Entry::ScatterAddRows.blocks(shape.size().max(index.shape().size()));
    call_checking_indices(gpu, "scatter_add_rows", shape, |bad| {
        (Call::new::<T>(gpu, Entry::ScatterAddRows).read(index).read(dy).write(dtable).memory(bad), blocks)
    });
}

#[track_caller]
pub(super) fn gather<T: Real>(gpu: &'static Gpu, x: View<T>, index: View<u32>, y: ViewMut<T>) {
    let blocks = Entry::Gather.blocks(y.shape().size());
    call_checking_indices(gpu, "gather", x.shape(), |bad| {
        (Call::new::<T>(gpu, Entry::Gather).read(x).read(index).write(y).memory(bad), blocks)
    });
}

#[track_caller]
pub(super) fn scatter_add<T: Real>(gpu: &'static Gpu, index: View<u32>, dy: View<T>, dx: ViewMut<T>) {
    let shape = dx.shape();
    let blocks = Entry::ScatterAdd.blocks(shape.size().max(index.shape().size()));
    call_checking_indices(gpu, "scatter_add", shape, |bad| {
        (Call::new::<T>(gpu, Entry::ScatterAdd).read(index).read(dy).write(dx).memory(bad), blocks)
    });
}
