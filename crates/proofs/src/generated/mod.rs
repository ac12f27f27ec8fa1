//! Every operation at given extents, with its value by a plain loop. The `match` has no wildcard, so a new operation
//! without a row here does not compile.

mod naive;

use autograd::gradcheck::DynFunction;
use autograd::ops::Kind;
use autograd::{Var, function};
use tensor::{Shape, Tensor};

use crate::RandomTensors;

use naive::{broadcast_element, from_index_fn, gru, insert_index, layer_norm, logsumexp, map_rows};

/// The maximum number of elements of a tensor whose rank is chosen.
const MAX_ELEMENTS: usize = 600;

const LAYER_NORM_EPSILON: f64 = 0.1; // so that dx does not cancel in rows of two

/// A function with its inputs and its value.
pub struct GeneratedCase {
    /// The inputs.
    pub inputs: Vec<Tensor<f64>>,
    /// The function, for any scalar type.
    pub f: Box<dyn DynFunction>,
    /// The value at the inputs.
    pub value: Tensor<f64>,
}

/// Generates a case of the operation at `extents`, with random numbers. `choice` decides everything else: the number of
/// axes, the axis of a sum, repeated axes.
pub fn generate_case(kind: Kind, extents: [usize; 4], choice: usize, d: &mut RandomTensors) -> GeneratedCase {
    let any = shape_of_rank(&extents, choice % 5);
    let row = shape_of_rank(&extents, 1 + choice % 4);
    let axis = choice / 4 % row.rank();
    let filled = row.with_extent(row.rank() - 1, row.last_extent().max(1)); // an empty row has no maximum
    match kind {
        Kind::Add => binary(d, any, choice, |a, b| a + b, function!(|x| x[0] + x[1])),
        Kind::Sub => binary(d, any, choice, |a, b| a - b, function!(|x| x[0] - x[1])),
        Kind::Mul => binary(d, any, choice, |a, b| a * b, function!(|x| x[0] * x[1])),
        Kind::Div => binary(d, any, choice, |a, b| a / b, function!(|x| x[0] / x[1])),
        Kind::Neg => unary(d.normal(any), |x| -x, function!(|x| -x[0])),
        Kind::Scale => unary(d.normal(any), |x| -1.5 * x, function!(|x| x[0].scale(T::from_f64(-1.5)))),
        Kind::Shift => unary(d.normal(any), |x| x - 1.5, function!(|x| x[0].shift(T::from_f64(-1.5)))),
        Kind::Exp => unary(d.normal(any), f64::exp, function!(|x| x[0].exp())),
        Kind::Log => unary(d.positive(any), f64::ln, function!(|x| x[0].log())),
        Kind::Sqrt => unary(d.positive(any), f64::sqrt, function!(|x| x[0].sqrt())),
        Kind::Square => unary(d.normal(any), |x| x * x, function!(|x| x[0].square())),
        Kind::Tanh => unary(d.normal(any), f64::tanh, function!(|x| x[0].tanh())),
        Kind::Sigmoid => unary(d.normal(any), |x| 1.0 / (1.0 + (-x).exp()), function!(|x| x[0].sigmoid())),
        Kind::Relu => unary(d.nonzero(any), |x| x.max(0.0), function!(|x| x[0].relu())),
        Kind::Detach => unary(d.normal(any), |x| x.tanh() * x, function!(|x| x[0].tanh() * x[0].detach())),
        Kind::Hook => unary(d.normal(any), |x| x, function!(|x| x[0].hook(|_| {}))),
        Kind::Abs => unary(d.nonzero(any), f64::abs, function!(|x| x[0].abs())),
        Kind::Sin => unary(d.normal(any), f64::sin, function!(|x| x[0].sin())),
        Kind::Cos => unary(d.normal(any), f64::cos, function!(|x| x[0].cos())),
        Kind::Powi => {
            let n = (choice / 5 % 8) as i32 - 3;
            unary(d.nonzero(any), |x| x.powi(n), function!([n: i32] |x| x[0].powi(*n)))
        }
        Kind::Clamp => {
            let f = function!(|x| x[0].clamp(T::from_f64(-0.5), T::from_f64(0.75)));
            unary(d.normal(any), |x| x.clamp(-0.5, 0.75), f)
        }
        Kind::Maximum => binary(d, any, choice, f64::max, function!(|x| x[0].maximum(x[1]))),
        Kind::Minimum => binary(d, any, choice, f64::min, function!(|x| x[0].minimum(x[1]))),
        Kind::Flip => {
            let x = d.normal(row);
            let reversed = |i: &[usize]| {
                let mut i = i.to_vec();
                i[axis] = row[axis] - 1 - i[axis];
                x.get(&i)
            };
            let value = from_index_fn(row, reversed);
            new_case([x], value, function!([axis: usize] |x| x[0].flip(*axis)))
        }
        Kind::MatMul => matmul(d, extents, choice),
        Kind::Sum => {
            let x = d.normal(any);
            let value = Tensor::scalar(x.to_vec().iter().sum());
            new_case([x], value, function!(|x| x[0].sum()))
        }
        Kind::SumAxis => {
            let x = d.normal(row);
            let sum = |i: &[usize]| (0..row[axis]).map(|k| x.get(&insert_index(i, axis, k))).sum();
            let value = from_index_fn(row.without_axis(axis), sum);
            new_case([x], value, function!([axis: usize] |x| x[0].sum_axis(*axis)))
        }
        Kind::Reshape => reshape(d, any, choice),
        Kind::Permute => permute(d, any, choice),
        Kind::BroadcastTo => {
            let x = d.normal(broadcastable_shape(any, choice));
            let value = from_index_fn(any, |i| broadcast_element(&x, i));
            new_case([x], value, function!([any: Shape] |x| x[0].broadcast_to(*any)))
        }
        Kind::Slice => slice(d, row, axis, choice),
        Kind::Concat => concat(d, extents, row, axis),
        Kind::Softmax => {
            let x = d.normal(filled);
            let value = map_rows(&x, |row| row.iter().map(|x| (x - logsumexp(row)).exp()).collect());
            new_case([x], value, function!(|x| x[0].softmax()))
        }
        Kind::LogSoftmax => {
            let x = d.normal(filled);
            let value = map_rows(&x, |row| row.iter().map(|x| x - logsumexp(row)).collect());
            new_case([x], value, function!(|x| x[0].log_softmax()))
        }
        Kind::LogSumExp => {
            let x = d.normal(filled);
            let value = x.to_vec().chunks(filled.last_extent()).map(logsumexp).collect();
            let value = Tensor::new(filled.without_axis(filled.rank() - 1), value);
            new_case([x], value, function!(|x| x[0].logsumexp()))
        }
        Kind::Entropy => {
            let x = d.normal(filled);
            let entropy = |row: &[f64]| row.iter().map(|x| -x * x.exp()).sum();
            let value = x.to_vec().chunks(filled.last_extent()).map(entropy).collect();
            let value = Tensor::new(filled.without_axis(filled.rank() - 1), value);
            new_case([x], value, function!(|x| x[0].entropy()))
        }
        Kind::Embedding => embedding(d, extents, choice),
        Kind::Gather => gather(d, extents[3], row),
        Kind::LayerNorm => {
            let n = row.last_extent();
            let (x, w, b) = (d.normal(row), d.normal([n]), d.normal([n]));
            let value = map_rows(&x, |row| layer_norm(row, &w.to_vec(), &b.to_vec(), LAYER_NORM_EPSILON));
            let f = function!(|x| x[0].layer_norm(x[1], x[2], T::from_f64(LAYER_NORM_EPSILON)));
            new_case([x, w, b], value, f)
        }
        Kind::Gru => {
            let [t, b, h, _] = extents;
            let w_hh = &d.normal([3 * h, h]) * (1.0 / (h as f64).sqrt());
            let inputs = [d.normal([t, b, 3 * h]), d.normal([b, h]), w_hh, d.normal([3 * h])];
            let value = gru(inputs.each_ref());
            new_case(inputs, value, function!(|x| x[0].gru(x[1], x[2], x[3])))
        }
    }
}

