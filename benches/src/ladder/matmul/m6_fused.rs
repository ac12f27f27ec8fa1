//! Fused multiply-add: a product and its addition are one instruction with one rounding.
//!
//! Change from [`m5_wide_tile`](super::m5_wide_tile): the tile calls `mul_add`. Half as many instructions do the same work.
//! This also needs a build with `RUSTFLAGS="-C target-cpu=native"`; without it, the rung equals
//! `m5_wide_tile`. AVX-512 has registers for a larger tile, but in this form the compiler keeps its sums in memory.

use super::m4_packed::{MR, Packed};
use super::m5_wide_tile::NR;

/// Computes y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    Packed::<NR>::new([k, n], b).matmul(m, a, y, compute_tile);
}

/// True if the build allows the instruction. Otherwise `mul_add` would call a slow library function.
const HAS_FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// Computes Σ_p a_p · b_pᵀ, where a_p is a column of the panel of a and b_p a row of the panel of b.
fn compute_tile(a_panel: &[f32], b_panel: &[f32]) -> [[f32; NR]; MR] {
    let mut sums = [[0.0; NR]; MR];
    for (a, b) in a_panel.as_chunks::<MR>().0.iter().zip(b_panel.as_chunks::<NR>().0) {
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum = if HAS_FMA { a.mul_add(b, *sum) } else { a * b + *sum };
            }
        }
    }
    sums
}
