//! Elementwise functions of one and two arguments, one element at a time.

use crate::kernels::Binary;
use crate::map::Map;
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(super) fn map<T: Real>(f: Map<T>, x: View<T>, mut y: ViewMut<T>) {
    for i in y.shape().indices() {
        y.set(&i, f.apply(x.get(&i)));
    }
}

pub(super) fn map_backward<T: Real>(slope: Map<T>, kept: View<T>, dy: View<T>, mut dx: ViewMut<T>) {
    for i in dx.shape().indices() {
        let (kept, dy) = (kept.get(&i), dy.get(&i));
        match slope {
            Map::Step if kept > T::zero() => dx.add_at(&i, dy),
            Map::Step => {}
            _ => dx.add_at(&i, slope.apply(kept) * dy),
        }
    }
}

pub(super) fn binary<T: Real>(op: Binary, a: View<T>, b: View<T>, mut y: ViewMut<T>) {
    for i in y.shape().indices() {
        let (a, b) = (a.get(&i.unbroadcast(a.shape())), b.get(&i.unbroadcast(b.shape())));
        y.set(&i, op.apply(a, b));
    }
}
