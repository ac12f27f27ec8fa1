//! What can be wrong with the rules of the operations.

use std::cell::RefCell;
use std::rc::Rc;

use autograd::gradcheck::{Finding, central_differences};
use autograd::mutants::{Number, Seen, Sent};
use autograd::ops::Kind;
use gradus_tests::levels::{self, Verdict};
use tensor::{Real, Tensor};

use crate::level::Level::{L0, L1, L2, L3, L4, L5};
use crate::mutant::Mutant;
use crate::slips::{
    ONE, Wrong, ZERO, averaged, constants, diagonal, dropped, hearing, last_stays, like, looks_at_wanted, map,
    not_undone, reads_everything, rows_leak, rows_lost, shifted, slope, stored, swapped, times, transposed,
};

/// All of them.
pub(crate) fn mutants() -> Vec<Mutant> {
    [broadcasting(), elementwise(), products(), shapes(), rows(), everywhere()].into_iter().flatten().collect()
}

fn broadcasting() -> Vec<Mutant> {
    vec![
        Mutant::of(Kind::Add, "a dropped un-broadcast: one row of dy, not their sum", L1, last_stays(1)),
        Mutant::of(Kind::Add, "the mean over what was broadcast, not the sum", L1, averaged(1)),
        Mutant::of(Kind::Add, "no un-broadcast at all: the gradient has dy's shape", L0, not_reduced(1)),
        Mutant::of(Kind::Sub, "the sign of the second operand", L1, times(1, -1.0)),
        Mutant::of(Kind::Mul, "swapped operands: each gets its own value times dy", L1, swapped()),
        Mutant::of(Kind::Mul, "a dropped un-broadcast: one row, not the sum", L1, last_stays(1)),
        Mutant::of(Kind::Div, "the sign of the divisor's gradient", L1, times(1, -1.0)),
        Mutant::of(Kind::Div, "swapped operands", L1, swapped()),
        Mutant::of(Kind::BroadcastTo, "one of the copies, not their sum", L1, last_stays(0)),
        Mutant::of(Kind::BroadcastTo, "the mean of the copies, not their sum", L1, averaged(0)),
    ]
}

fn elementwise() -> Vec<Mutant> {
    vec![
        Mutant::of(Kind::Neg, "the sign", L1, slope(|_, _| ONE)),
        Mutant::of(Kind::Scale, "the factor: a mean without its 1/N", L1, slope(|_, _| ONE)),
        Mutant::of(Kind::Scale, "the factor twice: 1/N²", L1, slope(|x, y| (y / x) * (y / x))),
        Mutant::of(Kind::Shift, "the constant taken for the slope", L1, slope(|x, y| y - x)),
        Mutant::of(Kind::Exp, "x for y", L1, slope(|x, _| x)),
        Mutant::of(Kind::Log, "1/y for 1/x", L1, slope(|_, y| ONE / y)),
        Mutant::of(Kind::Log, "x for 1/x", L1, slope(|x, _| x)),
        Mutant::of(Kind::Sqrt, "1/y: the half forgotten", L1, slope(|_, y| ONE / y)),
        Mutant::of(Kind::Square, "x: the two forgotten", L1, slope(|x, _| x)),
        Mutant::of(Kind::Tanh, "1 − y: the square forgotten", L1, slope(|_, y| ONE - y)),
        Mutant::of(Kind::Tanh, "1 − x²: the input for the value", L1, slope(|x, _| ONE - x * x)),
        Mutant::of(Kind::Sigmoid, "1 − y: a factor forgotten", L1, slope(|_, y| ONE - y)),
        Mutant::of(Kind::Sigmoid, "x·(1 − x): the input for the value", L1, slope(|x, _| x * (ONE - x))),
        Mutant::of(Kind::Relu, "everything passes", L1, slope(|_, _| ONE)),
        Mutant::by(Kind::Relu, "the slope 1 at 0", L2, slope(|x, _| step(x >= ZERO)), kink),
        Mutant::of(Kind::Hook, "the observed edge is cut", L1, dropped(0)),
    ]
}

