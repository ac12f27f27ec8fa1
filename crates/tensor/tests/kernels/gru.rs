use crate::{Draw, Scalar, check, rounding};

agree!(gates gates_backward);

fn gates<T: Scalar>(draw: &mut Draw) {
    let [b, h] = draw.sizes();
    let inputs = [draw.input([b, 3 * h]), draw.input([b, 3 * h]), draw.input([b, h])];
    let outputs = [draw.blank::<T>([b, 4 * h]), draw.blank([b, h])];
    check("gru_gates", rounding::<T>(1), inputs, outputs, |k, [gx, gh, h], [kept, y]| k.gru_gates(gx, gh, h, kept, y));
}

fn gates_backward<T: Scalar>(draw: &mut Draw) {
    let [b, h] = draw.sizes();
    let inputs = [draw.input([b, 4 * h]), draw.input([b, h]), draw.input([b, h])];
    let outputs = [draw.gradient::<T>([b, 3 * h]), draw.blank([b, 3 * h]), draw.gradient([b, h])];
    check("gru_gates_backward", rounding::<T>(1), inputs, outputs, |k, [kept, h, dy], [dgx, dgh, dh]| {
        k.gru_gates_backward(kept, h, dy, dgx, dgh, dh);
    });
}
