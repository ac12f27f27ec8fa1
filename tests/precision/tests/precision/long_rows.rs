//! Precision on long rows and on rows far from zero. A plain running sum would lose too much there, and a single subtraction of
//! the mean would leave an error.

use autograd::Tape;
use gradus_tests::RandomTensors;
use tensor::{Form, Kernels, Naive, Real, Reduce, Shape, Tensor, View, ViewMut};

use crate::bounded::{Bounded, Scheme, Sums, U, gamma};
use crate::harness::{Computations, assert_precise};
use crate::{constant, normal, positive, single};

/// A length far above every block size and a multiple of none.
const LONG: [usize; 1] = [100_003];
const LONGEST: [usize; 1] = [1_000_003];
/// The number of rows of three numbers with statistics, and of terms of a matrix product.
const MANY: [usize; 1] = [20_011];
const SHORT_AND_LONG: [usize; 8] = [2, 3, 8, 33, 300, 1000, 4096, 100_003];

precise!(Sums of super::LONGEST: longest_sums);
precise!(Sums of super::LONG: sum_axis sum_to sum_product_to sum_of_squares mean);
precise!(Products of super::MANY: matmul);
precise!(Sums of super::LONG: softmax log_softmax logsumexp softmax_backward log_softmax_backward);

/// Means, and the largest distances of the numbers from them. In the last pair, the distance is a few ulps.
const OFFSETS: [[f64; 2]; 3] = [[1e3, 1.0], [1e6, 1.0], [1234.567, 1e-3]];

fn around<T: Real>(d: &mut RandomTensors, shape: impl Into<Shape>, [mean, spread]: [f64; 2]) -> Tensor<T> {
    let deviations = &(&d.positive(shape) - &Tensor::scalar(1.0)) * &Tensor::scalar(2.0 * spread);
    single(&(&deviations + &Tensor::scalar(mean)))
}

/// Joins several sums into one output, because not every sum comes near its bound.
fn join<T: Real>(sums: impl IntoIterator<Item = Tensor<T>>) -> Vec<Tensor<T>> {
    let all: Vec<T> = sums.into_iter().flat_map(|sum| sum.to_vec()).collect();
    vec![Tensor::new([all.len()], all)]
}

/// Calls `add` on zeros and returns the result.
fn add_to_zeros<T: Real>(shape: impl Into<Shape>, add: impl FnOnce(&mut Tensor<T>)) -> Tensor<T> {
    let mut y = Tensor::zeros(shape);
    add(&mut y);
    y
}

fn longest_sums<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let x = around::<T>(d, [n], [0.1, 1e-3]);
    join([
        add_to_zeros([], |dx| k.sum_to(constant(1.0), x.view(), dx.view_mut())),
        add_to_zeros([], |y| k.reduce(Reduce::Sum, x.view(), 0, y.view_mut())),
        Tensor::scalar(k.sum_of_squares(x.view())),
    ])
}

fn sum_axis<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    join(OFFSETS.into_iter().flat_map(|offset| {
        let (x, wide) = (around::<T>(d, [n, 2], offset), around::<T>(d, [2, n], offset));
        [(&x, 0), (&x.transpose(), 1), (&wide, 1)]
            .map(|(x, axis)| add_to_zeros([2], |y| k.reduce(Reduce::Sum, x.view(), axis, y.view_mut())))
    }))
}

fn sum_to<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    join(OFFSETS.into_iter().flat_map(|offset| {
        let (x, flat) = (around::<T>(d, [n, 2], offset), around(d, [n], offset));
        [
            add_to_zeros([2], |dx| k.sum_to(constant(0.3), x.view(), dx.view_mut())),
            add_to_zeros([1], |dx| k.sum_to(constant(0.3), flat.view(), dx.view_mut())),
        ]
    }))
}

fn sum_product_to<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    join(OFFSETS[1..].iter().copied().flat_map(|offset| {
        let (x, factors) = (around::<T>(d, [n, 2], offset), around::<T>(d, [n, 1], [1.5, 1.0]));
        let column = x.slice(1, 0..1);
        [
            add_to_zeros([2], |dx| k.sum_product_to(constant(0.3), x.view(), factors.view(), dx.view_mut())),
            add_to_zeros([], |dx| k.sum_product_to(constant(0.3), column.view(), factors.view(), dx.view_mut())),
        ]
    }))
}

fn sum_of_squares<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    join(OFFSETS.into_iter().flat_map(|offset| {
        let x = around::<T>(d, [n, 2], offset);
        [&x, &x.transpose()].map(|x| Tensor::scalar(k.sum_of_squares(x.view())))
    }))
}

fn mean<T: Real>(d: &mut RandomTensors, n: usize, k: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
    let tape = Tape::with_kernels(k);
    join(OFFSETS.into_iter().flat_map(|offset| {
        let x = tape.input(around(d, [n], offset));
        [x.mean().value(), x.mean_axis(0).value()]
    }))
}

