//! The loops over j and k change places: a row of y is a sum of rows of b.
//!
//! Against [`m0_naive`](super::m0_naive): the innermost loop runs along rows of b and y, without gaps, and its turns do not
//! depend on each other, so a compiler makes vector instructions of it. The terms of each entry are the same in the same
//! order, and so are the bits.

/// y\[M,N\] = a\[M,K\] · b\[K,N\]; see [`Matmul`](super::Matmul).
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