fn new_case<const N: usize>(
    inputs: [Tensor<f64>; N],
    value: Tensor<f64>,
    f: impl DynFunction + 'static,
) -> GeneratedCase {
    GeneratedCase { inputs: inputs.into(), f: Box::new(f), value }
}

/// Returns the first `rank` extents, or fewer if there would be too many elements.
fn shape_of_rank(extents: &[usize], rank: usize) -> Shape {
    let fits = |rank: &usize| extents[..*rank].iter().product::<usize>() <= MAX_ELEMENTS;
    Shape::new(&extents[..(0..=rank).rev().find(fits).unwrap_or(0)])
}

/// Returns a shape that broadcasts to `to`: leading axes are left out, and some extents are 1.
fn broadcastable_shape(to: Shape, choice: usize) -> Shape {
    let kept = choice / 5 % (to.rank() + 1);
    let extent = |axis: usize| if choice >> (8 + axis) & 1 == 0 { to[axis] } else { 1 };
    Shape::new(&(kept..to.rank()).map(extent).collect::<Vec<_>>())
}

fn unary(x: Tensor<f64>, scalar_f: impl Fn(f64) -> f64, f: impl DynFunction + 'static) -> GeneratedCase {
    let value = from_index_fn(x.shape(), |i| scalar_f(x.get(i)));
    new_case([x], value, f)
}

