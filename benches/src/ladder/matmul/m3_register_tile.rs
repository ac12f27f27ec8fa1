//! A tile of y, 4 rows by 8 columns, stays in registers while k runs.
//!
//! Against [`m2_blocked`](super::m2_blocked): there every product costs a load of b, a load of y and a store of y. Here a
//! tile is loaded and stored once in a block, and 8 numbers of b serve 4 rows: 12 loads for 32 products. The
//! eight sums of four numbers each fill half of the sixteen vector registers that every x86-64 has. Rows and columns that
//! fill no tile are left to the loop of the rung below.

use core::ops::Range;

use super::m2_blocked::cut;

/// Rows of a block of b. Its columns need no bound: a tile reads eight of them.
const KC: usize = 256;
/// Rows of a tile.
const MR: usize = 4;
/// Its columns.
const NR: usize = 8;

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    y[..m * n].fill(0.0);
    for ps in cut(k, KC) {
        for js in cut(n, NR) {
            for is in cut(m, MR) {
                if (is.len(), js.len()) == (MR, NR) {
                    tile([k, n], a, b, y, is.start, ps.clone(), js.start);
                } else {
                    edge([k, n], a, b, y, is, ps.clone(), js.clone());
                }
            }
        }
    }
}

/// y_ij += Σ_p a_ip · b_pj, for the MR rows from `i` and the NR columns from `j`.
fn tile([k, n]: [usize; 2], a: &[f32], b: &[f32], y: &mut [f32], i: usize, ps: Range<usize>, j: usize) {
    let a_rows: [&[f32]; MR] = core::array::from_fn(|r| &a[(i + r) * k..][ps.clone()]);
    let mut sums = [[0.0; NR]; MR];
    for (at, p) in ps.enumerate() {
        let b_row = &b[p * n + j..][..NR];
        for (sums, a_row) in sums.iter_mut().zip(a_rows) {
            let a_ip = a_row[at];
            sums.iter_mut().zip(b_row).for_each(|(sum, &b)| *sum += a_ip * b);
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let y_row = &mut y[(i + r) * n + j..][..NR];
        y_row.iter_mut().zip(sums).for_each(|(y, sum)| *y += sum);
    }
}

/// The same for any rows and columns.
fn edge([k, n]: [usize; 2], a: &[f32], b: &[f32], y: &mut [f32], is: Range<usize>, ps: Range<usize>, js: Range<usize>) {
    for i in is {
        let y_row = &mut y[i * n..][js.clone()];
        for p in ps.clone() {
            let a_ip = a[i * k + p];
            let b_row = &b[p * n..][js.clone()];
            y_row.iter_mut().zip(b_row).for_each(|(y, &b)| *y += a_ip * b);
        }
    }
}
