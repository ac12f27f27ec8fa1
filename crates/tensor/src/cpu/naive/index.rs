//! Gather by index, and its backward, scatter-add.

use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn gather_rows<T: Real>(table: View<T>, index: View<u32>, mut y: ViewMut<T>) {
    for i in index.shape().indices() {
        for e in 0..table.shape()[1] {
            y.set(&i.append(e), table.get(&[index.get(&i) as usize, e]));
        }
    }
}

pub(super) fn scatter_add_rows<T: Real>(index: View<u32>, dy: View<T>, mut dtable: ViewMut<T>) {
    for i in index.shape().indices() {
        for e in 0..dtable.shape()[1] {
            dtable.add_at(&[index.get(&i) as usize, e], dy.get(&i.append(e)));
        }
    }
}

pub(super) fn gather<T: Real>(x: View<T>, index: View<u32>, mut y: ViewMut<T>) {
    for i in index.shape().indices() {
        y.set(&i, x.get(&i.replace_last(index.get(&i) as usize)));
    }
}

pub(super) fn scatter_add<T: Real>(index: View<u32>, dy: View<T>, mut dx: ViewMut<T>) {
    for i in index.shape().indices() {
        dx.add_at(&i.replace_last(index.get(&i) as usize), dy.get(&i));
    }
}