/// Generates an operation of two arguments, for any pair of shapes that broadcast.
fn binary(
    d: &mut RandomTensors,
    to: Shape,
    choice: usize,
    scalar_f: impl Fn(f64, f64) -> f64,
    f: impl DynFunction + 'static,
) -> GeneratedCase {
    let [a, b] = [choice, choice >> 12].map(|choice| broadcastable_shape(to, choice));
    let to = a.broadcast(&b).expect("both broadcast to one shape");
    let (a, b) = (d.normal(a), d.nonzero(b));
    let value = from_index_fn(to, |i| scalar_f(broadcast_element(&a, i), broadcast_element(&b, i)));
    new_case([a, b], value, f)
}

/// Generates a product of two matrices, or of two batches of up to three matrices.
fn matmul(d: &mut RandomTensors, [m, k, n, batch]: [usize; 4], choice: usize) -> GeneratedCase {
    let batch = if (choice / 3).is_multiple_of(2) { vec![] } else { vec![batch.min(3)] };
    let shape = |rows, columns| Shape::new(&[&batch[..], &[rows, columns]].concat());
    let (a, b) = (d.normal(shape(m, k)), d.normal(shape(k, n)));
    let value = from_index_fn(shape(m, n), |i| {
        let (batch, i) = i.split_at(batch.len());
        let at = |x: &Tensor<f64>, row, column| x.get(&[batch, &[row, column]].concat());
        (0..k).map(|k| at(&a, i[0], k) * at(&b, k, i[1])).sum()
    });
    let transpose = |x: Tensor<f64>| x.permute(if batch.is_empty() { &[1, 0] } else { &[0, 2, 1] });
    match choice % 3 {
        0 => new_case([a, b], value, function!(|x| x[0].matmul(x[1]))),
        1 => new_case([a, transpose(b)], value, function!(|x| x[0].matmul_nt(x[1]))),
        _ => new_case([transpose(a), b], value, function!(|x| x[0].matmul_tn(x[1]))),
    }
}

fn reshape(d: &mut RandomTensors, from: Shape, choice: usize) -> GeneratedCase {
    let (x, size) = (d.normal(from), from.size());
    let to = match choice / 5 % 4 {
        0 => Shape::new(&[size]),
        1 => Shape::new(&[1, size, 1]),
        2 if size.is_multiple_of(2) => Shape::new(&[2, size / 2]),
        2 => Shape::new(&[size, 1]),
        _ => Shape::new(&from.iter().rev().copied().collect::<Vec<_>>()),
    };
    let value = Tensor::new(to, x.to_vec());
    new_case([x], value, function!([to: Shape] |x| x[0].reshape(*to)))
}

