//! Elementwise functions of one and two arguments, row by row, or as one row if no operand has gaps.

use super::isa::{Isa, for_each_vector};
use super::{Rows, are_contiguous, as_slice, as_slice_mut, elementary, entropy};
use crate::cpu::fast::elementwise;
use crate::kernels::{Binary, for_binary};
use crate::map::{Map, for_map};
use crate::view::{View, ViewMut};

pub(super) fn map<S: Isa>(s: S, f: Map<f32>, x: View<f32>, y: ViewMut<f32>) {
    let rows = match Rows::from_views([x], y) {
        Ok(rows) => rows.flattened(),
        Err(y) => return elementwise::map(f, x, y),
    };
    s.run(
        #[inline(always)]
        || {
            macro_rules! by_vectors {
                ($f:path) => {
                    rows.for_each(
                        #[inline(always)]
                        |[x], y| {
                            for_each_vector(
                                s,
                                x.len(),
                                #[inline(always)]
                                |at| at.store($f(s, at.load(x)), y),
                            )
                        },
                    )
                };
            }
            match f {
                Map::Exp => by_vectors!(elementary::exp),
                Map::Tanh => by_vectors!(elementary::tanh),
                Map::Sigmoid => by_vectors!(elementary::sigmoid),
                Map::EntropyTerm => by_vectors!(entropy::term),
                Map::EntropySlope => by_vectors!(entropy::slope),
                Map::Identity => rows.for_each(|[x], y| y.copy_from_slice(x)),
                f => for_map!(f, |f| rows.for_each(
                    #[inline(always)]
                    |[x], y| y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x))
                )),
            }
        },
    );
}

pub(super) fn map_backward<S: Isa>(s: S, slope: Map<f32>, kept: View<f32>, dy: View<f32>, dx: ViewMut<f32>) {
    if let (Map::EntropySlope, Some(constants)) = (slope, dy.row_constants()) {
        return entropy::backward(s, kept, constants, dx)
            .unwrap_or_else(|dx| elementwise::map_backward(slope, kept, dy, dx));
    }
    if slope == Map::Step || !are_contiguous(&[kept, dy], &[&dx]) {
        return elementwise::map_backward(slope, kept, dy, dx);
    }
    let (kept, dy, dx) = (as_slice(kept), as_slice(dy), as_slice_mut(dx));
    s.run(
        #[inline(always)]
        || for_map!(slope, |slope| dx.iter_mut().zip(kept).zip(dy).for_each(|((dx, &k), &dy)| *dx += slope(k) * dy)),
    );
}

pub(super) fn binary<S: Isa>(s: S, op: Binary, a: View<f32>, b: View<f32>, y: ViewMut<f32>) {
    let rows = match Rows::from_views([a, b], y) {
        Ok(rows) => rows.flattened(),
        Err(y) => return elementwise::binary(op, a, b, y),
    };
    s.run(
        #[inline(always)]
        || {
            for_binary!(op, |f| rows.for_each(
                #[inline(always)]
                |[a, b], y| y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = f(a, b)),
            ))
        },
    );
}
