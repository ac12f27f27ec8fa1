//! Every operation at given extents, and its value by a plain loop. The `match` has no wildcard: a new operation without a row
//! here does not compile.

mod naive;

use autograd::gradcheck::Overloaded;
use autograd::ops::Kind;
use autograd::{Var, function};
use tensor::{Shape, Tensor};

use crate::Draw;

use naive::{by_index, by_rows, gru, layer_norm, logsumexp, repeated, with};

/// The most elements of a tensor whose number of axes may be chosen.
const SIZE: usize = 600;

const LAYER_NORM_EPSILON: f64 = 0.1; // so that dx does not cancel in rows of two

/// A function, its inputs, and its value.
pub struct Generated {
    /// The inputs.
    pub inputs: Vec<Tensor<f64>>,
    /// The function, over any scalar.
    pub f: Box<dyn Overloaded>,
    /// Its value at the inputs.
    pub value: Tensor<f64>,
}

/// The operation at `extents`, with random numbers. `choice` decides everything else that an operation has to choose: the number
/// of axes, the axis of a sum, repeated axes.
pub fn generate(kind: Kind, extents: [usize; 4], choice: usize, d: &mut Draw) -> Generated {
    let any = shape(&extents, choice % 5);
    let row = shape(&extents, 1 + choice % 4);
    let axis = choice / 4 % row.rank();
    let filled = row.with(row.rank() - 1, row.last_extent().max(1)); // an empty row has no maximum
    match kind {
        Kind::Add => binary(d, any, choice, |a, b| a + b, function!(|x| x[0] + x[1])),
        Kind::Sub => binary(d, any, choice, |a, b| a - b, function!(|x| x[0] - x[1])),
        Kind::Mul => binary(d, any, choice, |a, b| a * b, function!(|x| x[0] * x[1])),
        Kind::Div => binary(d, any, choice, |a, b| a / b, function!(|x| x[0] / x[1])),
        Kind::Neg => unary(d.normal(any), |x| -x, function!(|x| -x[0])),
        Kind::Scale => unary(d.normal(any), |x| -1.5 * x, function!(|x| x[0].scale(T::of(-1.5)))),
        Kind::Shift => unary(d.normal(any), |x| x - 1.5, function!(|x| x[0].shift(T::of(-1.5)))),
        Kind::Exp => unary(d.normal(any), f64::exp, function!(|x| x[0].exp())),
        Kind::Log => unary(d.positive(any), f64::ln, function!(|x| x[0].log())),
        Kind::Sqrt => unary(d.positive(any), f64::sqrt, function!(|x| x[0].sqrt())),
        Kind::Square => unary(d.normal(any), |x| x * x, function!(|x| x[0].square())),
        Kind::Tanh => unary(d.normal(any), f64::tanh, function!(|x| x[0].tanh())),
        Kind::Sigmoid => unary(d.normal(any), |x| 1.0 / (1.0 + (-x).exp()), function!(|x| x[0].sigmoid())),
        Kind::Relu => unary(d.nonzero(any), |x| x.max(0.0), function!(|x| x[0].relu())),
        Kind::Detach => unary(d.normal(any), |x| x.tanh() * x, function!(|x| x[0].tanh() * x[0].detach())),
        Kind::Hook => unary(d.normal(any), |x| x, function!(|x| x[0].hook(|_| {}))),
        Kind::MatMul => matmul(d, extents, choice),
        Kind::Sum => {
            let x = d.normal(any);
            let value = Tensor::scalar(x.to_vec().iter().sum());
            generated([x], value, function!(|x| x[0].sum()))
        }
        Kind::SumAxis => {
            let x = d.normal(row);
            let sum = |i: &[usize]| (0..row[axis]).map(|k| x.at(&with(i, axis, k))).sum();
            let value = by_index(row.without(axis), sum);
            generated([x], value, function!([axis: usize] |x| x[0].sum_axis(*axis)))
        }
        Kind::Reshape => reshape(d, any, choice),
        Kind::Permute => permute(d, any, choice),
        Kind::BroadcastTo => {
            let x = d.normal(narrower(any, choice));
            let value = by_index(any, |i| repeated(&x, i));
            generated([x], value, function!([any: Shape] |x| x[0].broadcast_to(*any)))
        }
        Kind::Slice => slice(d, row, axis, choice),
        Kind::Concat => concat(d, extents, row, axis),
        Kind::Softmax => {
            let x = d.normal(filled);
            let value = by_rows(&x, |row| row.iter().map(|x| (x - logsumexp(row)).exp()).collect());
            generated([x], value, function!(|x| x[0].softmax()))
        }
        Kind::LogSoftmax => {
            let x = d.normal(filled);
            let value = by_rows(&x, |row| row.iter().map(|x| x - logsumexp(row)).collect());
            generated([x], value, function!(|x| x[0].log_softmax()))
        }
        Kind::LogSumExp => {
            let x = d.normal(filled);
            let value = x.to_vec().chunks(filled.last_extent()).map(logsumexp).collect();
            let value = Tensor::new(filled.without(filled.rank() - 1), value);
            generated([x], value, function!(|x| x[0].logsumexp()))
        }
        Kind::Entropy => {
            let x = d.normal(filled);
            let entropy = |row: &[f64]| row.iter().map(|x| -x * x.exp()).sum();
            let value = x.to_vec().chunks(filled.last_extent()).map(entropy).collect();
            let value = Tensor::new(filled.without(filled.rank() - 1), value);
            generated([x], value, function!(|x| x[0].entropy()))
        }
        Kind::Embedding => embedding(d, extents, choice),
        Kind::Gather => gather(d, extents[3], row),
        Kind::LayerNorm => {
            let n = row.last_extent();
            let (x, w, b) = (d.normal(row), d.normal([n]), d.normal([n]));
            let value = by_rows(&x, |row| layer_norm(row, &w.to_vec(), &b.to_vec(), LAYER_NORM_EPSILON));
            let f = function!(|x| x[0].layer_norm(x[1], x[2], T::of(LAYER_NORM_EPSILON)));
            generated([x, w, b], value, f)
        }
        Kind::Gru => {
            let [t, b, h, _] = extents;
            let w = &d.normal([3 * h, h]) * &Tensor::scalar(1.0 / (h as f64).sqrt());
            let inputs = [d.normal([t, b, 3 * h]), d.normal([b, h]), w, d.normal([3 * h])];
            let value = gru(inputs.each_ref());
            generated(inputs, value, function!(|x| x[0].gru(x[1], x[2], x[3])))
        }
    }
}

