//! Mistakes that any backward rule can have: each changes what the right rule sends.

use std::mem;

use autograd::mutants::{Number, Seen, Sent};
use tensor::{Real, Tensor};

/// The numbers that rules are written with.
pub(crate) const ZERO: Number = Number { value: 0.0, tangent: 0.0 };
pub(crate) const ONE: Number = Number { value: 1.0, tangent: 0.0 };

/// A rule for [`autograd::mutants::with`].
pub(crate) trait Wrong: Fn(&Seen) -> Vec<Sent> + Clone + 'static {}

impl<F: Fn(&Seen) -> Vec<Sent> + Clone + 'static> Wrong for F {}

/// The right gradient of every input, changed; numbered by the input.
fn changed(change: impl Fn(&Seen, usize, Tensor<Number>) -> Sent + Clone + 'static) -> impl Wrong {
    move |seen| seen.right(&seen.dy).into_iter().enumerate().map(|(k, dx)| change(seen, k, dx)).collect()
}

/// The right gradient of input `k`, changed.
fn at(k: usize, change: impl Fn(&Seen, Tensor<Number>) -> Tensor<Number> + Clone + 'static) -> impl Wrong {
    changed(move |seen, j, dx| Sent::Added(if j == k { change(seen, dx) } else { dx }))
}

/// A gradient, element by element, from those of x, y and dy at the same place.
fn along(seen: &Seen, f: impl Fn(Number, Number, Number) -> Number) -> Tensor<Number> {
    let (x, y, dy) = (seen.inputs[0].to_vec(), seen.output.to_vec(), seen.dy.to_vec());
    Tensor::from_fn(seen.dy.shape(), |i| f(x[i], y[i], dy[i]))
}

/// A gradient of the shape of `dx` with other elements.
pub(crate) fn like(dx: &Tensor<Number>, f: impl FnMut(usize) -> Number) -> Tensor<Number> {
    Tensor::from_fn(dx.shape(), f)
}

/// Every element changed, by its place and itself.
pub(crate) fn map(x: &Tensor<Number>, f: impl Fn(usize, Number) -> Number) -> Tensor<Number> {
    let elements = x.to_vec();
    like(x, |i| f(i, elements[i]))
}

/// Nothing is wrong: the right rule by way of the switch.
pub(crate) fn nothing() -> impl Wrong {
    changed(|_, _, dx| Sent::Added(dx))
}

/// The gradient is right, and its tangent is not: as if what the forward pass kept were constants.
pub(crate) fn constants() -> impl Wrong {
    |seen: &Seen| seen.right_but_kept_is_constant(&seen.dy).into_iter().map(Sent::Added).collect()
}

/// (1 + d) times the gradient of input `k`; −1 and 2 are slips, a small d measures what is seen.
pub(crate) fn times(k: usize, factor: f64) -> impl Wrong {
    at(k, move |_, dx| map(&dx, |_, dx| Number::of(factor) * dx))
}

/// `=` for `+=`: what other uses of the input have sent is lost.
pub(crate) fn stored() -> impl Wrong {
    changed(|_, _, dx| Sent::Stored(dx))
}

/// Input `k` gets nothing.
pub(crate) fn dropped(k: usize) -> impl Wrong {
    changed(move |_, j, dx| if j == k { Sent::Nothing } else { Sent::Added(dx) })
}

/// Where two operands have one shape, the first gets what is the second's, and the other way round.
pub(crate) fn swapped() -> impl Wrong {
    |seen: &Seen| {
        let mut sent = seen.right(&seen.dy);
        let [a, b] = &mut sent[..] else { panic!("two operands") };
        if a.shape() == b.shape() {
            mem::swap(a, b);
        }
        sent.into_iter().map(Sent::Added).collect()
    }
}

/// The elements lie in the order of the transposed matrix.
pub(crate) fn transposed(k: usize) -> impl Wrong {
    at(k, |_, dx| {
        let columns = dx.shape().last_extent().max(1);
        let rows = dx.size() / columns;
        let elements = dx.to_vec();
        like(&dx, |i| elements[i % rows * columns + i / rows])
    })
}

