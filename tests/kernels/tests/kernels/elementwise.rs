use tensor::{Binary, Map};

use crate::{Draw, EXACT, Scalar, check, functions};

agree!(map map_backward row_constants binary);

fn map<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    for f in Map::all(T::from_f64(-1.5)) {
        let x = if matches!(f, Map::Log | Map::Sqrt) { draw.positive(shape) } else { draw.input(shape) };
        check(&format!("map {f:?}"), functions::<T>(), [x], [draw.overwritten::<T>(shape)], |k, [x], [y]| {
            k.map(f, x, y)
        });
    }
}

fn map_backward<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    for f in Map::all(T::from_f64(-1.5)) {
        let inputs = [draw.positive(shape), draw.input(shape)];
        let dx = draw.gradient::<T>(shape);
        check(&format!("map_backward {f:?}"), functions::<T>(), inputs, [dx], |k, [kept, dy], [dx]| {
            k.map_backward(f, kept, dy, dx);
        });
    }
}

/// dy repeats one number along each row, like the gradient of the entropy.
fn row_constants<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(1);
    let dy = draw.input(shape.with_extent(shape.rank() - 1, 1));
    let dx = draw.gradient::<T>(shape);
    check("map_backward of rows", functions::<T>(), [draw.input(shape), dy], [dx], |k, [kept, dy], [dx]| {
        k.map_backward(Map::EntropySlope, kept, dy.broadcast_to(dx.shape()), dx);
    });
}

fn binary<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    for op in Binary::ALL {
        let (a, b) = (draw.broadcastable(shape), draw.broadcastable(shape));
        let inputs = [draw.input(a), draw.positive(b)];
        check(&format!("{op:?} {a} {b}"), EXACT, inputs, [draw.overwritten::<T>(shape)], |k, [a, b], [y]| {
            k.binary(op, a, b, y);
        });
    }
}
