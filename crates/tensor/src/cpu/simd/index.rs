//! Gather and scatter-add of the rows of a contiguous table.

use super::isa::Isa;
use super::{are_contiguous, as_slice, as_slice_mut};
use crate::cpu::fast::index;
use crate::view::{View, ViewMut};

pub(super) fn gather_rows<S: Isa>(s: S, table: View<f32>, index: View<u32>, y: ViewMut<f32>) {
    let (true, Some(index)) = (are_contiguous(&[table], &[&y]), index.as_slice()) else {
        return index::gather_rows(table, index, y);
    };
    let columns = table.shape().last_extent();
    let (table, y) = (as_slice(table), as_slice_mut(y));
    s.run(
        #[inline(always)]
        || {
            for (y, &i) in y.chunks_exact_mut(columns).zip(index) {
                y.copy_from_slice(&table[i as usize * columns..][..columns]);
            }
        },
    );
}

pub(super) fn scatter_add_rows<S: Isa>(s: S, index: View<u32>, dy: View<f32>, dtable: ViewMut<f32>) {
    let (true, Some(index)) = (are_contiguous(&[dy], &[&dtable]), index.as_slice()) else {
        return index::scatter_add_rows(index, dy, dtable);
    };
    let columns = dtable.shape().last_extent();
    let (dy, dtable) = (as_slice(dy), as_slice_mut(dtable));
    s.run(
        #[inline(always)]
        || {
            for (dy, &i) in dy.chunks_exact(columns).zip(index) {
                dtable[i as usize * columns..][..columns].iter_mut().zip(dy).for_each(|(dt, &dy)| *dt += dy);
            }
        },
    );
}
