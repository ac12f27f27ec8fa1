//! L5: rows of a batch do not see each other, and what they share collects from all.

use crate::{Batch, Case};
use autograd::gradcheck::cotangent;
use tensor::Tensor;

use super::Verdict;
use super::pass::{gradients, near, pass, pass_at, shapes};

const TOLERANCE: f64 = 1e-13;

/// Whether it has a [`Batch`].
pub fn has_rows(case: &Case) -> bool {
    case.batch.is_some()
}

/// A batch of N rows gives what N batches of one row give: its value and the gradients of its rows in their places, and
/// the gradients of what they share added up. Says nothing of a case that [has none](has_rows).
///
/// # Errors
/// If not.
pub fn adds_up_over_rows(case: &Case) -> Verdict {
    let Some(Batch { inputs: axes, value }) = &case.batch else { return Ok(()) };
    let x = case.values();
    let whole = pass(case, 1);
    shapes(&whole, &x)?;
    let rows = whole.y.shape()[*value];
    let mut shared: Vec<Option<Tensor<f64>>> = vec![None; x.len()];
    for row in 0..rows {
        let one = |x: &Tensor<f64>, axis: &Option<usize>| axis.map_or(x.clone(), |axis| x.slice(axis, row..row + 1));
        let parts: Vec<_> = x.iter().zip(axes).map(|(x, axis)| one(x, axis)).collect();
        let pass = pass_at(case, &parts, |_| one(&cotangent(whole.y.shape(), 1), &Some(*value)));
        near(&format!("the value of row {row}"), &pass.y, &one(&whole.y, &Some(*value)), TOLERANCE)?;
        for (k, dx) in gradients(pass, &parts)?.into_iter().enumerate() {
            match (axes[k], &whole.gradients[k]) {
                (Some(_), Some(all)) => near(&format!("input {k}, row {row}"), &dx, &one(all, &axes[k]), TOLERANCE)?,
                _ => shared[k] = Some(shared[k].take().map_or(dx.clone(), |sum| &sum + &dx)),
            }
        }
    }
    for (k, (sum, all)) in shared.iter().zip(&whole.gradients).enumerate() {
        let Some((sum, all)) = sum.as_ref().zip(all.as_ref()) else { continue };
        near(&format!("input {k}, shared by {rows} rows"), all, sum, TOLERANCE)?;
    }
    Ok(())
}
