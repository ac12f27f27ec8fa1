//! A tile of 4 rows by 16 columns, the size of `tensor`'s tile for AVX2.
//!
//! Change from [`m4_packed`](super::m4_packed): with AVX2, the 4 by 8 tile is only four vectors of eight sums. An addition
//! takes several cycles, so four independent chains leave the adders idle for part of the time. Eight chains keep them busy,
//! and 16 numbers of b serve 4 rows: 20 loads for 64 products.
//!
//! The compiler uses AVX2 only in a build with `RUSTFLAGS="-C target-cpu=native"`. In a build for any x86-64 processor, a
//! vector has four numbers, this tile needs all sixteen registers, and it is slower than `m4_packed`.

use super::m4_packed::{MR, Packed, compute_tile};

/// The number of columns of a tile.
pub(super) const NR: usize = 16;

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    Packed::<NR>::new([k, n], b).matmul(m, a, y, compute_tile::<MR, NR>);
}
