use tensor::View;

use crate::{Draw, Operand, Scalar, check, rounding};

agree!(gates gates_backward);

/// The input's part of each of `b` examples; or a table, and which row of it each has.
fn part(draw: &mut Draw, b: usize) -> (usize, Option<Operand<u32>>) {
    if draw.coin() {
        return (b, None);
    }
    let rows = 1 + draw.below(4);
    (rows, Some(draw.indices([b], rows)))
}

fn carved(rows: &Option<Operand<u32>>) -> Option<View<'_, u32>> {
    rows.as_ref().map(Operand::carved)
}

fn gates<T: Scalar>(draw: &mut Draw) {
    let [b, h] = draw.sizes();
    let (v, rows) = part(draw, b);
    let inputs = [draw.input([v, 3 * h]), draw.input([b, 3 * h]), draw.input([3 * h]), draw.input([b, h])];
    let outputs = [draw.blank::<T>([b, 4 * h]), draw.blank([b, h])];
    check("gru_gates", rounding::<T>(1), inputs, outputs, |k, [gx, hw, bias, h], [kept, y]| {
        k.gru_gates(gx, carved(&rows), hw, bias, h, kept, y);
    });
}

/// A row of a table collects as many numbers as there are examples.
fn gates_backward<T: Scalar>(draw: &mut Draw) {
    let [b, h] = draw.sizes();
    let (v, rows) = part(draw, b);
    let inputs = [draw.input([b, 4 * h]), draw.input([b, h]), draw.input([b, h])];
    let outputs = [draw.gradient::<T>([v, 3 * h]), draw.blank([b, 3 * h]), draw.blank([b, h])];
    check("gru_gates_backward", rounding::<T>(b), inputs, outputs, |k, [kept, h, dy], [dgx, dgh, dh]| {
        k.gru_gates_backward(kept, h, dy, carved(&rows), dgx, dgh, dh);
    });
}
