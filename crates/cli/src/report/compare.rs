//! Comparison of several configurations: their different settings, their results, and the probability that a run of one
//! scores higher than a run of another.

use std::collections::BTreeSet;
use std::path::PathBuf;

use maud::html;
use serde::Serialize;
use serde_json::{Value, json};

use super::chart::STYLE;
use super::curves::{Curves, Group};
use super::scale::{format_count, format_number};
use super::{json, results, scores};
use crate::error::{Error, Result, show_path};
use crate::folder::outcome::Outcome;
use crate::folder::{RunSet, TaskFacts};
use crate::input::tasks::Tasks;
use crate::output::html::page_with_style;
use crate::output::table::{NONE, Table};
use crate::score::Score;
use crate::stats::improvement::probability_of_improvement;
use crate::stats::{Interval, Scores, estimate};

/// Maximum number of folders: the style sheet has this many colours.
const MAX_FOLDERS: usize = 6;

/// The run folders to compare, with their labels.
pub(crate) struct Comparison {
    folders: Vec<(String, RunSet)>,
}

/// The probability that a run of configuration `of` scores higher than a run of configuration `over`.
#[derive(Clone, Debug, Serialize)]
struct Improvement {
    of: String,
    over: String,
    /// By test score; `None` if one of the two has no finished run.
    test: Option<Interval>,
    /// By mean score during training; `None` if a run has no validation.
    training: Option<Interval>,
}

