//! Packing: both operands are first copied into the order in which the tiles read them.
//!
//! Change from [`m3_register_tile`](super::m3_register_tile): a tile reads two contiguous streams, 8 numbers of b and 4 of a
//! per step. Before, it read five rows that are far apart; at N = 1024 each row of b is on its own page of memory. The
//! compiler knows the chunk lengths, so the loop has no bounds check. Panels are padded with zeros, so every tile is whole
//! and needs no edge code. The copies cost M·K + K·N moves against M·K·N products.
//!
//! Source: K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), sections 4 and 5.

use super::m2_blocked::split;

/// The number of rows of a block of b. A panel of b is then 8 KiB.
const KC: usize = 256;
/// The number of rows of a tile.
pub const MR: usize = 4;
/// The number of columns of a tile.
pub const NR: usize = 8;

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    Packed::<NR>::new([k, n], b).matmul(m, a, y, compute_tile::<MR, NR>);
}

/// b\[K,N\] in panels. The order is: blocks of KC rows, in each block panels of W columns, in each panel row after row.
pub struct Packed<const W: usize> {
    size: [usize; 2],
    panels: Vec<f32>,
}

impl<const W: usize> Packed<W> {
    /// Copies b\[K,N\].
    ///
    /// # Panics
    /// If b is shorter.
    pub fn new([k, n]: [usize; 2], b: &[f32]) -> Self {
        let mut panels = Vec::with_capacity(k * n.next_multiple_of(W));
        for ps in split(k, KC) {
            for js in split(n, W) {
                for p in ps.clone() {
                    panels.extend_from_slice(&b[p * n..][js.clone()]);
                    panels.resize(panels.len() + W - js.len(), 0.0);
                }
            }
        }
        Self { size: [k, n], panels }
    }

    /// Computes y\[M,N\] = a\[M,K\] · b in tiles of H rows by W columns.
    ///
    /// `tile` computes the sums of a tile from a panel of a and a panel of b.
    ///
    /// # Panics
    /// If a or y is shorter.
    pub fn matmul<const H: usize>(
        &self,
        m: usize,
        a: &[f32],
        y: &mut [f32],
        tile: impl Fn(&[f32], &[f32]) -> [[f32; W]; H],
    ) {
        let [k, n] = self.size;
        y[..m * n].fill(0.0);
        let mut a_panel = [[0.0; H]; KC];
        let mut blocks = &self.panels[..];
        for ps in split(k, KC) {
            let (block, rest) = blocks.split_at(ps.len() * n.next_multiple_of(W));
            blocks = rest;
            for is in split(m, H) {
                let a_panel = &mut a_panel[..ps.len()];
                for (at, a_column) in a_panel.iter_mut().enumerate() {
                    let row = |r| is.start + r;
                    let element = |r| if row(r) < m { a[row(r) * k + ps.start + at] } else { 0.0 };
                    *a_column = core::array::from_fn(element);
                }
                for (js, b_panel) in split(n, W).zip(block.chunks_exact(W * ps.len())) {
                    let sums = tile(a_panel.as_flattened(), b_panel);
                    for (i, sums) in is.clone().zip(sums) {
                        let y_row = &mut y[i * n..][js.clone()];
                        y_row.iter_mut().zip(sums).for_each(|(y, sum)| *y += sum);
                    }
                }
            }
        }
    }
}

/// Computes Σ_p a_p · b_pᵀ, where a_p is a column of the panel of a and b_p a row of the panel of b.
pub fn compute_tile<const H: usize, const W: usize>(a_panel: &[f32], b_panel: &[f32]) -> [[f32; W]; H] {
    let mut sums = [[0.0; W]; H];
    for (a, b) in a_panel.as_chunks::<H>().0.iter().zip(b_panel.as_chunks::<W>().0) {
        for (sums, a) in sums.iter_mut().zip(a) {
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
    sums
}
