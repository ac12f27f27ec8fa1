//! Both operands are first copied into the order in which tiles read them.
//!
//! Against [`m3_register_tile`](super::m3_register_tile): a tile reads from two streams without gaps, 8 numbers of b and 4 of a
//! at each turn, instead of from five rows that lie far apart (at N = 1024 each row of b is on a page of memory of its own).
//! The streams' lengths are known to the compiler, so there is no check in the loop; and panels are filled up with zeros, so
//! that every tile is a whole one and there is no edge. The copies cost M·K + K·N moves against M·K·N products.
//!
//! Source: K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), sections 4 and 5.

use super::m2_blocked::cut;

/// Rows of a block of b: of a panel of b, 8 KiB.
const KC: usize = 256;
/// Rows of a tile.
const MR: usize = 4;
/// Its columns.
const NR: usize = 8;

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    Packed::new([k, n], b).matmul(m, a, y);
}

/// b\[K,N\] in panels: in blocks of KC rows, of these panels of NR columns, and in each row after row.
pub struct Packed {
    size: [usize; 2],
    panels: Vec<f32>,
}

impl Packed {
    /// Copies b\[K,N\].
    ///
    /// # Panics
    /// If it is shorter.
    pub fn new([k, n]: [usize; 2], b: &[f32]) -> Self {
        let mut panels = Vec::with_capacity(k * n.next_multiple_of(NR));
        for ps in cut(k, KC) {
            for js in cut(n, NR) {
                for p in ps.clone() {
                    panels.extend_from_slice(&b[p * n..][js.clone()]);
                    panels.resize(panels.len() + NR - js.len(), 0.0);
                }
            }
        }
        Self { size: [k, n], panels }
    }

    /// y\[M,N\] = a\[M,K\] · b.
    ///
    /// # Panics
    /// If a or y is shorter.
    pub fn matmul(&self, m: usize, a: &[f32], y: &mut [f32]) {
        let [k, n] = self.size;
        y[..m * n].fill(0.0);
        let mut a_panel = [0.0; MR * KC];
        let mut blocks = &self.panels[..];
        for ps in cut(k, KC) {
            let (block, rest) = blocks.split_at(ps.len() * n.next_multiple_of(NR));
            blocks = rest;
            for is in cut(m, MR) {
                let a_panel = &mut a_panel[..MR * ps.len()];
                for (at, a_column) in a_panel.chunks_exact_mut(MR).enumerate() {
                    let row = |r| is.start + r;
                    let a_of = |r| if row(r) < m { a[row(r) * k + ps.start + at] } else { 0.0 };
                    a_column.copy_from_slice(&core::array::from_fn::<f32, MR, _>(a_of));
                }
                for (js, b_panel) in cut(n, NR).zip(block.chunks_exact(NR * ps.len())) {
                    let sums = tile(a_panel, b_panel);
                    for (i, sums) in is.clone().zip(sums) {
                        let y_row = &mut y[i * n..][js.clone()];
                        y_row.iter_mut().zip(sums).for_each(|(y, sum)| *y += sum);
                    }
                }
            }
        }
    }
}

/// Σ_p a_p · b_pᵀ over the columns of a panel of a and the rows of one of b.
fn tile(a_panel: &[f32], b_panel: &[f32]) -> [[f32; NR]; MR] {
    let mut sums = [[0.0; NR]; MR];
    for (a, b) in a_panel.as_chunks::<MR>().0.iter().zip(b_panel.as_chunks::<NR>().0) {
        for (sums, a) in sums.iter_mut().zip(a) {
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
    sums
}
