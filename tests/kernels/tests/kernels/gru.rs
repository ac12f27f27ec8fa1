use tensor::View;

use crate::{Draw, Operand, Scalar, check, rounding};

agree!(gates gates_backward);

/// Draws the number of rows of gx: either `batch` rows, one for each example, or those of a table, with the row of each
/// example.
fn draw_rows(draw: &mut Draw, batch: usize) -> (usize, Option<Operand<u32>>) {
    if draw.coin() {
        return (batch, None);
    }
    let rows = 1 + draw.below(4);
    (rows, Some(draw.indices([batch], rows)))
}

fn strided(rows: &Option<Operand<u32>>) -> Option<View<'_, u32>> {
    rows.as_ref().map(Operand::strided)
}

fn gates<T: Scalar>(draw: &mut Draw) {
    let [batch, hidden_size] = draw.sizes();
    let (gx_rows, rows) = draw_rows(draw, batch);
    let (gx, hw) = (draw.input([gx_rows, 3 * hidden_size]), draw.input([batch, 3 * hidden_size]));
    let inputs = [gx, hw, draw.input([3 * hidden_size]), draw.input([batch, hidden_size])];
    let outputs = [draw.overwritten::<T>([batch, 4 * hidden_size]), draw.overwritten([batch, hidden_size])];
    check("gru_gates", rounding::<T>(1), inputs, outputs, |k, [gx, hw, b_hh, h_prev], [kept, h]| {
        k.gru_gates(gx, strided(&rows), hw, b_hh, h_prev, kept, h);
    });
}

/// A row of a table can collect gradients from all examples.
fn gates_backward<T: Scalar>(draw: &mut Draw) {
    let [batch, hidden_size] = draw.sizes();
    let (gx_rows, rows) = draw_rows(draw, batch);
    let inputs =
        [draw.input([batch, 4 * hidden_size]), draw.input([batch, hidden_size]), draw.input([batch, hidden_size])];
    let dgx = draw.gradient::<T>([gx_rows, 3 * hidden_size]);
    let outputs = [dgx, draw.overwritten([batch, 3 * hidden_size]), draw.overwritten([batch, hidden_size])];
    check("gru_gates_backward", rounding::<T>(batch), inputs, outputs, |k, [kept, h_prev, dh], [dgx, dgh, dh_prev]| {
        k.gru_gates_backward(kept, h_prev, dh, strided(&rows), dgx, dgh, dh_prev);
    });
}
