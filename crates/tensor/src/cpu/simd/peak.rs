//! A loop of multiply-adds at the full rate of the processor, to measure its peak.

use core::hint::black_box;

use super::Simd;
use super::isa::Isa;

/// The number of independent chains: enough to hide the latency of a multiply-add, and few enough for the registers.
const CHAINS: usize = 12;

impl<S: Isa> Simd<S> {
    /// Runs `steps` multiply-adds x = x·a + b in each lane of several vectors. Returns their number, and a sum that depends on
    /// all of them.
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
                // SAFETY: the mask enables one lane, and `first` has room for one number.
                unsafe { s.store_masked(sum, first.as_mut_ptr(), s.mask(1)) };
                first[0]
            },
        );
        (CHAINS * S::LANES * steps, sum)
    }
}
