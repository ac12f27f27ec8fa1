//! The definition: y_ij = Σ_p a_ip · b_pj, one entry at a time.
//!
//! This rung is the reference. It is slow for two reasons. It reads b down its columns, so every term touches a new cache
//! line. And each addition waits for the one before it, since a compiler may not reorder a sum of floats.

/// Computes y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
pub fn matmul([m, k, n]: [usize; 3], a: &[f32], b: &[f32], y: &mut [f32]) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = 0.0;
            for p in 0..k {
                sum += a[i * k + p] * b[p * n + j];
            }
            y[i * n + j] = sum;
        }
    }
}