/// What each element of dy sends to input `k` by itself: the rows of the Jacobian times dy.
fn shares(seen: &Seen, k: usize) -> Vec<Vec<Number>> {
    let one = |i: usize| map(&seen.dy, |j, dy| if i == j { dy } else { ZERO });
    (0..seen.dy.size()).map(|i| seen.right(&one(i))[k].to_vec()).collect()
}

/// `=` for `+=` within the rule: where several elements of dy come together, the last one stays. An un-broadcast that takes
/// one row, a scatter that stores.
pub(crate) fn last_stays(k: usize) -> impl Wrong {
    at(k, move |seen, dx| {
        let shares = shares(seen, k);
        like(&dx, |i| shares.iter().rev().map(|share| share[i]).find(|&share| share != ZERO).unwrap_or(ZERO))
    })
}

/// The mean of what comes together where the sum belongs.
pub(crate) fn averaged(k: usize) -> impl Wrong {
    at(k, |seen, dx| {
        let together = (seen.dy.size() / dx.size()).max(dx.size() / seen.dy.size().max(1));
        map(&dx, |_, dx| dx / Number::of(together as f64))
    })
}

/// Each element as if it had influence on its own place alone: the diagonal of the Jacobian.
pub(crate) fn diagonal() -> impl Wrong {
    at(0, |seen, dx| {
        let shares = shares(seen, 0);
        like(&dx, |i| shares[i][i])
    })
}

/// A permutation of the elements that is applied once more, where it should be undone.
pub(crate) fn not_undone() -> impl Wrong {
    at(0, |seen, dx| {
        let (shares, dy) = (shares(seen, 0), seen.dy.to_vec());
        let to = |i: usize| shares[i].iter().position(|&share| share != ZERO).expect("each element goes somewhere");
        like(&dx, |i| dy[to(i)])
    })
}

/// An offset that is one too large, in memory.
pub(crate) fn shifted() -> impl Wrong {
    at(0, |_, dx| {
        let moved = [&[ZERO], &dx.to_vec()[..]].concat();
        like(&dx, |i| moved[i])
    })
}

/// An elementwise rule with another slope, in x and y.
pub(crate) fn slope(f: fn(Number, Number) -> Number) -> impl Wrong {
    move |seen: &Seen| vec![Sent::Added(along(seen, |x, y, dy| f(x, y) * dy))]
}

/// The right rule for another dy, made from the right one element by element.
pub(crate) fn hearing(f: fn(Number) -> Number) -> impl Wrong {
    move |seen: &Seen| {
        let dy = map(&seen.dy, |_, dy| f(dy));
        seen.right(&dy).into_iter().map(Sent::Added).collect()
    }
}

/// The rows of dy from this one on are not read.
pub(crate) fn rows_lost(from: usize) -> impl Wrong {
    move |seen: &Seen| {
        let width = seen.dy.shape().last_extent();
        let dy = map(&seen.dy, |i, dy| if i / width < from { dy } else { ZERO });
        seen.right(&dy).into_iter().map(Sent::Added).collect()
    }
}

/// A rule that looks at which gradients are wanted: where one is not, the others get it twice.
pub(crate) fn looks_at_wanted() -> impl Wrong {
    changed(|seen, _, dx| {
        let factor = if seen.wanted.contains(&false) { ONE + ONE } else { ONE };
        Sent::Added(map(&dx, |_, dx| factor * dx))
    })
}

/// The first row of a gradient gets what is the second's.
pub(crate) fn rows_leak() -> impl Wrong {
    at(0, |_, dx| {
        let (width, elements) = (dx.shape().last_extent(), dx.to_vec());
        map(&dx, |i, dx| if i < width { *elements.get(i + width).unwrap_or(&dx) } else { dx })
    })
}

/// Everything is added to 0·x: to what is not a number, where that is not finite.
pub(crate) fn reads_everything() -> impl Wrong {
    at(0, |seen, dx| {
        let x = seen.inputs[0].to_vec();
        map(&dx, |i, dx| dx + ZERO * x[i])
    })
}
