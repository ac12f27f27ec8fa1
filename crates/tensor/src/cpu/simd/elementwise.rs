//! Maps and binary functions, row by row, or over all elements at once where none have gaps.

use core::ops::{Add, Div, Mul, Sub};

use super::isa::{Isa, each};
use super::{Rows, all, all_mut, elementary, entropy, packed};
use crate::cpu::fast::elementwise;
use crate::kernels::Binary;
use crate::map::{Map, for_map};
use crate::view::{View, ViewMut};

pub(super) fn map<S: Isa>(s: S, f: Map<f32>, x: View<f32>, y: ViewMut<f32>) {
    let rows = match Rows::of([x], y) {
        Ok(rows) => rows.in_one(),
        Err(y) => return elementwise::map(f, x, y),
    };
    s.run(
        #[inline(always)]
        || {
            macro_rules! by_hand {
                ($f:path) => {
                    rows.each(
                        #[inline(always)]
                        |[x], y| {
                            each(
                                s,
                                x.len(),
                                #[inline(always)]
                                |at| at.put($f(s, at.get(x)), y),
                            )
                        },
                    )
                };
            }
            match f {
                Map::Exp => by_hand!(elementary::exp),
                Map::Tanh => by_hand!(elementary::tanh),
                Map::Sigmoid => by_hand!(elementary::sigmoid),
                Map::EntropyTerm => by_hand!(entropy::term),
                Map::EntropySlope => by_hand!(entropy::slope),
                Map::Identity => rows.each(|[x], y| y.copy_from_slice(x)),
                f => for_map!(f, |f| rows.each(
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
    if slope == Map::Step || !packed(&[kept, dy], &[&dx]) {
        return elementwise::map_backward(slope, kept, dy, dx);
    }
    let (kept, dy, dx) = (all(kept), all(dy), all_mut(dx));
    s.run(
        #[inline(always)]
        || for_map!(slope, |slope| dx.iter_mut().zip(kept).zip(dy).for_each(|((dx, &k), &dy)| *dx += slope(k) * dy)),
    );
}

pub(super) fn binary<S: Isa>(s: S, op: Binary, a: View<f32>, b: View<f32>, y: ViewMut<f32>) {
    let rows = match Rows::of([a, b], y) {
        Ok(rows) => rows.in_one(),
        Err(y) => return elementwise::binary(op, a, b, y),
    };
    s.run(
        #[inline(always)]
        || {
            macro_rules! of {
                ($f:expr) => {
                    rows.each(
                        #[inline(always)]
                        |[a, b], y| y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = $f(a, b)),
                    )
                };
            }
            match op {
                Binary::Add => of!(f32::add),
                Binary::Sub => of!(f32::sub),
                Binary::Mul => of!(f32::mul),
                Binary::Div => of!(f32::div),
            }
        },
    );
}
