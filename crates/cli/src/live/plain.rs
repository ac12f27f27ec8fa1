//! What a pipe or a file gets: a line for each validation, without any code for terminals.

use super::board::Board;
use crate::output::table::{NONE, share};

/// The line of a run as it stands.
pub(crate) fn line(board: &Board) -> String {
    let exact: Vec<_> = board.exact().map(share).collect();
    let last = |curve: &super::curve::Curve| curve.last().unwrap_or(f64::NAN);
    format!(
        "update {:>4}/{}  stage {}  exact {}  reward {:>6.3}  entropy {:.3}  {} steps/s",
        board.update,
        board.goal.limit,
        board.stage,
        if exact.is_empty() { NONE.into() } else { exact.join(" ") },
        last(&board.reward),
        last(&board.entropy),
        board.rate().map_or(NONE.into(), |rate| format!("{rate:.0}")),
    )
}