impl Comparison {
    /// Reads the folders.
    ///
    /// # Errors
    /// If a folder cannot be read, is given twice or is of another task, or there are more than six.
    pub(crate) fn read(paths: &[PathBuf], tasks: &Tasks) -> Result<Self> {
        if paths.len() > MAX_FOLDERS {
            return Err(Error::input(format!(
                "{} folders; expected at most {MAX_FOLDERS}, because a page has {MAX_FOLDERS} colours",
                paths.len()
            )));
        }
        let mut places = BTreeSet::new();
        let mut folders: Vec<(String, RunSet)> = Vec::new();
        for path in paths {
            let runs = RunSet::read(path, tasks)?;
            if !places.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                return Err(Error::input(format!("{} is given twice; name each folder once", show_path(path))));
            }
            if let Some((first, other)) = folders.first().filter(|(_, other)| other.task.name != runs.task.name) {
                let (path, task, other) = (show_path(path), &runs.task.name, &other.task.name);
                return Err(Error::input(format!(
                    "{path} holds runs of the task {task}, but {first} those of {other}; compare folders of one task"
                )));
            }
            folders.push((path.display().to_string(), runs));
        }
        Ok(Self { folders })
    }

    /// The task of all folders.
    fn task(&self) -> &TaskFacts {
        &self.folders[0].1.task
    }

    /// Builds the HTML page.
    pub(crate) fn page(&self) -> String {
        let groups: Vec<_> = self.folders.iter().map(|(label, runs)| Group { label: label.clone(), runs }).collect();
        let curves = Curves::new(&groups, None);
        let names: Vec<_> = self.folders.iter().map(|(label, _)| label.as_str()).collect();
        let body = html! {
            h1 { "Comparison of " (self.folders.len()) " configurations" }
            p { "Task " (self.task().name) ": " (names.join(", ")) "." }
            @if !self.task().caveat.is_empty() { p.caveat { (self.task().caveat) } }
            h2 { "Different settings" }
            @match self.differences() {
                Some(table) => (results::render_table(&table, "Settings that differ between the folders.")),
                None => p { "All settings are the same; only the seeds may differ." },
            }
            h2 { "Final test" }
            (results::render_table(&self.score_table(), &self.score_note()))
            (results::render_table(&self.outcome_table(), self.outcome_note()))
            (results::render_table(&self.improvement_table(), self.improvement_note()))
            @if self.has_success() && self.folders.iter().any(|(_, runs)| scores::test_scores(runs).is_some()) { (results::profile_chart(&groups)) }
            h2 { "Learning curves" }
            (curves.learning())
            h2 { "Training metrics" }
            (curves.training())
        };
        page_with_style("gradus comparison", STYLE, body)
    }

    /// Formats the comparison as text for a terminal.
    pub(crate) fn to_text(&self) -> String {
        let differences = self.differences().map_or_else(|| "All settings are the same.\n".into(), |t| t.to_string());
        format!(
            "{differences}\n{}\n{}\n\n{}\n{}\n\n{}\n{}\n\n{}",
            self.score_table(),
            self.score_note(),
            self.outcome_table(),
            self.outcome_note(),
            self.improvement_table(),
            self.improvement_note(),
            self.task().caveat
        )
    }

    /// Converts the comparison to JSON.
    pub(crate) fn json(&self) -> Value {
        let score = if self.has_success() { "exact match" } else { "reward" };
        let folder = |(label, runs): &(String, RunSet)| {
            let mut json = json::json(runs);
            json["folder"] = json!(label);
            json[format!("mean_{}_of_training", score.replace(' ', "_"))] =
                json!(self.training_scores(runs).as_ref().map(iqm_interval));
            json
        };
        json!({
            "folders": self.folders.iter().map(folder).collect::<Vec<_>>(),
            "horizon": self.horizon(),
            "probability_of_improvement": self.improvements(),
        })
    }

    /// Returns a table of the settings that differ between the folders; `None` if all are the same.
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

    fn has_success(&self) -> bool {
        self.task().score == Score::ExactMatch
    }

    /// Returns a table of scores, with one row per folder.
    fn score_table(&self) -> Table {
        let (score, count) = (self.task().score, self.task().stages());
        let stages = (0..count).map(|stage| format!("stage {stage}"));
        let header = [score.name(), "all stages"].map(String::from).into_iter().chain(stages);
        let mut table = Table::new(header.chain(["in training".to_owned()]));
        for (label, runs) in &self.folders {
            let tested = scores::test_scores(runs);
            let stages = (0..count).map(|stage| iqm(tested.as_ref().map(|scores| scores.task(stage)).as_ref(), score));
            let cells = [label.clone(), iqm(tested.as_ref(), score)].into_iter().chain(stages);
            table.row(cells.chain([iqm(self.training_scores(runs).as_ref(), score)]));
        }
        table
    }

    /// Returns a table of how the runs ended, with one row per folder.
    fn outcome_table(&self) -> Table {
        let perfect = || self.has_success().then_some("perfect");
        let header = ["runs", "finished"].into_iter().chain(perfect());
        let mut table = Table::new(header.chain(["failed", "updates", "steps", "seconds"]));
        for (label, runs) in &self.folders {
            let finished: Vec<_> = runs.runs.iter().filter_map(|run| Some((run, run.outcome.as_ref()?))).collect();
            let count =
                |has: fn(&Outcome) -> bool| finished.iter().filter(|(_, outcome)| has(outcome)).count().to_string();
            let all = runs.seeds.unwrap_or(runs.runs.len());
            let steps = finished.iter().map(|(_, outcome)| outcome.steps as f64);
            let first = [label.clone(), format!("{} of {all}", finished.len())].into_iter();
            let first = first.chain(perfect().map(|_| count(Outcome::is_perfect)));
            table.row(first.chain([
                count(|outcome| outcome.failed),
                median(finished.iter().map(|(_, outcome)| outcome.updates as f64), 0),
                median(steps, 0),
                median(finished.iter().filter_map(|(run, _)| run.seconds), 1),
            ]));
        }
        table
    }

    /// Returns the number of updates over which training is compared: the last validation of any run.
    fn horizon(&self) -> usize {
        let runs = self.folders.iter().flat_map(|(_, runs)| &runs.runs);
        runs.filter_map(|run| run.validations.last()).map(|line| line.validation).max().unwrap_or(0)
    }

    fn training_scores(&self, runs: &RunSet) -> Option<Scores> {
        let validated = !runs.runs.is_empty() && runs.runs.iter().all(|run| !run.validations.is_empty());
        scores::training_scores(runs, self.horizon()).filter(|_| validated)
    }

    /// Compares each folder with every folder before it.
    fn improvements(&self) -> Vec<Improvement> {
        let probability = |scores: [Option<Scores>; 2]| match scores {
            [Some(x), Some(y)] => probability_of_improvement(&x, &y, &scores::bootstrap()).ok(),
            _ => None,
        };
        let pair = |later: &(String, RunSet), earlier: &(String, RunSet)| Improvement {
            of: later.0.clone(),
            over: earlier.0.clone(),
            test: probability([scores::test_scores(&later.1), scores::test_scores(&earlier.1)]),
            training: probability([self.training_scores(&later.1), self.training_scores(&earlier.1)]),
        };
        let later = self.folders.iter().enumerate();
        later.flat_map(|(k, later)| self.folders[..k].iter().map(move |earlier| pair(later, earlier))).collect()
    }

    fn improvement_table(&self) -> Table {
        let mut table = Table::new(["probability of improvement", "in the test", "in training"]);
        for Improvement { of, over, test, training } in self.improvements() {
            let cell = |interval: Option<Interval>| interval.map_or(NONE.to_owned(), |interval| interval.to_string());
            table.row([format!("{of} over {over}"), cell(test), cell(training)]);
        }
        table
    }

    fn score_note(&self) -> String {
        let failed = match self.task().score {
            Score::ExactMatch => "A failed run counts as 0; an unfinished run is left out.",
            Score::Reward => "Failed and unfinished runs are left out.",
        };
        format!(
            "Interquartile means with 95 % bootstrap confidence intervals, which resample whole runs. {failed} \
             \"in training\" is the {} at validations, averaged over the first {} \
             updates, so a run that learns sooner scores higher. After its last validation a run keeps its last value.{}",
            self.task().score.name(),
            format_count(self.horizon() as u64),
            self.single_run_note(),
        )
    }

    fn improvement_note(&self) -> &'static str {
        "The probability that a run of the first configuration scores higher than a run of the second in a stage, averaged \
         over the stages. A tie counts one half. ½ means that neither is better. An interval that contains ½ does not tell \
         them apart."
    }

    fn outcome_note(&self) -> &'static str {
        match self.task().score {
            Score::ExactMatch => OUTCOME_NOTE,
            Score::Reward => "Updates, steps and seconds are medians over the finished runs.",
        }
    }

    /// Returns a note about the configurations with only one run.
    fn single_run_note(&self) -> String {
        let one: Vec<_> =
            self.folders.iter().filter(|(_, runs)| runs.runs.len() == 1).map(|(label, _)| label.as_str()).collect();
        match one.is_empty() {
            true => String::new(),
            false => {
                format!(
                    " A single run has no spread: the intervals of {} say nothing about other seeds.",
                    one.join(", ")
                )
            }
        }
    }
}

const OUTCOME_NOTE: &str = "perfect: runs with an exact match in every test episode. Updates, \
     steps and seconds are medians over the finished runs.";

/// Computes the interquartile mean over all stages, with its interval.
fn iqm_interval(scores: &Scores) -> Interval {
    scores::bootstrap().interval(scores, |s| estimate::iqm(s.all()))
}

fn iqm(scores: Option<&Scores>, score: Score) -> String {
    scores.map_or(NONE.to_owned(), |scores| iqm_interval(scores).format_with(|x| score.format(x)))
}

fn median(values: impl Iterator<Item = f64>, places: usize) -> String {
    let values: Vec<f64> = values.collect();
    if values.is_empty() { NONE.to_owned() } else { format_number(estimate::median(&values), places) }
}
