//! Elementwise functions of one and two arguments, by `Zip` of `ndarray`.

use ndarray::Zip;

use crate::kernels::{Binary, for_binary};
use crate::map::{Map, for_map};
use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn map<T: Real>(f: Map<T>, x: View<T>, y: ViewMut<T>) {
    let zip = Zip::from(y.into_ndarray()).and(x.as_ndarray());
    for_map!(f, |f| zip.for_each(|y, &x| *y = f(x)));
}

pub(in crate::cpu) fn map_backward<T: Real>(slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>) {
    let zip = Zip::from(dx.into_ndarray()).and(kept.as_ndarray()).and(dy.as_ndarray());
    if slope == Map::Step {
        return zip.for_each(|dx, &kept, &dy| *dx += if kept > T::zero() { dy } else { T::zero() });
    }
    for_map!(slope, |slope| zip.for_each(|dx, &kept, &dy| *dx += slope(kept) * dy));
}

pub(in crate::cpu) fn binary<T: Real>(op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>) {
    let shape = y.shape();
    let zip =
        Zip::from(y.into_ndarray()).and(a.broadcast_to(shape).as_ndarray()).and(b.broadcast_to(shape).as_ndarray());
    for_binary!(op, |f| zip.for_each(|y, &a, &b| *y = f(a, b)));
}
