//! Plain output for pipes and files: one line per validation, without terminal escape codes.

use super::progress::RunProgress;
use super::sparkline::Sparkline;
use crate::output::table::{NONE, format_share};

/// Formats the current progress of a run as one line. It names the stage only where that has changed.
pub(crate) fn progress_line(progress: &RunProgress) -> String {
    let exact: Vec<_> = progress.last_exact_matches().map(format_share).collect();
    let last = |sparkline: &Sparkline| sparkline.last().unwrap_or(f64::NAN);
    format!(
        "update {:>4}/{}  exact {}  return {:>6.3}  entropy {:.3}  {} steps/s{}",
        progress.update,
        progress.limits.max_updates,
        if exact.is_empty() { NONE.into() } else { exact.join(" ") },
        last(&progress.reward),
        last(&progress.entropy),
        progress.steps_per_second().map_or(NONE.into(), |rate| format!("{rate:.0}")),
        progress.new_stage.map_or(String::new(), |stage| format!("  stage {stage}")),
    )
}