fn products() -> Vec<Mutant> {
    vec![
        Mutant::of(Kind::MatMul, "a missing transpose: da lies as daᵀ", L1, transposed(0)),
        Mutant::of(Kind::MatMul, "a missing transpose: db lies as dbᵀ", L1, transposed(1)),
        Mutant::of(Kind::MatMul, "swapped operands", L1, swapped()),
        Mutant::of(Kind::MatMul, "dx·xᵀ by aliasing: the second operand forgotten", L1, dropped(1)),
    ]
}

fn shapes() -> Vec<Mutant> {
    vec![
        Mutant::of(Kind::Sum, "a 1/N that belongs to the mean", L1, averaged(0)),
        Mutant::of(Kind::SumAxis, "a 1/N that belongs to the mean", L1, averaged(0)),
        Mutant::of(Kind::SumAxis, "a wrong axis", L1, wrong_axis()),
        Mutant::of(Kind::Reshape, "column by column: NumPy's order 'F'", L1, transposed(0)),
        Mutant::of(Kind::Permute, "the permutation, not its inverse", L1, not_undone()),
        Mutant::of(Kind::Slice, "an offset that is one too large", L1, shifted()),
        Mutant::of(Kind::Slice, "= for +=: only the last slice counts", L1, stored()),
        Mutant::of(Kind::Concat, "each part reads dy from its beginning", L1, offsets_forgotten()),
        Mutant::of(Kind::Concat, "the last part is forgotten", L1, dropped(1)),
    ]
}

fn rows() -> Vec<Mutant> {
    vec![
        Mutant::of(Kind::Softmax, "y·dy: the sum over the row forgotten", L1, along_rows(|_, y, dy, _| y * dy)),
        Mutant::of(Kind::Softmax, "the diagonal of the Jacobian alone", L1, diagonal()),
        Mutant::of(Kind::LogSoftmax, "dy − p: Σ dy taken for 1", L1, along_rows(|_, y, dy, _| dy - y.exp())),
        Mutant::of(
            Kind::LogSoftmax,
            "dy − y·Σ dy: the exponential forgotten",
            L1,
            along_rows(|_, y, dy, s| dy - y * s),
        ),
        Mutant::of(Kind::LogSumExp, "dy·eˣ: not normalised", L1, |seen: &Seen| {
            let (x, dy, width) = (&seen.inputs[0], seen.dy.to_vec(), seen.inputs[0].shape().last_extent());
            vec![Sent::Added(map(x, |i, x| dy[i / width] * x.exp()))]
        }),
        Mutant::of(Kind::Entropy, "−x·eˣ·dy: the 1 of the product rule forgotten", L1, |seen: &Seen| {
            let (x, dy, width) = (&seen.inputs[0], seen.dy.to_vec(), seen.inputs[0].shape().last_extent());
            vec![Sent::Added(map(x, |i, x| -dy[i / width] * x * x.exp()))]
        }),
        Mutant::of(Kind::Embedding, "a scatter that stores: repeated rows count once", L1, last_stays(0)),
        Mutant::of(Kind::Embedding, "row 0 taken for padding", L1, first_row_lost()),
        Mutant::of(Kind::Gather, "a scatter that stores: repeated elements count once", L1, last_stays(0)),
        Mutant::of(Kind::LayerNorm, "the mean of g is not taken out", L1, layer_norm(|g, _, along| g - along)),
        Mutant::of(Kind::LayerNorm, "the component along x̂ is not taken out", L1, layer_norm(|g, mean, _| g - mean)),
        Mutant::of(Kind::LayerNorm, "the weight and the bias have one gradient", L1, weight_as_bias()),
        Mutant::of(Kind::LayerNorm, "the bias hears one row", L1, last_stays(2)),
    ]
}