fn generated<const N: usize>(inputs: [Tensor<f64>; N], value: Tensor<f64>, f: impl Overloaded + 'static) -> Generated {
    Generated { inputs: inputs.into(), f: Box::new(f), value }
}

/// As many axes, or fewer, where that were too many elements.
fn shape(extents: &[usize], rank: usize) -> Shape {
    let fits = |rank: &usize| extents[..*rank].iter().product::<usize>() <= SIZE;
    Shape::new(&extents[..(0..=rank).rev().find(fits).unwrap_or(0)])
}

/// A shape that broadcasts to `to`: leading axes left out, some extents 1.
fn narrower(to: Shape, choice: usize) -> Shape {
    let kept = choice / 5 % (to.rank() + 1);
    let extent = |axis: usize| if choice >> (8 + axis) & 1 == 0 { to[axis] } else { 1 };
    Shape::new(&(kept..to.rank()).map(extent).collect::<Vec<_>>())
}

fn unary(x: Tensor<f64>, of: impl Fn(f64) -> f64, f: impl Overloaded + 'static) -> Generated {
    let value = by_index(x.shape(), |i| of(x.at(i)));
    generated([x], value, f)
}

/// Every pair of shapes that broadcast.
fn binary(
    d: &mut Draw,
    to: Shape,
    choice: usize,
    of: impl Fn(f64, f64) -> f64,
    f: impl Overloaded + 'static,
) -> Generated {
    let [a, b] = [choice, choice >> 12].map(|choice| narrower(to, choice));
    let to = a.broadcast(&b).expect("both broadcast to one shape");
    let (a, b) = (d.normal(a), d.nonzero(b));
    let value = by_index(to, |i| of(repeated(&a, i), repeated(&b, i)));
    generated([a, b], value, f)
}

fn matmul(d: &mut Draw, [m, k, n, _]: [usize; 4], choice: usize) -> Generated {
    let (a, b) = (d.normal([m, k]), d.normal([k, n]));
    let value = by_index([m, n], |i| (0..k).map(|k| a.at(&[i[0], k]) * b.at(&[k, i[1]])).sum());
    match choice % 3 {
        0 => generated([a, b], value, function!(|x| x[0].matmul(x[1]))),
        1 => generated([a, b.transpose()], value, function!(|x| x[0].matmul_nt(x[1]))),
        _ => generated([a.transpose(), b], value, function!(|x| x[0].matmul_tn(x[1]))),
    }
}

