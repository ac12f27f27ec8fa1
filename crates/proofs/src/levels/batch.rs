//! L5: rows of a batch do not depend on each other, and shared inputs collect gradients from all rows.

use crate::{BatchAxes, Case};
use autograd::gradcheck::draw_cotangent;
use tensor::Tensor;

use super::Verdict;
use super::pass::{check_close, check_shapes, checked_gradients, run_case, run_case_at};

const TOLERANCE: f64 = 1e-13;

/// Returns true if the case has [`BatchAxes`].
pub fn has_batch(case: &Case) -> bool {
    case.batch.is_some()
}

/// Compares a batch of N rows with N batches of one row. The value and the gradients of the rows must be equal. The
/// gradient of a shared input must be the sum over the rows. A case without a [batch](has_batch) passes.
///
/// # Errors
/// If the check fails.
pub fn check_batch_rows(case: &Case) -> Verdict {
    let Some(BatchAxes { inputs: axes, value }) = &case.batch else { return Ok(()) };
    let x = case.values();
    let whole = run_case(case, 1);
    check_shapes(&whole, &x)?;
    let rows = whole.y.shape()[*value];
    let mut shared: Vec<Option<Tensor<f64>>> = vec![None; x.len()];
    for row in 0..rows {
        let select_row =
            |x: &Tensor<f64>, axis: &Option<usize>| axis.map_or(x.clone(), |axis| x.slice(axis, row..row + 1));
        let parts: Vec<_> = x.iter().zip(axes).map(|(x, axis)| select_row(x, axis)).collect();
        let pass = run_case_at(case, &parts, |_| select_row(&draw_cotangent(whole.y.shape(), 1), &Some(*value)));
        check_close(&format!("the value of row {row}"), &pass.y, &select_row(&whole.y, &Some(*value)), TOLERANCE)?;
        for (k, dx) in checked_gradients(pass, &parts)?.into_iter().enumerate() {
            match (axes[k], &whole.gradients[k]) {
                (Some(_), Some(all)) => {
                    check_close(&format!("input {k}, row {row}"), &dx, &select_row(all, &axes[k]), TOLERANCE)?
                }
                _ => shared[k] = Some(shared[k].take().map_or(dx.clone(), |sum| &sum + &dx)),
            }
        }
    }
    for (k, (sum, all)) in shared.iter().zip(&whole.gradients).enumerate() {
        let Some((sum, all)) = sum.as_ref().zip(all.as_ref()) else { continue };
        check_close(&format!("input {k}, shared by {rows} rows"), all, sum, TOLERANCE)?;
    }
    Ok(())
}
