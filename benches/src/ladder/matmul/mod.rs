//! y\[M,N\] = a\[M,K\] · b\[K,N\].

pub mod m0_naive;
pub mod m1_reordered;
pub mod m2_blocked;
pub mod m3_register_tile;
pub mod m4_packed;

/// A rung: overwrites y with a · b, all without gaps, for the sizes \[M, K, N\].
///
/// # Panics
/// If a slice is shorter than its sizes say.
pub type Matmul = fn([usize; 3], &[f32], &[f32], &mut [f32]);

/// All rungs with their names, from the bottom up.
pub const RUNGS: [(&str, Matmul); 5] = [
    ("m0_naive", m0_naive::matmul),
    ("m1_reordered", m1_reordered::matmul),
    ("m2_blocked", m2_blocked::matmul),
    ("m3_register_tile", m3_register_tile::matmul),
    ("m4_packed", m4_packed::matmul),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{uniform, verify};

    /// Sizes around tiles and blocks: one short of them, equal, one more; none, one, and the network's.
    const SIZES: [[usize; 3]; 15] = [
        [1, 1, 1],
        [3, 5, 7],
        [4, 8, 8],
        [5, 9, 17],
        [8, 64, 16],
        [7, 65, 9],
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
    fn every_rung_gives_the_lowest_ones_product() {
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
    fn the_lowest_rung_is_the_definition() {
        let mut y = [f32::NAN; 4];
        m0_naive::matmul([2, 3, 2], &[1., 2., 3., 4., 5., 6.], &[1., 0., 0., 1., 10., 100.], &mut y);
        assert_eq!(y, [31., 302., 64., 605.]);
    }
}