fn reshape(d: &mut Draw, from: Shape, choice: usize) -> Generated {
    let (x, size) = (d.normal(from), from.size());
    let to = match choice / 5 % 4 {
        0 => Shape::new(&[size]),
        1 => Shape::new(&[1, size, 1]),
        2 if size.is_multiple_of(2) => Shape::new(&[2, size / 2]),
        2 => Shape::new(&[size, 1]),
        _ => Shape::new(&from.iter().rev().copied().collect::<Vec<_>>()),
    };
    let value = Tensor::new(to, x.to_vec());
    generated([x], value, function!([to: Shape] |x| x[0].reshape(*to)))
}

fn permute(d: &mut Draw, from: Shape, choice: usize) -> Generated {
    let x = d.normal(from);
    let (mut left, mut axes, mut choice) = ((0..from.rank()).collect::<Vec<_>>(), Vec::new(), choice / 5);
    while !left.is_empty() {
        axes.push(left.remove(choice % left.len()));
        choice /= 4;
    }
    let to: Vec<usize> = axes.iter().map(|&axis| from[axis]).collect();
    let place = |i: &[usize], axis: usize| i[axes.iter().position(|&a| a == axis).expect("a permutation")];
    let value = by_index(&to[..], |i| x.at(&(0..from.rank()).map(|axis| place(i, axis)).collect::<Vec<_>>()));
    generated([x], value, function!([axes: Vec<usize>] |x| x[0].permute(axes)))
}

fn slice(d: &mut Draw, from: Shape, axis: usize, choice: usize) -> Generated {
    let x = d.normal(from);
    let start = choice / 16 % (from[axis] + 1);
    let end = start + choice / 1024 % (from[axis] - start + 1);
    let value = by_index(from.with(axis, end - start), |i| {
        let mut i = i.to_vec();
        i[axis] += start;
        x.at(&i)
    });
    generated([x], value, function!([axis: usize, start: usize, end: usize] |x| x[0].slice(*axis, *start..*end)))
}

/// x, y and x again, whose extents along the axis differ.
fn concat(d: &mut Draw, extents: [usize; 4], first: Shape, axis: usize) -> Generated {
    let second = first.with(axis, extents[3].min(9));
    let (x, y) = (d.normal(first), d.normal(second));
    let (n, m) = (first[axis], second[axis]);
    let value = by_index(first.with(axis, 2 * n + m), |i| {
        let mut at = i.to_vec();
        at[axis] = if i[axis] < n {
            i[axis]
        } else if i[axis] < n + m {
            i[axis] - n
        } else {
            i[axis] - n - m
        };
        if (n..n + m).contains(&i[axis]) { y.at(&at) } else { x.at(&at) }
    });
    generated([x, y], value, function!([axis: usize] |x| Var::concat(&[x[0], x[1], x[0]], *axis)))
}

/// Indices below `n`, with repeats; none if there is nothing to name.
fn indices(d: &mut Draw, n: usize, shape: Shape) -> Tensor<u32> {
    let numbers = d.positive(shape).to_vec();
    Tensor::new(shape, numbers.iter().map(|x| ((x - 0.5) * n as f64) as u32).collect())
}

fn embedding(d: &mut Draw, [v, e, k, j]: [usize; 4], choice: usize) -> Generated {
    let k = if v == 0 { 0 } else { k };
    let at = if choice.is_multiple_of(2) { Shape::new(&[k]) } else { Shape::new(&[k, j.min(3)]) };
    let (table, index) = (d.normal([v, e]), indices(d, v, at));
    let to = Shape::new(&[&at[..], &[e]].concat());
    let value = by_index(to, |i| {
        let (at, column) = i.split_at(i.len() - 1);
        table.at(&[index.at(at) as usize, column[0]])
    });
    generated([table], value, function!([index: Tensor<u32>] |x| x[0].embedding(index)))
}

fn gather(d: &mut Draw, k: usize, from: Shape) -> Generated {
    let (x, n, last) = (d.normal(from), from.last_extent(), from.rank() - 1);
    let at = from.with(last, if n == 0 { 0 } else { k });
    let index = indices(d, n, at);
    let value = by_index(at, |i| {
        let mut place = i.to_vec();
        place[last] = index.at(i) as usize;
        x.at(&place)
    });
    generated([x], value, function!([index: Tensor<u32>] |x| x[0].gather(index)))
}
