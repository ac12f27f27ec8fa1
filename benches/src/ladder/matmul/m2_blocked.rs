//! b is taken block by block, and all rows of a use a block before the next one comes.
//!
//! Against [`m1_reordered`](super::m1_reordered): two more loops outside. Without them all of b passes through the cache for
//! every row of y; a block of 128 · 512 numbers is 256 KiB and stays in the second cache (L2) for M rows. Blocks that fit the
//! nearest cache would be 64 · 64, and such short inner loops cost more than they save.

use core::ops::Range;

/// Rows of a block of b.
const KC: usize = 128;
/// Its columns.
const NC: usize = 512;

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    y[..m * n].fill(0.0);
    for ps in cut(k, KC) {
        for js in cut(n, NC) {
            for i in 0..m {
                let y_row = &mut y[i * n..][js.clone()];
                for p in ps.clone() {
                    let a_ip = a[i * k + p];
                    let b_row = &b[p * n..][js.clone()];
                    y_row.iter_mut().zip(b_row).for_each(|(y, &b)| *y += a_ip * b);
                }
            }
        }
    }
}

/// 0..`len` in ranges of `size`, of which the last may be shorter.
pub(super) fn cut(len: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(size).map(move |start| start..len.min(start + size))
}