/// What is wrong with the way in which rules are run.
fn everywhere() -> Vec<Mutant> {
    vec![
        Mutant::of(Kind::Add, "= for +=", L5, stored()),
        Mutant::of(Kind::MatMul, "= for +=", L5, stored()),
        Mutant::of(Kind::Softmax, "= for +=", L5, stored()),
        Mutant::of(Kind::Embedding, "= for +=", L5, stored()),
        Mutant::of(Kind::Gru, "= for +=", L5, stored()),
        Mutant::of(Kind::Tanh, "dy cut to ±1 on its way", L5, hearing(cut)),
        Mutant::of(Kind::MatMul, "the sign of dy alone", L5, hearing(sign)),
        Mutant::of(Kind::Mul, "twice as much where an operand is a constant", L5, looks_at_wanted()),
        Mutant::of(Kind::LayerNorm, "row 0 gets the gradient of row 1", L5, rows_leak()),
        Mutant::of(Kind::Slice, "0·x is added, also of what is not read", L5, reads_everything()),
        Mutant::of(Kind::MatMul, "a buffer that is not cleared between passes", L0, remembers()),
        Mutant::of(Kind::Add, "the rows of dy from 128 on are not read", L3, rows_lost(128)),
        Mutant::of(Kind::MatMul, "the rows of dy from 128 on are not read", L3, rows_lost(128)),
        Mutant::of(Kind::Gru, "the rows of dy from 128 on are not read", L3, rows_lost(128)),
        Mutant::of(Kind::Sigmoid, "what was kept is a constant to a second derivative", L4, constants()),
        Mutant::of(Kind::Softmax, "what was kept is a constant to a second derivative", L4, constants()),
        Mutant::of(Kind::LayerNorm, "what was kept is a constant to a second derivative", L4, constants()),
        Mutant::of(Kind::Gru, "what was kept is a constant to a second derivative", L4, constants()),
    ]
}

/// The step function.
fn step(up: bool) -> Number {
    if up { ONE } else { ZERO }
}

fn cut(dy: Number) -> Number {
    if dy.value.abs() <= 1.0 { dy } else { sign(dy) }
}

fn sign(dy: Number) -> Number {
    Number::of(dy.value.signum())
}

/// relu at 0 has the slope 0, by convention.
fn kink() -> Verdict {
    let report = central_differences(|_, x| x[0].relu(), &[Tensor::from([1.0, 0.0, -1.0])]);
    match &report.findings[..] {
        [Finding::Kink { gradient: 0.0, .. }] if report.clone().allowing_kinks().is_ok() => Ok(()),
        _ => Err(report.to_string()),
    }
}

pub(crate) fn not_reduced(k: usize) -> impl Wrong {
    move |seen: &Seen| {
        let mut sent: Vec<_> = seen.right(&seen.dy).into_iter().map(Sent::Added).collect();
        sent[k] = Sent::Stored(seen.dy.clone());
        sent
    }
}

/// The first axis that could have been summed over is `k`; here it is taken to be another one.
fn wrong_axis() -> impl Wrong {
    |seen: &Seen| {
        let (x, dy) = (&seen.inputs[0], seen.dy.to_vec());
        let rank = x.shape().rank();
        let axis = (0..rank).find(|&axis| x.shape().without(axis) == seen.dy.shape()).expect("one axis is gone");
        let other = (axis + 1) % rank;
        let index = |mut i: usize| {
            let mut index = x.shape().to_vec();
            index.iter_mut().rev().for_each(|at| (i, *at) = (i / *at, i % *at));
            index
        };
        let left = |i: usize| {
            let index = index(i);
            (0..rank).filter(|&axis| axis != other).fold(0, |at, axis| at * x.shape()[axis] + index[axis])
        };
        vec![Sent::Added(like(x, |i| dy[left(i) % dy.len()]))]
    }
}

fn offsets_forgotten() -> impl Wrong {
    |seen: &Seen| {
        let whole = seen.dy.shape();
        let fits = |axis: &usize| seen.inputs.iter().map(|x| x.shape()[*axis]).sum::<usize>() == whole[*axis];
        let axis = (0..whole.rank()).find(fits).expect("put together along an axis");
        seen.inputs.iter().map(|x| Sent::Added(seen.dy.slice(axis, 0..x.shape()[axis]))).collect()
    }
}

