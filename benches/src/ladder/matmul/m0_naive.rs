//! The definition: y_ij = Σ_k a_ik · b_kj, one entry at a time.
//!
//! It is the reference, and slow for two reasons: b is read down its columns, a new cache line for every term, and each
//! sum waits for the one before it, as the order of a sum of floats may not be changed by a compiler.

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
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
