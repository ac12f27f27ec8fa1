//! Cache blocking: all rows of a use one block of b before the next block is loaded.
//!
//! Change from [`m1_reordered`](super::m1_reordered): two more outer loops. Without them, all of b passes through the
//! cache for every row of y. A block of 128 · 512 numbers is 256 KiB and stays in the L2 cache for M rows. A block that
//! fits the L1 cache would be 64 · 64, and its short inner loops cost more than they save.
//!
//! Blocking alone does not pay: the inner loop still loads b, loads y and stores y for every product. It pays once a register
//! tile has removed these loads and stores.

use core::ops::Range;

/// The number of rows of a block of b.
const KC: usize = 128;
/// The number of columns of a block of b.
const NC: usize = 512;

/// Computes y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    y[..m * n].fill(0.0);
    for ps in split(k, KC) {
        for js in split(n, NC) {
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

/// Splits 0..`len` into ranges of length `size`. The last range may be shorter.
pub(super) fn split(len: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(size).map(move |start| start..len.min(start + size))
}
