//! eˣ, tanh and σ of a vector. They take the same steps as the scalar functions in `crate::elementary`, and every
//! operation is rounded on its own. So they give the same bits.

use super::isa::Isa;
use crate::elementary::{LN_2, ROUND};

/// (n, p) with eˣ = 2ⁿ·(1 + p), for |x| ≤ 150.
#[inline(always)]
fn split<S: Isa>(s: S, x: S::V) -> (S::V, S::V) {
    let n = round(s, s.mul(x, s.splat(core::f32::consts::LOG2_E)));
    let r = s.sub(x, s.mul(n, s.splat(LN_2[0])));
    let r = s.sub(r, s.mul(n, s.splat(LN_2[1])));
    let mut series = s.splat(1.0 / 5040.0);
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 1.0 / 2.0] {
        series = s.add(s.splat(c), s.mul(r, series));
    }
    (n, s.add(r, s.mul(s.mul(r, r), series)))
}

/// The nearest integer, for |x| ≤ 2²².
#[inline(always)]
fn round<S: Isa>(s: S, x: S::V) -> S::V {
    s.sub(s.add(x, s.splat(ROUND)), s.splat(ROUND))
}

#[inline(always)]
pub(super) fn exp<S: Isa>(s: S, x: S::V) -> S::V {
    let x = s.max(s.min(x, 89.0), -104.0);
    let (n, p) = split(s, x);
    let half = round(s, s.mul(s.splat(0.5), n));
    let scaled = s.mul(s.add(s.splat(1.0), p), s.power_of_two(half));
    s.mul(scaled, s.power_of_two(s.sub(n, half)))
}

#[inline(always)]
pub(super) fn tanh<S: Isa>(s: S, x: S::V) -> S::V {
    let a = s.min(s.abs(x), 10.0);
    let (n, p) = split(s, s.mul(s.splat(2.0), a));
    let scale = s.power_of_two(n);
    let u = s.add(s.mul(scale, p), s.sub(scale, s.splat(1.0)));
    s.copysign(s.div(u, s.add(u, s.splat(2.0))), x)
}

#[inline(always)]
pub(super) fn sigmoid<S: Isa>(s: S, x: S::V) -> S::V {
    let e = exp(s, s.copysign(x, s.splat(-1.0)));
    // The numerator is e for negative x and 1 otherwise, so both cases share one division.
    let numerator = s.select_negative(x, e, s.splat(1.0));
    s.div(numerator, s.add(s.splat(1.0), e))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::{Map, Tensor, available_kernels};

    /// The numbers cover all exponents and the ends of the range. The five extra numbers make the last vector partial.
    #[test]
    fn map_of_every_instruction_set_gives_the_bits_of_the_scalar_functions() {
        let mut x: Vec<f32> = (0..u32::MAX).step_by(1 << 17).map(f32::from_bits).collect();
        x.extend([f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.0, -0.0]);
        let x = Tensor::new([x.len()], x);
        let mut y = Tensor::zeros(x.shape());
        for k in available_kernels() {
            for f in [Map::Exp, Map::Log, Map::Tanh, Map::Sigmoid, Map::Sin, Map::Cos] {
                k.map(f, x.view(), y.view_mut());
                for (&x, y) in x.to_vec().iter().zip(y.to_vec()) {
                    let want = f.apply(x);
                    let same = y.to_bits() == want.to_bits() || y.is_nan() && want.is_nan();
                    assert!(same, "{f:?} of {x:e} by {} is {y:e}, not {want:e}", k.name());
                }
            }
        }
    }
}