fn permute(d: &mut RandomTensors, from: Shape, choice: usize) -> GeneratedCase {
    let x = d.normal(from);
    let (mut left, mut axes, mut choice) = ((0..from.rank()).collect::<Vec<_>>(), Vec::new(), choice / 5);
    while !left.is_empty() {
        axes.push(left.remove(choice % left.len()));
        choice /= 4;
    }
    let to: Vec<usize> = axes.iter().map(|&axis| from[axis]).collect();
    let place = |i: &[usize], axis: usize| i[axes.iter().position(|&a| a == axis).expect("a permutation")];
    let value = from_index_fn(&to[..], |i| x.get(&(0..from.rank()).map(|axis| place(i, axis)).collect::<Vec<_>>()));
    new_case([x], value, function!([axes: Vec<usize>] |x| x[0].permute(axes)))
}

fn slice(d: &mut RandomTensors, from: Shape, axis: usize, choice: usize) -> GeneratedCase {
    let x = d.normal(from);
    let start = choice / 16 % (from[axis] + 1);
    let end = start + choice / 1024 % (from[axis] - start + 1);
    let value = from_index_fn(from.with_extent(axis, end - start), |i| {
        let mut i = i.to_vec();
        i[axis] += start;
        x.get(&i)
    });
    new_case([x], value, function!([axis: usize, start: usize, end: usize] |x| x[0].slice(*axis, *start..*end)))
}

/// Concatenates x, y and x again. The extents of x and y along the axis differ.
fn concat(d: &mut RandomTensors, extents: [usize; 4], first: Shape, axis: usize) -> GeneratedCase {
    let second = first.with_extent(axis, extents[3].min(9));
    let (x, y) = (d.normal(first), d.normal(second));
    let (n, m) = (first[axis], second[axis]);
    let value = from_index_fn(first.with_extent(axis, 2 * n + m), |i| {
        let mut at = i.to_vec();
        at[axis] = if i[axis] < n {
            i[axis]
        } else if i[axis] < n + m {
            i[axis] - n
        } else {
            i[axis] - n - m
        };
        if (n..n + m).contains(&i[axis]) { y.get(&at) } else { x.get(&at) }
    });
    new_case([x, y], value, function!([axis: usize] |x| Var::concat(&[x[0], x[1], x[0]], *axis)))
}

/// Returns indices below `n`, with repeats. `shape` must be empty if n is 0.
fn random_indices(d: &mut RandomTensors, n: usize, shape: Shape) -> Tensor<u32> {
    let numbers = d.positive(shape).to_vec();
    Tensor::new(shape, numbers.iter().map(|x| ((x - 0.5) * n as f64) as u32).collect())
}

fn embedding(d: &mut RandomTensors, [v, e, k, j]: [usize; 4], choice: usize) -> GeneratedCase {
    let k = if v == 0 { 0 } else { k };
    let index_shape = if choice.is_multiple_of(2) { Shape::new(&[k]) } else { Shape::new(&[k, j.min(3)]) };
    let (table, index) = (d.normal([v, e]), random_indices(d, v, index_shape));
    let to = Shape::new(&[&index_shape[..], &[e]].concat());
    let value = from_index_fn(to, |i| {
        let (at, column) = i.split_at(i.len() - 1);
        table.get(&[index.get(at) as usize, column[0]])
    });
    new_case([table], value, function!([index: Tensor<u32>] |x| x[0].embedding(index)))
}

fn gather(d: &mut RandomTensors, k: usize, from: Shape) -> GeneratedCase {
    let (x, n, last) = (d.normal(from), from.last_extent(), from.rank() - 1);
    let index_shape = from.with_extent(last, if n == 0 { 0 } else { k });
    let index = random_indices(d, n, index_shape);
    let value = from_index_fn(index_shape, |i| {
        let mut place = i.to_vec();
        place[last] = index.get(i) as usize;
        x.get(&place)
    });
    new_case([x], value, function!([index: Tensor<u32>] |x| x[0].gather(index)))
}
