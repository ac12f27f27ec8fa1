//! The terms of an entropy and their slopes, one vector at a time; see [`Map::EntropyTerm`](crate::Map::EntropyTerm).

use super::Rows;
use super::elementary::exp;
use super::isa::{Isa, for_each_vector};
use crate::view::{View, ViewMut};

/// −x·eˣ. An x below −104, where eˣ rounds to 0, is replaced by −104, so that −∞ gives 0.
#[inline(always)]
pub(super) fn term<S: Isa>(s: S, x: S::V) -> S::V {
    let x = s.max(x, -104.0);
    s.mul(s.mul(x, s.splat(-1.0)), exp(s, x))
}

/// −(1 + x)·eˣ, with x bounded as in [`term`].
#[inline(always)]
pub(super) fn slope<S: Isa>(s: S, x: S::V) -> S::V {
    let x = s.max(x, -104.0);
    s.mul(s.mul(s.add(s.splat(1.0), x), s.splat(-1.0)), exp(s, x))
}

/// dx += −(1 + x)·eˣ·dy with one dy for each row, from [`View::row_constants`]. Returns dx in the `Err` if rows of x or dx have
/// gaps.
pub(super) fn backward<'y, S: Isa>(
    s: S,
    x: View<f32>,
    (dy, distance): (&[f32], usize),
    dx: ViewMut<'y, f32>,
) -> Result<(), ViewMut<'y, f32>> {
    let mut rows = Rows::from_views([x], dx)?;
    s.run(
        #[inline(always)]
        || {
            for i in 0..rows.count {
                let (dy, ([x], dx)) = (s.splat(dy[i * distance]), rows.row(i));
                for_each_vector(
                    s,
                    x.len(),
                    #[inline(always)]
                    |at| at.add(s.mul(slope(s, at.load(x)), dy), dx),
                );
            }
        },
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::{Map, Tensor, available_kernels};

    /// The numbers cover all exponents and the ends of the range. The five extra numbers make the last vector partial.
    #[test]
    fn entropy_terms_have_the_bits_of_the_scalar_functions() {
        let mut x: Vec<f32> = (0..u32::MAX).step_by(1 << 17).map(f32::from_bits).collect();
        x.extend([f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.0, -0.0]);
        let x = Tensor::new([x.len()], x);
        let mut y = Tensor::zeros(x.shape());
        for (k, f) in available_kernels().into_iter().flat_map(|k| [(k, Map::EntropyTerm), (k, Map::EntropySlope)]) {
            k.map(f, x.view(), y.view_mut());
            for (&x, y) in x.to_vec().iter().zip(y.to_vec()) {
                let want = f.apply(x);
                let same = y.to_bits() == want.to_bits() || y.is_nan() && want.is_nan();
                assert!(same, "{f:?} of {x:e} by {} is {y:e}, not {want:e}", k.name());
            }
        }
    }
}
