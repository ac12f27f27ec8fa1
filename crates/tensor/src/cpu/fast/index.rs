//! Gather by index, and its backward, scatter-add.

use ndarray::Zip;

use crate::real::Real;
use crate::view::{View, ViewMut};

pub(in crate::cpu) fn gather_rows<T: Real>(table: View<T>, index: View<u32>, y: ViewMut<T>) {
    let (table, index) = (table.as_ndarray(), index.as_ndarray());
    for (mut y, &i) in y.into_ndarray().rows_mut().into_iter().zip(&index) {
        y.assign(&table.index_axis(ndarray::Axis(0), i as usize));
    }
}

pub(in crate::cpu) fn scatter_add_rows<T: Real>(index: View<u32>, dy: View<T>, dtable: ViewMut<T>) {
    let (dy, index, mut dtable) = (dy.as_ndarray(), index.as_ndarray(), dtable.into_ndarray());
    for (dy, &i) in dy.rows().into_iter().zip(&index) {
        let row = dtable.index_axis_mut(ndarray::Axis(0), i as usize);
        Zip::from(row).and(dy.into_dyn()).for_each(|dt, &dy| *dt += dy);
    }
}

pub(in crate::cpu) fn gather<T: Real>(x: View<T>, index: View<u32>, y: ViewMut<T>) {
    Zip::from(y.into_ndarray().rows_mut()).and(x.as_ndarray().rows()).and(index.as_ndarray().rows()).for_each(
        |mut y, x, index| {
            y.iter_mut().zip(index).for_each(|(y, &i)| *y = x[i as usize]);
        },
    );
}

pub(in crate::cpu) fn scatter_add<T: Real>(index: View<u32>, dy: View<T>, dx: ViewMut<T>) {
    Zip::from(dx.into_ndarray().rows_mut()).and(dy.as_ndarray().rows()).and(index.as_ndarray().rows()).for_each(
        |mut dx, dy, index| {
            dy.iter().zip(index).for_each(|(&dy, &i)| dx[i as usize] += dy);
        },
    );
}
