//! Versions of the matrix product y\[M,N\] = a\[M,K\] · b\[K,N\].

pub mod m0_naive;
pub mod m1_reordered;
pub mod m2_blocked;
pub mod m3_register_tile;
pub mod m4_packed;
pub mod m5_wide_tile;
pub mod m6_fused;
pub mod m7_tensor;

/// A rung: overwrites y with a · b, for the sizes \[M, K, N\]. All three slices are row-major without gaps.
///
/// # Panics
/// If a slice is shorter than its sizes say.
pub type Matmul = fn([usize; 3], &[f32], &[f32], &mut [f32]);

/// All rungs with their names, from the lowest to the highest.
pub const RUNGS: [(&str, Matmul); 8] = [
    ("m0_naive", m0_naive::matmul),
    ("m1_reordered", m1_reordered::matmul),
    ("m2_blocked", m2_blocked::matmul),
    ("m3_register_tile", m3_register_tile::matmul),
    ("m4_packed", m4_packed::matmul),
    ("m5_wide_tile", m5_wide_tile::matmul),
    ("m6_fused", m6_fused::matmul),
    ("m7_tensor", m7_tensor::matmul),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{uniform, verify};

    /// Sizes that are one less than, equal to and one more than a tile or block; empty sizes; a single row; and sizes of
    /// the network.
    const SIZES: [[usize; 3]; 17] = [
        [1, 1, 1],
        [3, 5, 7],
        [4, 8, 8],
        [5, 9, 17],
        [8, 64, 16],
        [7, 65, 9],
        [4, 8, 15],
        [5, 256, 33],
        [33, 129, 65],
        [65, 257, 31],
        [1, 96, 288],
        [48, 96, 19],
        [2, 0, 3],
        [0, 2, 3],
        [2, 3, 0],
        [19, 300, 270],
        [3, 129, 515],
    ];

    #[test]
    fn matmul_rungs_give_the_naive_product() {
        for [m, k, n] in SIZES {
            let (a, b) = (uniform([m, k], 0).to_vec(), uniform([k, n], 1).to_vec());
            let product = |matmul: Matmul| {
                let mut y = vec![f32::NAN; m * n];
                matmul([m, k, n], &a, &b, &mut y);
                y.into_iter().map(f64::from).collect::<Vec<_>>()
            };
            let want = product(m0_naive::matmul);
            assert_eq!(want.len(), m * n);
            for (name, matmul) in RUNGS.into_iter().filter(|_| m * n > 0) {
                verify(&format!("{name} {m}x{k}x{n}"), &product(matmul), &want, 1e-5);
            }
        }
    }

    #[test]
    fn m0_naive_small_matrices_give_the_definition() {
        let mut y = [f32::NAN; 4];
        m0_naive::matmul([2, 3, 2], &[1., 2., 3., 4., 5., 6.], &[1., 0., 0., 1., 10., 100.], &mut y);
        assert_eq!(y, [31., 302., 64., 605.]);
    }
}