/// A rule for rows: from x, y, dy and the row's sum of dy.
fn along_rows(f: fn(Number, Number, Number, Number) -> Number) -> impl Wrong {
    move |seen: &Seen| {
        let [x, y, dy] = [&seen.inputs[0], &seen.output, &seen.dy].map(Tensor::to_vec);
        let width = seen.dy.shape().last_extent();
        let sum = |i: usize| dy[i / width * width..][..width].iter().fold(ZERO, |sum, &dy| sum + dy);
        vec![Sent::Added(like(&seen.dy, |i| f(x[i], y[i], dy[i], sum(i))))]
    }
}

fn first_row_lost() -> impl Wrong {
    |seen: &Seen| {
        let dx = seen.right(&seen.dy).remove(0);
        let width = dx.shape().last_extent();
        vec![Sent::Added(map(&dx, |i, dx| if i < width { ZERO } else { dx }))]
    }
}

/// dx = s·f(g, mean g, x̂·mean(g·x̂)), with the statistics computed again.
fn layer_norm(f: fn(Number, Number, Number) -> Number) -> impl Wrong {
    move |seen: &Seen| {
        let mut sent = seen.right(&seen.dy);
        let [x, w, dy] = [&seen.inputs[0], &seen.inputs[1], &seen.dy].map(Tensor::to_vec);
        let n = w.len();
        let mean = |of: &dyn Fn(usize) -> Number| (0..n).fold(ZERO, |sum, j| sum + of(j)) / Number::of(n as f64);
        sent[0] = like(&seen.dy, |i| {
            let row = i / n * n;
            let middle = mean(&|j| x[row + j]);
            let square = |x: Number| x * x;
            let s = ONE / (mean(&|j| square(x[row + j] - middle)) + Number::of(1e-5)).sqrt();
            let (hat, g) = (|j: usize| (x[row + j] - middle) * s, |j: usize| dy[row + j] * w[j]);
            let j = i - row;
            s * f(g(j), mean(&g), hat(j) * mean(&|j| g(j) * hat(j)))
        });
        sent.into_iter().map(Sent::Added).collect()
    }
}

fn weight_as_bias() -> impl Wrong {
    |seen: &Seen| {
        let [dx, _, db] = &seen.right(&seen.dy)[..] else { panic!("x, w and b") };
        [dx, db, db].map(|dx| Sent::Added(dx.clone())).to_vec()
    }
}

/// Each pass adds to what the last one left.
fn remembers() -> impl Wrong {
    let last = Rc::new(RefCell::new(Vec::<Tensor<Number>>::new()));
    move |seen: &Seen| {
        let mut now = seen.right(&seen.dy);
        for (now, last) in now.iter_mut().zip(last.borrow().iter()).filter(|(now, last)| now.shape() == last.shape()) {
            *now = &*now + last;
        }
        last.replace(now.clone());
        now.into_iter().map(Sent::Added).collect()
    }
}

/// Rules that are written out here are right where nothing is wrong, and so are their slopes: their mutants do not fall by
/// something else.
#[test]
fn without_the_mistake_these_rules_are_right() {
    fn right(kind: Kind, rule: impl Wrong) {
        let cases = proofs::operations(kind).into_iter().filter(|case| case.name != "a vector"); // with another ε
        let exact = || cases.clone().try_for_each(|case| levels::exact(&case).and(levels::second_order(&case)));
        assert_eq!(autograd::mutants::with(kind, rule, exact), Ok(()), "{}", kind.name());
    }
    right(Kind::Exp, slope(|_, y| y));
    right(Kind::Log, slope(|x, _| ONE / x));
    right(Kind::Sigmoid, slope(|_, y| y * (ONE - y)));
    right(Kind::Relu, slope(|x, _| step(x > ZERO)));
    right(Kind::LogSoftmax, along_rows(|_, y, dy, sum| dy - y.exp() * sum));
    right(Kind::LayerNorm, layer_norm(|g, mean, along| g - mean - along));
    right(Kind::MatMul, rows_lost(usize::MAX));
    right(Kind::Add, hearing(|dy| dy));
}
