//! Gathering by index, and scattering back.

use ndarray::Zip;

use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn gather_rows<T: Real>(table: View<T>, index: View<u32>, y: ViewMut<T>) {
    let (table, index) = (table.host(), index.host());
    for (mut y, &i) in y.host().rows_mut().into_iter().zip(&index) {
        y.assign(&table.index_axis(ndarray::Axis(0), i as usize));
    }
}

pub(in crate::cpu) fn scatter_add_rows<T: Real>(index: View<u32>, dy: View<T>, dtable: ViewMut<T>) {
    let (dy, index, mut dtable) = (dy.host(), index.host(), dtable.host());
    for (dy, &i) in dy.rows().into_iter().zip(&index) {
        let row = dtable.index_axis_mut(ndarray::Axis(0), i as usize);
        Zip::from(row).and(dy.into_dyn()).for_each(|dt, &dy| *dt += dy);
    }
}

pub(in crate::cpu) fn gather<T: Real>(x: View<T>, index: View<u32>, y: ViewMut<T>) {
    Zip::from(y.host().rows_mut()).and(x.host().rows()).and(index.host().rows()).for_each(|mut y, x, index| {
        y.iter_mut().zip(index).for_each(|(y, &i)| *y = x[i as usize]);
    });
}

pub(in crate::cpu) fn scatter_add<T: Real>(index: View<u32>, dy: View<T>, dx: ViewMut<T>) {
    Zip::from(dx.host().rows_mut()).and(dy.host().rows()).and(index.host().rows()).for_each(|mut dx, dy, index| {
        dy.iter().zip(index).for_each(|(&dy, &i)| dx[i as usize] += dy);
    });
}
