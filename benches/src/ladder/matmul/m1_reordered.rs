//! The loops over j and p are exchanged: each row of y is a sum of rows of b.
//!
//! Change from [`m0_naive`](super::m0_naive): the innermost loop reads b and y in the order of memory. Its iterations do
//! not depend on each other, so the compiler vectorises it. Each entry adds the same terms in the same order, so the
//! results have the same bits.

/// Computes y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    y[..m * n].fill(0.0);
    for i in 0..m {
        let y_row = &mut y[i * n..][..n];
        for p in 0..k {
            let a_ip = a[i * k + p];
            let b_row = &b[p * n..][..n];
            y_row.iter_mut().zip(b_row).for_each(|(y, &b)| *y += a_ip * b);
        }
    }
}
