//! As many multiply-adds as a processor can do, to know what its peak is.

use core::hint::black_box;

use super::Simd;
use super::isa::Isa;

/// Chains that do not wait for each other, enough to hide the latency of one, and few enough for the registers.
const CHAINS: usize = 12;

impl<S: Isa> Simd<S> {
    /// `steps` multiply-adds x = x·a + b in each lane of some vectors. Returns how many they were, and a sum that needs them
    /// all.
    pub(super) fn multiply_adds(&self, steps: usize) -> (usize, f32) {
        let s = self.0;
        let sum = s.run(
            #[inline(always)]
            || {
                let (a, b) = (s.splat(black_box(0.5)), s.splat(black_box(1.0)));
                let mut chains = [s.splat(0.0); CHAINS];
                for _ in 0..steps {
                    for x in &mut chains {
                        *x = s.mul_add(*x, a, b);
                    }
                }
                let mut first = [0.0; 1];
                let sum = chains.iter().fold(s.splat(0.0), |sum, &x| s.add(sum, x));
                // SAFETY: one lane counts, and there is room for one.
                unsafe { s.store_part(sum, first.as_mut_ptr(), s.mask(1)) };
                first[0]
            },
        );
        (CHAINS * S::LANES * steps, sum)
    }
}
