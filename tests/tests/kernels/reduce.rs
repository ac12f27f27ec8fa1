use tensor::Reduce;

use crate::{Draw, EXACT, Scalar, check};

agree!(sum_to sum_product_to reduce argmax sum_of_squares);

fn sum_to<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let to = draw.narrower(shape);
    let (dy, dx) = (draw.input(shape), draw.gradient::<T>(to));
    check(&format!("sum {shape} to {to}"), EXACT, [dy], [dx], |k, [dy], [dx]| k.sum_to(T::of(1.5), dy, dx));
}

fn sum_product_to<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let (narrow, to) = (draw.narrower(shape), draw.narrower(shape));
    let mut inputs = [draw.input(shape), draw.input(narrow)];
    if draw.coin() {
        inputs.reverse();
    }
    check(&format!("sum {shape}·{narrow} to {to}"), EXACT, inputs, [draw.gradient::<T>(to)], |k, [a, b], [dx]| {
        k.sum_product_to(T::of(1.5), a, b, dx);
    });
}

fn reduce<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    for how in [Reduce::Sum, Reduce::Max] {
        for axis in 0..shape.rank() {
            let (x, y) = (draw.input(shape), draw.blank::<T>(shape.without(axis)));
            check(&format!("{how:?} of {shape} along {axis}"), EXACT, [x], [y], |k, [x], [y]| {
                k.reduce(how, x, axis, y)
            });
        }
    }
}

fn argmax<T: Scalar>(draw: &mut Draw) {
    let mut shape = draw.shape(1);
    let last = shape.rank() - 1;
    shape = shape.with(last, shape[last].max(1));
    let (x, y) = (draw.input::<T>(shape), draw.indices(shape.without(last), 99));
    check(&format!("argmax of {shape}"), EXACT, [x], [y], |k, [x], [y]| k.argmax(x, y));
}

fn sum_of_squares<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let (x, y) = (draw.input(shape), draw.blank::<T>([]));
    check(&format!("sum_of_squares of {shape}"), EXACT, [x], [y], |k, [x], [mut y]| y.set(&[], k.sum_of_squares(x)));
}