/// Computes products y with one row and with three.
fn matmul<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (forms, heights) = ([Form::NN, Form::NT, Form::TN], [1, 3]);
    join(forms.into_iter().flat_map(|form| heights.map(|m| (form, m))).map(|(form, m)| {
        let a = around::<T>(d, if form == Form::TN { [n, m] } else { [m, n] }, OFFSETS[0]);
        let b = around::<T>(d, if form == Form::NT { [2, n] } else { [n, 2] }, [0.1, 1e-3]);
        add_to_zeros([m, 2], |y| k.matmul(form, a.view(), b.view(), false, y.view_mut()))
    }))
}

/// Applies `f` to a row of each offset. The results have this shape.
fn map_rows<T: Real>(
    d: &mut RandomTensors,
    n: usize,
    shape: impl Into<Shape> + Copy,
    f: impl Fn(View<T>, ViewMut<T>),
) -> Vec<Tensor<T>> {
    let x = OFFSETS.map(|offset| around::<T>(d, [1, n], offset));
    join(x.map(|x| add_to_zeros(shape, |y| f(x.view(), y.view_mut()))))
}

fn softmax<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    map_rows(d, n, [1, n], |x, y| k.softmax(x, y))
}

fn log_softmax<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    map_rows(d, n, [1, n], |x, y| k.log_softmax(x, y))
}

fn logsumexp<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    map_rows(d, n, [1], |x, y| k.logsumexp(x, y))
}

fn softmax_backward<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let each = |offset| {
        let (y, dy) = (single::<T>(&(&d.positive([1, n]) / &Tensor::scalar(n as f64))), around(d, [1, n], offset));
        add_to_zeros([1, n], |dx| k.softmax_backward(y.view(), dy.view(), dx.view_mut()))
    };
    join(OFFSETS.map(each))
}

fn log_softmax_backward<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let each = |offset| {
        let (y, dy) = (around::<T>(d, [1, n], [-(n as f64).ln(), 0.5]), around(d, [1, n], offset));
        add_to_zeros([1, n], |dx| k.log_softmax_backward(y.view(), dy.view(), dx.view_mut()))
    };
    join(OFFSETS.map(each))
}

/// Normalises a row. Returns y\[1,N\], the mean and s.
fn normalise<T: Real>(k: &dyn Kernels<T>, x: &Tensor<T>, w: &Tensor<T>, b: &Tensor<T>) -> [Tensor<T>; 3] {
    let (mut y, mut stats) = (Tensor::zeros(x.shape()), Tensor::zeros([1, 2]));
    k.layer_norm(x.view(), w.view(), b.view(), constant(1e-5), y.view_mut(), stats.view_mut());
    [y, stats.slice(1, 0..1), stats.slice(1, 1..2)]
}

fn layer_norm<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let rows = OFFSETS.map(|offset| normalise(k, &around(d, [1, n], offset), &normal(d, [n]), &normal(d, [n])));
    by_kind(rows)
}

/// Joins the results, the means and s of all rows.
fn by_kind<T: Real>(rows: [[Tensor<T>; 3]; 3]) -> Vec<Tensor<T>> {
    (0..3).flat_map(|kind| join(rows.iter().map(|row| row[kind].clone()))).collect()
}

/// Computes the bound of rows far from zero.
///
/// The same error η of the mean is in every x − μ. A [`Bounded`] cannot express this, so its bound of the second centring would
/// grow with η. The real error does not. Let m be the computed mean, d the centred row and r the computed mean of d:
///
/// ```text
/// η = μ − m    d_j = (x_j − μ + η)(1 + δ_j)    r = mean d, computed = η + mean (x − μ) + …    c_j = d_j − r
/// ```
///
/// In c, η occurs only multiplied by rounding errors: u·|η| from δ_j, the same from the mean of all δ, and γ_{D+1}·|η| from the
/// computation of r. All other errors also occur with x − μ in place of x. So the kernel runs on the exact x − μ with an error
/// of γ_{D+3}·|η|. |η| is at most the bound of the mean, for which the kernel runs on x.
fn layer_norm_bound(d: &mut RandomTensors, n: usize, k: &'static dyn Kernels<Bounded>) -> Vec<Tensor<Bounded>> {
    let row = |offset| {
        let (x, w, b) = (around(d, [1, n], offset), normal(d, [n]), normal(d, [n]));
        let [_, mean, _] = normalise(k, &x, &w, &b);
        let left = gamma((Sums::additions(n) + 3) as f64) * mean.item().error();
        let centred = centred(&x).into_iter().map(|c| Bounded::new(c, left)).collect();
        let [y, _, s] = normalise(k, &Tensor::new([1, n], centred), &w, &b);
        [y, mean, s]
    };
    by_kind(OFFSETS.map(row))
}

/// Computes x − μ in `f64`, without the error of μ.
fn centred(x: &Tensor<Bounded>) -> Vec<f64> {
    let less_mean = |x: Vec<f64>| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.into_iter().map(|x| x - mean).collect::<Vec<_>>()
    };
    less_mean(less_mean(x.to_vec().iter().map(|x| x.value).collect()))
}

