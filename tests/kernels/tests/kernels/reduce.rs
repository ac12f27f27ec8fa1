use tensor::{Reduce, Tensor};

use crate::{Draw, EXACT, Scalar, check};

agree!(sum_to sum_product_to reduce argmax sum_of_squares);

fn sum_to<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let to = draw.broadcastable(shape);
    let (dy, dx) = (draw.input(shape), draw.gradient::<T>(to));
    check(&format!("sum {shape} to {to}"), EXACT, [dy], [dx], |k, [dy], [dx]| k.sum_to(T::from_f64(1.5), dy, dx));
}

fn sum_product_to<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let (narrow, to) = (draw.broadcastable(shape), draw.broadcastable(shape));
    let mut inputs = [draw.input(shape), draw.input(narrow)];
    if draw.coin() {
        inputs.reverse();
    }
    check(&format!("sum {shape}·{narrow} to {to}"), EXACT, inputs, [draw.gradient::<T>(to)], |k, [a, b], [dx]| {
        k.sum_product_to(T::from_f64(1.5), a, b, dx);
    });
}

fn reduce<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    for how in [Reduce::Sum, Reduce::Max] {
        for axis in 0..shape.rank() {
            let (x, y) = (draw.input(shape), draw.overwritten::<T>(shape.without_axis(axis)));
            check(&format!("{how:?} of {shape} along {axis}"), EXACT, [x], [y], |k, [x], [y]| {
                k.reduce(how, x, axis, y)
            });
        }
    }
}

fn argmax<T: Scalar>(draw: &mut Draw) {
    let mut shape = draw.shape(1);
    let last = shape.rank() - 1;
    shape = shape.with_extent(last, shape[last].max(1));
    let (x, y) = (draw.input::<T>(shape), draw.indices(shape.without_axis(last), 99));
    check(&format!("argmax of {shape}"), EXACT, [x], [y], |k, [x], [y]| k.argmax(x, y));
}

fn sum_of_squares<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let (x, y) = (draw.input(shape), draw.overwritten::<T>([]));
    check(&format!("sum_of_squares of {shape}"), EXACT, [x], [y], |k, [x], [mut y]| y.set(&[], k.sum_of_squares(x)));
}

/// A running sum of ones would stop at 2²⁴. The view repeats a single 1.
#[test]
fn sum_of_more_ones_than_f32_counts_is_exact() {
    let (n, one) = ((1 << 24) + 1000, Tensor::from([[1.0_f32]]));
    let (column, row) = (one.broadcast_to([n, 1]), one.broadcast_to([1, n]));
    for k in f32::implementations().into_iter().filter(|k| k.name() != "reference") {
        let mut y = Tensor::zeros([1]);
        k.reduce(Reduce::Sum, column.view(), 0, y.view_mut());
        assert_eq!(y.to_vec(), [n as f32], "{}", k.name());
        k.reduce(Reduce::Sum, row.view(), 1, y.view_mut());
        assert_eq!(y.to_vec(), [n as f32], "{}", k.name());
    }
}

/// A row of 2²⁰ numbers. No term passes through more than 32 + 15 additions, for any number of partial sums. Each
/// addition has an error of at most one unit roundoff, 2⁻²⁴. A square has one more rounding.
#[test]
fn sum_of_a_long_row_is_within_its_bound() {
    let n = 1 << 20;
    let x = Tensor::full([n], 0.1_f32);
    let want = |term: f64| n as f64 * term;
    let bound = 48.0 / f64::from(1 << 24);
    for k in f32::implementations() {
        let [mut sum, mut sum_to] = [(); 2].map(|()| Tensor::zeros([1]));
        k.reduce(Reduce::Sum, x.reshape([1, n]).view(), 1, sum.view_mut());
        k.sum_to(1.0, x.view(), sum_to.view_mut());
        let (tenth, squares) = (f64::from(0.1_f32), f64::from(k.sum_of_squares(x.view())));
        for (sum, want) in [
            (f64::from(sum.item()), want(tenth)),
            (f64::from(sum_to.item()), want(tenth)),
            (squares, want(tenth * tenth)),
        ] {
            assert!((sum - want).abs() < bound * want, "{}: {sum}, not {want}", k.name());
        }
    }
}

/// The lengths are just below and above each block size, and far above.
#[test]
fn sum_of_any_length_loses_no_block() {
    for n in [31, 32, 33, 64, 65, 255, 256, 257, 511, 512, 513, 1025, 4096, 4097, 32_768, 32_769, 70_001] {
        let x = Tensor::full([n, 2], 1.0_f32);
        let flat = x.reshape([2 * n]);
        for k in f32::implementations() {
            let what = format!("{}, n = {n}", k.name());
            let [mut all, mut columns] = [Tensor::zeros([1]), Tensor::zeros([2])];
            k.sum_to(1.0, flat.view(), all.view_mut());
            k.sum_to(1.0, x.view(), columns.view_mut());
            assert_eq!((all.to_vec(), columns.to_vec()), (vec![2.0 * n as f32], vec![n as f32; 2]), "{what}");
            assert_eq!(k.sum_of_squares(flat.view()), 2.0 * n as f32, "{what}");
        }
    }
}

/// 2²⁴ + 1 is not an `f32`, so a single running sum would stay at 2²⁴. Along the innermost axis the kernels have eight
/// partial sums.
#[test]
fn sums_with_one_large_term_keep_the_small_terms() {
    let mut terms = [1.0_f32; 16];
    terms[0] = 16_777_216.0;
    let (x, ones) = (Tensor::from(terms), Tensor::full([16], 1.0));
    let sum_by = |kernel: &dyn Fn(&mut Tensor<f32>)| {
        let mut y = Tensor::zeros([1]);
        kernel(&mut y);
        y.to_vec()[0] - terms[0]
    };
    for k in f32::implementations().into_iter().filter(|k| k.name() != "reference") {
        let what = k.name();
        assert_eq!(sum_by(&|y| k.reduce(Reduce::Sum, x.reshape([1, 16]).view(), 1, y.view_mut())), 14.0, "{what}");
        assert_eq!(sum_by(&|y| k.sum_to(1.0, x.view(), y.view_mut())), 14.0, "{what}");
        let without_axes = |y: &mut Tensor<f32>| k.sum_to(1.0, x.view(), y.view_mut().select(0, 0));
        assert_eq!(sum_by(&without_axes), 14.0, "{what}");
        assert_eq!(sum_by(&|y| k.sum_product_to(1.0, x.view(), ones.view(), y.view_mut())), 14.0, "{what}");
    }
}
