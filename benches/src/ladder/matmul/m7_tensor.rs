//! The kernel that training uses on this machine.
//!
//! Changes from [`m6_fused`](super::m6_fused): the vector instructions are written by hand and chosen at run time, so
//! no build flag is needed. With AVX-512 a tile has 8 rows by 48 columns. b is packed only if its rows are far apart, a
//! is never packed, and a single row has a tile of its own. The file `simd/matmul.rs` of `tensor` explains these choices.

use tensor::{Form, Real, View, ViewMut};

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    let (a, b) = (View::new(&a[..m * k], [m, k]), View::new(&b[..k * n], [k, n]));
    f32::kernels().matmul(Form::NN, a, b, false, ViewMut::new(&mut y[..m * n], [m, n]));
}
