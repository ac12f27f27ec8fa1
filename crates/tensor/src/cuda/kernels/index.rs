//! Gathering by index, and scattering back: a thread for each element of the output.

use super::{Call, Card, checked, parts};
use crate::cuda::modules::Entry;
use crate::real::Real;
use crate::view::{View, ViewMut};

#[track_caller]
pub(super) fn gather_rows<T: Real>(card: &'static Card, table: View<T>, index: View<u32>, y: ViewMut<T>) {
    let blocks = parts(y.shape().size(), 256);
    checked(card, "gather_rows", table.shape(), |bad| {
        (Call::new::<T>(card, Entry::GatherRows).read(table).read(index).write(y).memory(bad), blocks)
    });
}

#[track_caller]
pub(super) fn scatter_add_rows<T: Real>(card: &'static Card, index: View<u32>, dy: View<T>, dtable: ViewMut<T>) {
    let shape = dtable.shape();
    let blocks = parts(shape.size().max(index.shape().size()), 256);
    checked(card, "scatter_add_rows", shape, |bad| {
        (Call::new::<T>(card, Entry::ScatterAddRows).read(index).read(dy).write(dtable).memory(bad), blocks)
    });
}

#[track_caller]
pub(super) fn gather<T: Real>(card: &'static Card, x: View<T>, index: View<u32>, y: ViewMut<T>) {
    let blocks = parts(y.shape().size(), 256);
    checked(card, "gather", x.shape(), |bad| {
        (Call::new::<T>(card, Entry::Gather).read(x).read(index).write(y).memory(bad), blocks)
    });
}

#[track_caller]
pub(super) fn scatter_add<T: Real>(card: &'static Card, index: View<u32>, dy: View<T>, dx: ViewMut<T>) {
    let shape = dx.shape();
    let blocks = parts(shape.size().max(index.shape().size()), 256);
    checked(card, "scatter_add", shape, |bad| {
        (Call::new::<T>(card, Entry::ScatterAdd).read(index).read(dy).write(dx).memory(bad), blocks)
    });
}
