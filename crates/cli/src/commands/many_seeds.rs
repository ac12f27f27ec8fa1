//! Runs of several seeds, as many side by side as there are threads, with a table of them all.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::results::{failures, on_threads, stopped, threads, write_page};
use crate::error::Result;
use crate::folder::outcome::Timed;
use crate::folder::{Folder, TABLE, TABLE_JSON};
use crate::input::settings;
use crate::interrupt;
use crate::live::{Live, View};
use crate::output::exact_match::Exact;
use crate::output::print::{pretty, say};
use crate::output::seeds_summary;
use crate::run::{Left, Plan};

/// The time between two tables, which take longer the more runs there are. What is interrupted keeps the last one.
const BETWEEN: Duration = Duration::from_secs(1);

/// What the threads share.
struct Shared<'a> {
    plan: &'a Plan,
    seeds: &'a [u64],
    folder: &'a Folder,
    stop_after: Option<usize>,
    live: Live,
    /// The number of the next seed.
    next: AtomicUsize,
    done: Mutex<Done>,
}

/// The runs that are over, in the order of their seeds.
struct Done {
    runs: Vec<Option<Timed>>,
    written: Instant,
}

/// Makes the runs that are not over yet.
///
/// # Errors
/// If a file cannot be written, a run fails, or Ctrl-C ends it.
pub(super) fn several(
    plan: &Plan,
    seeds: &[u64],
    folder: &Folder,
    asked: Option<usize>,
    stop_after: Option<usize>,
) -> Result<()> {
    let threads = threads(asked);
    let jobs = threads.min(seeds.len());
    let done = Mutex::new(Done { runs: vec![None; seeds.len()], written: Instant::now() });
    let (live, next) = (Live::several(seeds.len()), AtomicUsize::new(0));
    let shared = Shared { plan, seeds, folder, stop_after, live, next, done };
    let results: Vec<_> = thread::scope(|scope| {
        let start = |_| scope.spawn(|| on_threads(threads / jobs, || shared.work()));
        let started: Vec<_> = (0..jobs).map(start).collect();
        started.into_iter().map(|job| job.join().expect("no job panics")).collect()
    });
    let Shared { live, done, .. } = shared;
    drop(live);
    results.into_iter().try_for_each(|result| result?)?;
    let runs: Vec<_> = done.into_inner().expect("no job panics").runs.into_iter().flatten().collect();
    if !runs.is_empty() {
        let table = write_tables(plan, &runs, folder)?;
        say(format!("\n{table}"));
    }
    write_page(folder).unwrap_or_else(say);
    if runs.len() < seeds.len() { stopped(folder) } else { failures(&runs) }
}

impl Shared<'_> {
    /// Takes seed after seed, until there is none left. After an error nobody takes another one.
    fn work(&self) -> Result<()> {
        let take = || self.next.fetch_add(1, Ordering::Relaxed);
        while let Some(k) = Some(take()).filter(|&k| k < self.seeds.len() && !interrupt::requested()) {
            self.run(k).inspect_err(|_| self.next.store(self.seeds.len(), Ordering::Relaxed))?;
        }
        Ok(())
    }

    fn run(&self, k: usize) -> Result<()> {
        let seed = self.seeds[k];
        let mut view = self.live.view(seed);
        match self.go_on(seed, &mut view) {
            Err(error) => {
                view.say(format!("stopped: {error}")); // the others may go on for hours
                Err(error)
            }
            Ok(Left::Stopped) => Ok(()),
            Ok(Left::Over(run)) => self.note(k, run),
        }
    }

    fn go_on(&self, seed: u64, view: &mut View) -> Result<Left> {
        let child = self.folder.of_seed(seed)?;
        let left = self.plan.go_on(seed, &child, self.stop_after, view)?;
        write_page(&child).unwrap_or_else(|warning| view.say(warning));
        Ok(left)
    }

    fn note(&self, k: usize, run: Timed) -> Result<()> {
        let mut done = self.done.lock().expect("no job panics while it writes the table");
        done.runs[k] = Some(run);
        if done.written.elapsed() > BETWEEN {
            write_tables(self.plan, &done.runs.iter().flatten().cloned().collect::<Vec<_>>(), self.folder)?;
            done.written = Instant::now();
        }
        Ok(())
    }
}

/// Writes the table of these runs, in words and as JSON, and returns the words.
fn write_tables(plan: &Plan, runs: &[Timed], folder: &Folder) -> Result<String> {
    let mut changes = settings::changes(&plan.config);
    changes.extend(plan.init.iter().map(|path| ("init", path.display().to_string())));
    let (title, table) = (seeds_summary::title(&changes), seeds_summary::table(runs));
    let exact = Exact::of(runs);
    let words = format!("{title}\n\n{table}\n{}\n\n{exact}\n\n{}\n", seeds_summary::LEGEND, runs[0].outcome.caveat);
    folder.write(TABLE_JSON, pretty(&seeds_summary::json(&changes, runs, &exact)))?;
    folder.write(TABLE, &words)?;
    Ok(words)
}
