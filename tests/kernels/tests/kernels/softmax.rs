use crate::{Draw, Operand, Scalar, check, rounding};

agree!(softmax softmax_backward log_softmax log_softmax_backward logsumexp logsumexp_backward);

fn softmax<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    let (x, y) = (draw.input(shape), draw.overwritten::<T>(shape));
    check("softmax", rounding::<T>(shape.last_extent()), [x], [y], |k, [x], [y]| k.softmax(x, y));
}

fn softmax_backward<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    let (inputs, dx) = ([draw.input(shape), draw.input(shape)], draw.gradient::<T>(shape));
    check("softmax_backward", rounding::<T>(shape.last_extent()), inputs, [dx], |k, [y, dy], [dx]| {
        k.softmax_backward(y, dy, dx);
    });
}

fn log_softmax<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    let (x, y) = (draw.input(shape), draw.overwritten::<T>(shape));
    check("log_softmax", rounding::<T>(shape.last_extent()), [x], [y], |k, [x], [y]| k.log_softmax(x, y));
}

fn log_softmax_backward<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    let (inputs, dx) = ([draw.input(shape), draw.input(shape)], draw.gradient::<T>(shape));
    check("log_softmax_backward", rounding::<T>(shape.last_extent()), inputs, [dx], |k, [y, dy], [dx]| {
        k.log_softmax_backward(y, dy, dx);
    });
}

fn logsumexp<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    let (x, y) = (draw.input(shape), draw.overwritten::<T>(shape.without_axis(shape.rank() - 1)));
    check("logsumexp", rounding::<T>(shape.last_extent()), [x], [y], |k, [x], [y]| k.logsumexp(x, y));
}

fn logsumexp_backward<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    let rows = shape.without_axis(shape.rank() - 1);
    let (x, y, dy): (Operand<T>, _, _) = (draw.input(shape), draw.input(rows), draw.input(rows));
    let dx = draw.gradient::<T>(shape);
    check("logsumexp_backward", rounding::<T>(1), [x, y, dy], [dx], |k, [x, y, dy], [dx]| {
        k.logsumexp_backward(x, y, dy, dx);
    });
}
