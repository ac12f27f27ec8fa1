//! Maps and binary functions over slices.

use super::isa::{Isa, each};
use super::{all, all_mut, elementary, packed};
use crate::cpu::fast::elementwise;
use crate::kernels::Binary;
use crate::map::{Map, for_map};
use crate::view::{View, ViewMut};

pub(super) fn map<S: Isa>(s: S, f: Map<f32>, x: View<f32>, y: ViewMut<f32>) {
    if !packed(&[x], &[&y]) {
        return if f == Map::Identity { copy(x, y) } else { elementwise::map(f, x, y) };
    }
    let (x, y) = (all(x), all_mut(y));
    s.run(
        #[inline(always)]
        || {
            macro_rules! by_hand {
                ($f:path) => {
                    each(
                        s,
                        x.len(),
                        #[inline(always)]
                        |at| at.put($f(s, at.get(x)), y),
                    )
                };
            }
            match f {
                Map::Exp => by_hand!(elementary::exp),
                Map::Tanh => by_hand!(elementary::tanh),
                Map::Sigmoid => by_hand!(elementary::sigmoid),
                f => for_map!(f, |f| y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x))),
            }
        },
    );
}

/// y = x where not all is packed. Rows that are, such as those of a bias that is repeated, are copied whole.
fn copy(x: View<f32>, y: ViewMut<f32>) {
    let rows = |x: View<f32>| x.shape().rank() == 2 && (0..x.shape()[0]).all(|i| x.select(0, i).as_slice().is_some());
    if !packed(&[], &[&y]) || !rows(x) {
        return elementwise::map(Map::Identity, x, y);
    }
    let to = all_mut(y).chunks_exact_mut(x.shape().last_extent());
    to.enumerate().for_each(|(i, y)| y.copy_from_slice(x.select(0, i).as_slice().expect("it has been looked at")));
}

pub(super) fn map_backward<S: Isa>(s: S, slope: Map<f32>, kept: View<f32>, dy: View<f32>, dx: ViewMut<f32>) {
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
    if a.shape() != y.shape() || b.shape() != y.shape() || !packed(&[a, b], &[&y]) {
        return elementwise::binary(op, a, b, y);
    }
    let (a, b, y) = (all(a), all(b), all_mut(y));
    s.run(
        #[inline(always)]
        || {
            let each = y.iter_mut().zip(a).zip(b);
            match op {
                Binary::Add => each.for_each(|((y, &a), &b)| *y = a + b),
                Binary::Sub => each.for_each(|((y, &a), &b)| *y = a - b),
                Binary::Mul => each.for_each(|((y, &a), &b)| *y = a * b),
                Binary::Div => each.for_each(|((y, &a), &b)| *y = a / b),
            }
        },
    );
}
