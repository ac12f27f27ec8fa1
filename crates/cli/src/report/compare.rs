//! Several configurations beside each other: what differs in their settings, what came out, and how probably a run of one
//! is better than a run of the other.

use std::collections::BTreeSet;
use std::path::PathBuf;

use maud::html;
use rl::tasks::STAGES;
use serde::Serialize;
use serde_json::{Value, json};

use super::chart::STYLE;
use super::curves::{Curves, Group};
use super::scale::{count, number};
use super::{header, json, results, scores};
use crate::error::{Error, Result};
use crate::folder::Runs;
use crate::folder::outcome::Outcome;
use crate::input::task_name;
use crate::output::html::page_with;
use crate::output::table::{NONE, Table, share};
use crate::stats::improvement::improvement;
use crate::stats::{Interval, Scores, estimate};

/// As many as there are colours.
const MOST: usize = 6;

/// Folders of the same task.
pub(crate) struct Comparison {
    folders: Vec<(String, Runs)>,
}

/// How probably a run of one is better than a run of the other.
#[derive(Clone, Debug, Serialize)]
struct Improvement {
    of: String,
    over: String,
    /// In the test; nothing if no run of one of them is over.
    test: Option<Interval>,
    /// In the mean over training.
    training: Option<Interval>,
}

impl Comparison {
    /// Reads the folders.
    ///
    /// # Errors
    /// If one cannot be read or is there twice, or there are too many.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self> {
        if paths.len() > MOST {
            return Err(Error::input(format!(
                "{} folders; expected at most {MOST}, as many as there are colours",
                paths.len()
            )));
        }
        let mut places = BTreeSet::new();
        let mut folders: Vec<(String, Runs)> = Vec::new();
        for path in paths {
            let (runs, label) = (Runs::read(path)?, path.display().to_string());
            if !places.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                return Err(Error::input(format!("{label} is there twice; name each folder once")));
            }
            folders.push((label, runs));
        }
        Ok(Self { folders })
    }

    /// The page.
    pub(crate) fn page(&self) -> String {
        let groups: Vec<_> = self.folders.iter().map(|(label, runs)| Group { label: label.clone(), runs }).collect();
        let curves = Curves::new(&groups);
        let names: Vec<_> = self.folders.iter().map(|(label, _)| label.as_str()).collect();
        let body = html! {
            h1 { "A comparison of " (self.folders.len()) " configurations" }
            p { "Task " (task_name::NAME) ": " (names.join(", ")) "." }
            p.caveat { (header::caveat()) }
            h2 { "What differs" }
            @match self.differences() {
                Some(table) => (results::show(&table, "Settings that are not the same in all folders.")),
                None => p { "All settings are the same; only the seeds may differ." },
            }
            h2 { "Test" }
            (results::show(&self.exact(), &self.about_exact()))
            (results::show(&self.ends(), ENDS))
            (results::show(&self.improvements(), self.about_improvements()))
            @if self.folders.iter().any(|(_, runs)| scores::tested(runs).is_some()) { (results::profiles(&groups)) }
            h2 { "Learning" }
            (curves.learning())
            h2 { "Training" }
            (curves.training())
        };
        page_with("A comparison of gradus", STYLE, body)
    }

    /// The same in words for a terminal.
    pub(crate) fn words(&self) -> String {
        let differences = self.differences().map_or_else(|| "All settings are the same.\n".into(), |t| t.to_string());
        format!(
            "{differences}\n{}\n{}\n\n{}\n{ENDS}\n\n{}\n{}\n\n{}",
            self.exact(),
            self.about_exact(),
            self.ends(),
            self.improvements(),
            self.about_improvements(),
            header::caveat()
        )
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        let folder = |(label, runs): &(String, Runs)| {
            let mut json = json::json(runs);
            json["folder"] = json!(label);
            json["mean_exact_match_of_training"] = json!(self.over_training(runs).as_ref().map(interval));
            json
        };
        json!({
            "folders": self.folders.iter().map(folder).collect::<Vec<_>>(),
            "horizon": self.horizon(),
            "probability_of_improvement": self.pairs(),
        })
    }

    /// The settings that are not the same in all folders.
    fn differences(&self) -> Option<Table> {
        let names: BTreeSet<&str> =
            self.folders.iter().flat_map(|(_, runs)| &runs.settings).map(|setting| setting.name).collect();
        let mut table = Table::new(["setting"].into_iter().chain(self.folders.iter().map(|(label, _)| label.as_str())));
        for name in names {
            let values: Vec<&str> = self.folders.iter().map(|(_, runs)| runs.setting(name).unwrap_or(NONE)).collect();
            if values.iter().any(|value| *value != values[0]) {
                table.row([name].into_iter().chain(values));
            }
        }
        (!table.body().is_empty()).then_some(table)
    }

    /// Exact match, a row for each folder.
    fn exact(&self) -> Table {
        let stages = (0..STAGES).map(|stage| format!("stage {stage}"));
        let header = ["exact match", "all stages"].map(String::from).into_iter().chain(stages);
        let mut table = Table::new(header.chain(["in training".to_owned()]));
        for (label, runs) in &self.folders {
            let tested = scores::tested(runs);
            let stages = (0..STAGES).map(|stage| iqm(tested.as_ref().map(|scores| scores.task(stage)).as_ref()));
            let cells = [label.clone(), iqm(tested.as_ref())].into_iter().chain(stages);
            table.row(cells.chain([iqm(self.over_training(runs).as_ref())]));
        }
        table
    }

    /// How the runs ended, a row for each folder.
    fn ends(&self) -> Table {
        let mut table = Table::new(["runs", "over", "solved", "failed", "updates", "steps", "seconds"]);
        for (label, runs) in &self.folders {
            let over: Vec<_> = runs.runs.iter().filter_map(|run| Some((run, run.outcome.as_ref()?))).collect();
            let those =
                |which: fn(&Outcome) -> bool| over.iter().filter(|(_, outcome)| which(outcome)).count().to_string();
            let all = runs.seeds.unwrap_or(runs.runs.len());
            let steps = over.iter().map(|(_, outcome)| outcome.steps as f64);
            table.row([
                label.clone(),
                format!("{} of {all}", over.len()),
                those(Outcome::solved),
                those(|outcome| outcome.failed),
                median(over.iter().map(|(_, outcome)| outcome.updates as f64), 0),
                median(steps, 0),
                median(over.iter().filter_map(|(run, _)| run.seconds), 1),
            ]);
        }
        table
    }

    /// Up to where training is compared: the last validation of any run.
    fn horizon(&self) -> usize {
        let runs = self.folders.iter().flat_map(|(_, runs)| &runs.runs);
        runs.filter_map(|run| run.validations.last()).map(|line| line.validation).max().unwrap_or(0)
    }

    fn over_training(&self, runs: &Runs) -> Option<Scores> {
        let validated = !runs.runs.is_empty() && runs.runs.iter().all(|run| !run.validations.is_empty());
        scores::over_training(runs, self.horizon()).filter(|_| validated)
    }

    /// Each folder over each one before it.
    fn pairs(&self) -> Vec<Improvement> {
        let of = |scores: [Option<Scores>; 2]| match scores {
            [Some(x), Some(y)] => improvement(&x, &y, &scores::bootstrap()).ok(),
            _ => None,
        };
        let pair = |later: &(String, Runs), earlier: &(String, Runs)| Improvement {
            of: later.0.clone(),
            over: earlier.0.clone(),
            test: of([scores::tested(&later.1), scores::tested(&earlier.1)]),
            training: of([self.over_training(&later.1), self.over_training(&earlier.1)]),
        };
        let later = self.folders.iter().enumerate();
        later.flat_map(|(k, later)| self.folders[..k].iter().map(move |earlier| pair(later, earlier))).collect()
    }

    fn improvements(&self) -> Table {
        let mut table = Table::new(["probability of improvement", "in the test", "in training"]);
        for Improvement { of, over, test, training } in self.pairs() {
            let cell = |interval: Option<Interval>| interval.map_or(NONE.to_owned(), |interval| interval.to_string());
            table.row([format!("{of} over {over}"), cell(test), cell(training)]);
        }
        table
    }

    fn about_exact(&self) -> String {
        format!(
            "Interquartile means with 95 % bootstrap intervals, which draw whole runs again. A run that failed counts as 0, one \
             that is not over is left out. In training: exact match at validations, averaged over the first {} updates, so that \
             who is sooner is better; after its last validation a run keeps its figure.{}",
            count(self.horizon() as u64),
            self.few(),
        )
    }

    fn about_improvements(&self) -> &'static str {
        "How probable it is that a run of the one is better than a run of the other in a stage, averaged over the stages; ties \
         count half. ½ says that neither is better, and an interval that holds ½ does not tell them apart."
    }

    /// What to say of configurations with one run.
    fn few(&self) -> String {
        let one: Vec<_> =
            self.folders.iter().filter(|(_, runs)| runs.runs.len() == 1).map(|(label, _)| label.as_str()).collect();
        match one.is_empty() {
            true => String::new(),
            false => {
                format!(" One run has no spread: the intervals of {} tell nothing about other seeds.", one.join(", "))
            }
        }
    }
}

const ENDS: &str = "Updates, steps and seconds are medians of the runs that are over.";

/// The interquartile mean of all stages.
fn interval(scores: &Scores) -> Interval {
    scores::bootstrap().interval(scores, |s| estimate::iqm(s.all()))
}

fn iqm(scores: Option<&Scores>) -> String {
    scores.map_or(NONE.to_owned(), |scores| interval(scores).show(share))
}

fn median(figures: impl Iterator<Item = f64>, places: usize) -> String {
    let figures: Vec<f64> = figures.collect();
    if figures.is_empty() { NONE.to_owned() } else { number(estimate::median(&figures), places) }
}