#[test]
fn layer_norm_stays_within_its_bound() {
    let body = Computations { f32: layer_norm, bounded: layer_norm_bound, f64: layer_norm };
    assert_precise("layer_norm", &body, &SHORT_AND_LONG);
}

/// Compares the largest bounds for rows with different means. They may grow only by u times mean ÷ spread.
#[test]
fn layer_norm_bound_does_not_grow_with_the_mean() {
    let worst = layer_norm_bound(&mut RandomTensors::new(0), 1000, &Naive).swap_remove(0);
    let worst: Vec<f64> =
        worst.to_vec().chunks(1000).map(|y| y.iter().map(|y| y.error()).fold(0.0, f64::max)).collect();
    println!("{worst:?}, that is {:?} u", worst.iter().map(|x| x / U).collect::<Vec<_>>());
    assert!(worst[1] < 10.0 * worst[0], "{worst:?}: 1000 times as far from zero");
}

/// A function that prepares x\[rows,N\] and the statistics of a forward pass for a backward pass.
type Rows<T> = fn(Tensor<f64>, Tensor<f64>) -> [Tensor<T>; 2];

fn as_given<T: Real>(x: Tensor<f64>, stats: Tensor<f64>) -> [Tensor<T>; 2] {
    [x, stats].map(|x| single(&x))
}

/// Returns the rows x − μ with one rounding, and statistics with a mean of 0.
///
/// A [`Bounded`] treats x − μ − r as a sum in any order, in which r may be lost beside μ. The algorithm computes x − μ first,
/// which is small.
fn shifted(x: Tensor<f64>, stats: Tensor<f64>) -> [Tensor<Bounded>; 2] {
    let d = &x - &stats.slice(1, 0..1);
    let rounded = d.to_vec().into_iter().map(|d| Bounded::new(d, U * d.abs())).collect();
    let without_mean = &stats * &Tensor::from([0.0, 1.0]);
    [Tensor::new(x.shape(), rounded), single(&without_mean)]
}

/// Draws rows that rise from left to right, so that columns do not cancel.
fn rows_and_stats<T: Real>(
    d: &mut RandomTensors,
    shape: [usize; 2],
    offset: [f64; 2],
    rows: Rows<T>,
) -> [Tensor<T>; 2] {
    let rise = Tensor::from_fn([shape[1]], |j| 4.0 * offset[1] * j as f64 / shape[1] as f64);
    let (x, w) = (single::<f64>(&(&around(d, shape, offset) + &rise)), Tensor::zeros([shape[1]]));
    let (mut y, mut stats) = (Tensor::zeros(shape), Tensor::zeros([shape[0], 2]));
    Naive.layer_norm(x.view(), w.view(), w.view(), constant(1e-5), y.view_mut(), stats.view_mut());
    rows(x, single(&stats))
}

fn gradients<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>, rows: Rows<T>) -> Vec<Tensor<T>> {
    let mut all = [(); 2].map(|()| Vec::new());
    for offset in OFFSETS {
        let ([x, stats], w, dy) = (rows_and_stats(d, [1, n], offset, rows), positive(d, [n]), normal(d, [1, n]));
        let (mut dx, mut dw) = (Tensor::zeros([1, n]), Tensor::zeros([n]));
        let (to_dx, to_dw) = (Some(dx.view_mut()), Some(dw.view_mut()));
        k.layer_norm_backward(x.view(), w.view(), stats.view(), dy.view(), to_dx, to_dw);
        all[0].push(dx);
        all[1].push(dw);
    }
    all.into_iter().flat_map(join).collect()
}

fn dw_of_many_rows<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>, rows: Rows<T>) -> Vec<Tensor<T>> {
    join(OFFSETS.map(|offset| {
        let ([x, stats], dy) = (rows_and_stats(d, [n, 3], offset, rows), around(d, [n, 3], [1e3, 1.0]));
        let w = positive(d, [3]);
        add_to_zeros([3], |dw| {
            k.layer_norm_backward(x.view(), w.view(), stats.view(), dy.view(), None, Some(dw.view_mut()))
        })
    }))
}

#[test]
fn layer_norm_backward_stays_within_its_bound() {
    let body = Computations {
        f32: |d, n, k| gradients(d, n, k, as_given),
        bounded: |d, n, k| gradients(d, n, k, shifted),
        f64: |d, n, k| gradients(d, n, k, as_given),
    };
    assert_precise("layer_norm_backward", &body, &SHORT_AND_LONG);
}

#[test]
fn layer_norm_backward_of_many_rows_stays_within_its_bound() {
    let body = Computations {
        f32: |d, n, k| dw_of_many_rows(d, n, k, as_given),
        bounded: |d, n, k| dw_of_many_rows(d, n, k, shifted),
        f64: |d, n, k| dw_of_many_rows(d, n, k, as_given),
    };
    assert_precise("layer_norm_backward of many rows", &body, &MANY);
}
