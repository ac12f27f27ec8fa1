//! Plain output for pipes and files: one line per validation, without terminal escape codes.

use console::{Term, measure_text_width};

use super::progress::RunProgress;
use super::sparkline::Sparkline;
use crate::output::table::NONE;
use crate::output::width;

/// Number of parts of a line that may be left out.
const OPTIONAL_PARTS: usize = 6;

/// A function that returns a part of a line, or an empty text if parts of this rank are left out. Rank 1 is the first to go.
type PartFilter<'a> = &'a dyn Fn(usize, &str) -> String;

/// Returns the text before a line about a run that is one of several.
pub(crate) fn format_seed_prefix(seed: u64, is_one_of_several: bool) -> String {
    if is_one_of_several { format!("seed {seed}: ") } else { String::new() }
}

/// Formats the current progress of a run as one line. It names the stage only where that has changed.
pub(crate) fn format_progress(progress: &RunProgress, is_one_of_several: bool) -> String {
    fit_fields(&format_seed_prefix(progress.seed, is_one_of_several), |keep| format_fields(progress, keep))
}

/// Joins the fields of a line. Leaves out as many parts as necessary, so that the line fits into the terminal.
pub(crate) fn fit_fields<const N: usize>(prefix: &str, fields: impl Fn(PartFilter<'_>) -> [String; N]) -> String {
    fit_fields_to(width::terminal_columns(&Term::stdout()), prefix, fields)
}

fn fit_fields_to<const N: usize>(
    columns: Option<usize>,
    prefix: &str,
    fields: impl Fn(PartFilter<'_>) -> [String; N],
) -> String {
    let line = |left_out: usize| {
        let fields = fields(&|rank, part| if rank > left_out { part.to_owned() } else { String::new() });
        prefix.to_owned()
            + &fields.iter().filter(|field| !field.is_empty()).map(String::as_str).collect::<Vec<_>>().join("  ")
    };
    let fits = |line: &String| columns.is_none_or(|columns| measure_text_width(line) <= columns);
    (0..OPTIONAL_PARTS).map(line).find(fits).unwrap_or_else(|| line(OPTIONAL_PARTS))
}

fn format_fields(progress: &RunProgress, keep: PartFilter<'_>) -> [String; 6] {
    let score = progress.limits.score;
    let scores: Vec<_> = progress.last_scores().map(|x| score.format(x)).collect();
    let scores = if scores.is_empty() { NONE.into() } else { scores.join(" ") };
    let last = |sparkline: &Sparkline| sparkline.last().unwrap_or(f64::NAN);
    let rate = progress.steps_per_second().map(|rate| format!("{rate:.0} steps/s"));
    let stage = progress.new_stage.map(|stage| format!("stage {stage}"));
    [
        keep(4, "update ") + &format!("{:>4}/{}", progress.update, progress.limits.max_updates),
        keep(5, &format!("{} ", score.short_name())) + &scores,
        keep(3, &format!("return {:>6.3}", last(&progress.reward))),
        keep(2, &format!("entropy {:.3}", last(&progress.entropy))),
        keep(1, &rate.unwrap_or_default()),
        keep(6, &stage.unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::metrics::StageStats;
    use crate::folder::{UpdateLine, ValidationLine};
    use crate::live::RunLimits;
    use std::time::Duration;

    #[test]
    fn format_progress_in_narrow_terminal_loses_its_least_important_fields() {
        let mut progress = RunProgress::new(3, RunLimits { max_updates: 1500, ..RunLimits::default() });
        let record = |progress: &mut RunProgress, update: usize| {
            let episodes = vec![1; update / 10];
            progress.record_update(&UpdateLine { update, steps: 500_000, episodes, ..UpdateLine::default() });
            let stages = [0, 1, 2].map(|stage| StageStats { stage, exact: Some(0.0), ..StageStats::default() }).into();
            progress.record_validation(&ValidationLine { validation: update, stages });
            progress.record_time(Duration::from_secs(update as u64));
        };
        let line = |progress: &RunProgress, columns| fit_fields_to(columns, "", |keep| format_fields(progress, keep));
        record(&mut progress, 10);
        let first = "update   10/1500  exact 0.000 0.000 0.000  return  0.000  entropy 0.000";
        assert_eq!(line(&progress, None), first);
        record(&mut progress, 20);
        let second = first.replace("  10", "  20");
        assert_eq!(line(&progress, None), format!("{second}  50000 steps/s  stage 1"));
        for (columns, want) in [
            (95, format!("{second}  50000 steps/s  stage 1")),
            (94, format!("{second}  stage 1")),
            (80, format!("{second}  stage 1")),
            (79, "update   20/1500  exact 0.000 0.000 0.000  return  0.000  stage 1".into()),
            (60, "update   20/1500  exact 0.000 0.000 0.000  stage 1".into()),
            (49, "  20/1500  exact 0.000 0.000 0.000  stage 1".into()),
            (40, "  20/1500  0.000 0.000 0.000  stage 1".into()),
            (30, "  20/1500  0.000 0.000 0.000".into()),
            (20, "  20/1500  0.000 0.000 0.000".into()),
        ] {
            assert_eq!(line(&progress, Some(columns)), want, "{columns}");
        }
    }
}
