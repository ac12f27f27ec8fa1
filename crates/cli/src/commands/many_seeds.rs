//! Trains runs of several seeds, in parallel up to the number of threads, and writes a table of all of them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::results::{check_failures, report_stopped, run_on_threads, thread_count, write_page};
use crate::error::Result;
use crate::folder::outcome::TimedOutcome;
use crate::folder::{Folder, TABLE, TABLE_JSON};
use crate::input::settings;
use crate::interrupt;
use crate::live::{Live, View};
use crate::output::print::{pretty_json, print_line};
use crate::output::score_stats::ScoreStats;
use crate::output::seeds_summary;
use crate::run::{RunStatus, TrainingPlan};
use crate::score::Score;

/// Minimum time between two writes of the table, since a write takes longer with more runs. An interrupted command keeps the
/// table that was written last.
const TABLE_INTERVAL: Duration = Duration::from_secs(1);

/// State that the threads share.
struct Shared<'a> {
    plan: &'a TrainingPlan,
    seeds: &'a [u64],
    folder: &'a Folder,
    stop_after: Option<usize>,
    live: Live,
    /// Index of the next seed.
    next: AtomicUsize,
    finished: Mutex<FinishedRuns>,
}

/// Finished runs, in the order of their seeds.
struct FinishedRuns {
    runs: Vec<Option<TimedOutcome>>,
    written: Instant,
}

/// Trains the `unfinished` runs in parallel and reads the others. If all have finished, no thread is started, since each
/// needs address space, which was not checked.
///
/// # Errors
/// If a file cannot be written, a run fails, or Ctrl-C ends it.
pub(super) fn train_seeds(
    plan: &TrainingPlan,
    seeds: &[u64],
    unfinished: usize,
    folder: &Folder,
    threads: Option<usize>,
    stop_after: Option<usize>,
) -> Result<()> {
    let threads = thread_count(threads);
    let jobs = threads.min(unfinished);
    let finished = Mutex::new(FinishedRuns { runs: vec![None; seeds.len()], written: Instant::now() });
    let (live, next) = (Live::many_runs(seeds.len(), plan.score()), AtomicUsize::new(0));
    let shared = Shared { plan, seeds, folder, stop_after, live, next, finished };
    let results: Vec<_> = thread::scope(|scope| {
        let start = |_| scope.spawn(|| run_on_threads(threads / jobs, || shared.train_all()));
        let started: Vec<_> = (0..jobs).map(start).collect();
        started.into_iter().map(|job| job.join().expect("no job panics")).collect()
    });
    if jobs == 0 {
        shared.train_all()?;
    }
    let Shared { live, finished, .. } = shared;
    drop(live);
    results.into_iter().try_for_each(|result| result?)?;
    let runs: Vec<_> = finished.into_inner().expect("no job panics").runs.into_iter().flatten().collect();
    if !runs.is_empty() {
        let table = write_seed_tables(plan, &runs, folder)?;
        print_line(format!("\n{table}"));
    }
    write_page(folder, plan.task).unwrap_or_else(print_line);
    if runs.len() < seeds.len() { report_stopped(folder) } else { check_failures(&runs) }
}

impl Shared<'_> {
    /// Trains one seed after another until none is left. After an error, no thread takes another seed.
    fn train_all(&self) -> Result<()> {
        let take = || self.next.fetch_add(1, Ordering::Relaxed);
        while let Some(k) = Some(take()).filter(|&k| k < self.seeds.len() && !interrupt::requested()) {
            self.train_and_report(k).inspect_err(|_| self.next.store(self.seeds.len(), Ordering::Relaxed))?;
        }
        Ok(())
    }

    /// Trains the seed of index `k`. Records its outcome, or prints its error.
    fn train_and_report(&self, k: usize) -> Result<()> {
        let seed = self.seeds[k];
        let mut view = self.live.view(seed);
        match self.train(seed, &mut view) {
            Err(error) => {
                view.print_line(format!("stopped: {error}")); // now, because the other runs may take hours
                Err(error)
            }
            Ok(RunStatus::Stopped) => Ok(()),
            Ok(RunStatus::Finished(run)) => self.record_finished(k, run),
        }
    }

    /// Trains one seed in its folder and writes its page.
    fn train(&self, seed: u64, view: &mut View) -> Result<RunStatus> {
        let child = self.folder.open_or_create_seed(seed)?;
        let status = self.plan.train(seed, &child, self.stop_after, view)?;
        write_page(&child, self.plan.task).unwrap_or_else(|warning| view.print_line(warning));
        Ok(status)
    }

    /// Stores a finished run, and writes the table if the last write is long enough ago.
    fn record_finished(&self, k: usize, run: TimedOutcome) -> Result<()> {
        let mut finished = self.finished.lock().expect("no job panics while it writes the table");
        finished.runs[k] = Some(run);
        if finished.written.elapsed() > TABLE_INTERVAL {
            write_seed_tables(self.plan, &finished.runs.iter().flatten().cloned().collect::<Vec<_>>(), self.folder)?;
            finished.written = Instant::now();
        }
        Ok(())
    }
}

/// Writes the table of these runs as Markdown and as JSON, and returns the Markdown.
fn write_seed_tables(plan: &TrainingPlan, runs: &[TimedOutcome], folder: &Folder) -> Result<String> {
    let mut changes = settings::changed_settings(&plan.config, &plan.task.default_config());
    changes.extend(plan.init.iter().map(|path| ("init", path.display().to_string())));
    let spec = plan.task.spec(&plan.config);
    let score = Score::new(&spec);
    let (title, table) = (seeds_summary::title(&spec.name, &changes), seeds_summary::table(runs, score, spec.stages));
    let stats = ScoreStats::from_runs(runs, score, spec.stages);
    let parts = [
        format!("{table}\n{}", seeds_summary::legend(score)),
        stats.iter().map(ScoreStats::to_string).collect(),
        spec.caveat.clone(),
    ];
    let parts: Vec<_> = [title].into_iter().chain(parts).filter(|part| !part.is_empty()).collect();
    let markdown = parts.join("\n\n") + "\n";
    folder.write(TABLE_JSON, pretty_json(&seeds_summary::json(&spec, &changes, runs, stats.as_ref())))?;
    folder.write(TABLE, &markdown)?;
    Ok(markdown)
}
