//! A tile of y, 4 rows by 8 columns, stays in registers while p runs.
//!
//! Change from [`m2_blocked`](super::m2_blocked): there, every product costs a load of b, a load of y and a store of y.
//! Here, a tile is loaded and stored once per block, and 8 numbers of b serve 4 rows: 12 loads for 32 products. The tile is
//! eight vectors of four sums, half of the sixteen vector registers of every x86-64. Rows and columns that do
//! not fill a tile use the loop of `m2_blocked`.

use core::ops::Range;

use super::m2_blocked::split;

/// The number of rows of a block of b. Its columns need no bound: a tile reads eight of them.
const KC: usize = 256;
/// The number of rows of a tile.
const MR: usize = 4;
/// The number of columns of a tile.
const NR: usize = 8;

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    y[..m * n].fill(0.0);
    for ps in split(k, KC) {
        for js in split(n, NR) {
            for is in split(m, MR) {
                if (is.len(), js.len()) == (MR, NR) {
                    add_tile([k, n], a, b, y, is.start, ps.clone(), js.start);
                } else {
                    add_edge([k, n], a, b, y, is, ps.clone(), js.clone());
                }
            }
        }
    }
}

/// y_ij += Σ_p a_ip · b_pj, for the MR rows from `i` and the NR columns from `j`.
fn add_tile([k, n]: [usize; 2], a: &[f32], b: &[f32], y: &mut [f32], i: usize, ps: Range<usize>, j: usize) {
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

/// Adds the same sum as [`add_tile`], for any number of rows and columns.
fn add_edge(
    [k, n]: [usize; 2],
    a: &[f32],
    b: &[f32],
    y: &mut [f32],
    is: Range<usize>,
    ps: Range<usize>,
    js: Range<usize>,
) {
    for i in is {
        let y_row = &mut y[i * n..][js.clone()];
        for p in ps.clone() {
            let a_ip = a[i * k + p];
            let b_row = &b[p * n..][js.clone()];
            y_row.iter_mut().zip(b_row).for_each(|(y, &b)| *y += a_ip * b);
        }
    }
}
