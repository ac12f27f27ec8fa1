//! Runs of several seeds, their tables, and how they compare with the tutorial's own Python.

use std::fmt;

use rl::NotFinite;
use rl::a2c::Metrics;
use rl::env::Task;
use rl::evaluate::Test;
use rl::settings::{Field, Settings};
use rl::tasks::{GOALS, STAGES, token};
use serde_json::{Map, Value, json};
use tensor::par;

use crate::Tutorial;
use crate::fisher::p_value;
use crate::run::{Report, TutorialConfig, TutorialRun};

/// Of this many runs of the tutorial's own Python …
const REFERENCE_RUNS: usize = 40;
/// … this many end with a stage-0 reward above 1: `tests/golden/tutorial_finals.json`, which a test counts.
const REFERENCE_ABOVE_ONE: usize = 15;

/// With fewer runs not even none above 1 would differ from the reference at 1 %.
const ENOUGH_RUNS: usize = 14;

/// The final test of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The test of each stage.
    pub stages: Vec<Test>,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Its seed.
    pub seed: u64,
    /// The reason.
    pub error: NotFinite,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.error)
    }
}

impl std::error::Error for Failed {}

/// Trains and tests a run for each seed, side by side on the threads of the current pool. `line` takes a line of progress
/// after each evaluation.
///
/// # Errors
/// If a loss or a gradient is not finite.
pub fn train(config: &TutorialConfig, seeds: &[u64], line: impl Fn(String) + Sync) -> Result<Vec<Outcome>, Failed> {
    let mut runs: Vec<_> = seeds.iter().map(|&seed| (seed, None)).collect();
    par::for_each(&mut runs, |_, (seed, outcome)| {
        let trained = train_one(config, *seed, &|text| {
            line(if seeds.len() > 1 { format!("seed {seed}: {text}") } else { text });
        });
        *outcome = Some(trained.map_err(|error| Failed { seed: *seed, error }));
    });
    runs.into_iter().map(|(_, outcome)| outcome.expect("every seed is trained")).collect()
}

fn train_one(config: &TutorialConfig, seed: u64, line: &dyn Fn(String)) -> Result<Outcome, NotFinite> {
    let mut run = TutorialRun::<f32>::new(config, seed);
    while !run.is_over() {
        let Report { update, stage, metrics, validation } = run.advance()?;
        if let Some(figures) = validation {
            let accuracy: Vec<_> = figures.iter().map(|figures| format!("{:.3}", figures.reward)).collect();
            let (all, accuracy) = (config.updates(), accuracy.join(" "));
            let Metrics { loss, reward, .. } = metrics;
            line(format!(
                "update {update:>4}/{all}  stage {stage}  loss {loss:.6}  reward {reward:.3}  'accuracy' {accuracy}"
            ));
        }
    }
    Ok(Outcome { seed, stages: run.test()? })
}

/// The result of one run as a table, the header first: a row for each stage.
pub fn table_of_stages(outcome: &Outcome) -> Vec<Vec<String>> {
    let header = ["stage", "goal", "'accuracy'", "exact match", "sampled", "shuffled contexts"];
    let header = header.into_iter().chain(["steps", "distinct programs", "most frequent program"]);
    let mut table = vec![header.map(String::from).collect()];
    for (stage, Test { greedy, sampled, shuffled }) in outcome.stages.iter().enumerate() {
        let shares = [greedy.reward, greedy.exact, sampled.exact, shuffled.exact].map(|x| format!("{x:.3}"));
        let (program, share) = most_frequent(&outcome.stages[stage]);
        let programs = [greedy.programs.len().to_string(), format!("{program} ({share:.3})")];
        let mut row = vec![stage.to_string(), GOALS[stage].to_owned()];
        row.extend(shares.into_iter().chain([format!("{:.2}", greedy.steps)]).chain(programs));
        table.push(row);
    }
    table
}

/// The results of several runs as a table, the header first: a row for each seed, then median and range.
pub fn table_of_seeds(outcomes: &[Outcome]) -> Vec<Vec<String>> {
    let columns = ["'accuracy'", "exact"].map(|name| (0..STAGES).map(move |stage| format!("{name} {stage}")));
    let header = ["seed".to_owned()].into_iter().chain(columns.into_iter().flatten());
    let figures = |outcome: &Outcome| -> Vec<f64> {
        let rewards = outcome.stages.iter().map(|test| test.greedy.reward);
        rewards.chain(outcome.stages.iter().map(|test| test.greedy.exact)).collect()
    };
    let rows: Vec<_> = outcomes.iter().map(figures).collect();
    let show = |x: f64| format!("{x:.3}");
    let mut table = vec![header.collect()];
    for (outcome, row) in outcomes.iter().zip(&rows) {
        table.push([outcome.seed.to_string()].into_iter().chain(row.iter().map(|&x| show(x))).collect());
    }
    let spread = |name: &str, cell: &dyn Fn(&[f64]) -> String| -> Vec<String> {
        let column = |k: usize| {
            let mut column: Vec<f64> = rows.iter().map(|row| row[k]).collect();
            column.sort_by(f64::total_cmp);
            cell(&column)
        };
        [name.to_owned()].into_iter().chain((0..2 * STAGES).map(column)).collect()
    };
    table.push(spread("median", &|sorted| {
        let middle = sorted.len() / 2;
        show(if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 })
    }));
    table.push(spread("range", &|sorted| format!("{} to {}", show(sorted[0]), show(sorted[sorted.len() - 1]))));
    table
}

/// The most frequent greedy program, and its share.
fn most_frequent(test: &Test) -> (String, f64) {
    let (program, count) = test.greedy.programs.first().cloned().unwrap_or_default();
    let names: Vec<_> = program.into_iter().map(token::name).collect();
    (names.join(" "), count as f64 / test.greedy.episodes as f64)
}

/// The share of runs that reach a mean reward above 1 in stage 0, which only programs that stop at a·b do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Runs above 1.
    pub above_one: usize,
    /// All runs.
    pub runs: usize,
    /// The p-value against the reference, if the settings are the tutorial's own and the runs are enough to differ from it.
    pub p: Option<f64>,
}

impl Comparison {
    /// Counts and compares these runs.
    pub fn new(config: &TutorialConfig, outcomes: &[Outcome]) -> Self {
        let rewards = outcomes.iter().map(|outcome| outcome.stages[0].greedy.reward);
        let (above_one, runs) = (rewards.filter(|&reward| reward > 1.0).count(), outcomes.len());
        let comparable = *config == TutorialConfig::default() && runs >= ENOUGH_RUNS;
        let p = comparable.then(|| p_value(above_one, runs, REFERENCE_ABOVE_ONE, REFERENCE_RUNS));
        Self { above_one, runs, p }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { above_one, runs, p } = self;
        write!(f, "{above_one} of {runs} runs end with a stage-0 reward above 1")?;
        let Some(p) = p else { return f.write_str(".") };
        let verdict = if *p >= 0.01 { "compatible" } else { "not compatible" };
        write!(
            f,
            "; of the tutorial's own Python {REFERENCE_ABOVE_ONE} of {REFERENCE_RUNS}. Fisher's exact test, two-sided: \
             p = {p:.3}, {verdict} at 1 %."
        )
    }
}

/// The results of all runs as JSON.
pub fn to_json(config: &TutorialConfig, outcomes: &[Outcome]) -> Value {
    let Comparison { above_one, runs, p } = Comparison::new(config, outcomes);
    let setting = |field: &Field| Some((field.name.to_owned(), json!(config.get(field.name)?)));
    let stage = |(stage, test): (usize, &Test)| {
        let (program, share) = most_frequent(test);
        json!({
            "stage": stage,
            "goal": GOALS[stage],
            "episodes": test.greedy.episodes,
            "accuracy": test.greedy.reward,
            "exact": test.greedy.exact,
            "sampled": test.sampled.exact,
            "shuffled": test.shuffled.exact,
            "steps": test.greedy.steps,
            "programs": test.greedy.programs.len(),
            "program": program,
            "program_share": share,
        })
    };
    let run = |outcome: &Outcome| {
        let stages: Vec<_> = outcome.stages.iter().enumerate().map(stage).collect();
        json!({ "seed": outcome.seed, "stages": stages })
    };
    json!({
        "task": Tutorial.name(),
        "caveat": Tutorial.caveat(),
        "settings": TutorialConfig::FIELDS.iter().filter_map(setting).collect::<Map<_, _>>(),
        "above_one": above_one,
        "of": runs,
        "reference": { "above_one": REFERENCE_ABOVE_ONE, "of": REFERENCE_RUNS },
        "p": p,
        "runs": outcomes.iter().map(run).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use rl::evaluate::Figures;

    use super::*;

    #[test]
    fn enough_runs_are_just_enough() {
        let none_of = |runs| p_value(0, runs, REFERENCE_ABOVE_ONE, REFERENCE_RUNS);
        assert!(none_of(ENOUGH_RUNS) < 0.01 && none_of(ENOUGH_RUNS - 1) >= 0.01, "{}", none_of(ENOUGH_RUNS));
    }

    /// `above` runs with a stage-0 reward of 1.06 and the others at 0.
    fn outcomes(above: usize, all: usize) -> Vec<Outcome> {
        let outcome = |i| {
            let reward = if i < above { 1.06 } else { 0.0 };
            let greedy = Figures { stage: 0, episodes: 1, exact: 0.0, reward, steps: 1.0, programs: Vec::new() };
            let test = Test { sampled: greedy.clone(), shuffled: greedy.clone(), greedy };
            Outcome { seed: i as u64, stages: vec![test.clone(), test.clone(), test] }
        };
        (0..all).map(outcome).collect()
    }

    #[test]
    fn comparison_is_made_with_the_reference_only_at_its_settings_and_with_enough_runs() {
        let default = TutorialConfig::default();
        let compared = Comparison::new(&default, &outcomes(10, 40));
        let text = compared.to_string();
        assert!(text.starts_with("10 of 40 runs end") && text.contains("15 of 40"), "{text}");
        assert!(text.ends_with(" compatible at 1 %."), "{text}");
        let p = compared.p.expect("compared");
        assert!((p - 0.335).abs() < 5e-4); // from binomial coefficients in exact integers: 0.33477
        assert!(Comparison::new(&default, &outcomes(0, 40)).to_string().ends_with("not compatible at 1 %."));
        assert_eq!(Comparison::new(&default, &outcomes(0, ENOUGH_RUNS - 1)).p, None);
        assert_eq!(Comparison::new(&TutorialConfig { batch: 8, ..default }, &outcomes(10, 40)).p, None);
    }

    #[test]
    fn the_reference_is_what_the_file_holds() {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/golden/tutorial_finals.json")).expect("JSON");
        let runs = file["runs"].as_array().expect("a list of runs");
        let above = runs.iter().filter(|run| run["final"][0].as_f64() > Some(1.0)).count();
        assert_eq!((above, runs.len()), (REFERENCE_ABOVE_ONE, REFERENCE_RUNS));
    }

    #[test]
    fn table_of_seeds_ends_with_median_and_range() {
        let table = table_of_seeds(&outcomes(2, 4));
        assert_eq!(table[0][..3], ["seed", "'accuracy' 0", "'accuracy' 1"]);
        assert_eq!(
            (&table[1][1], &table[5][1], &table[6][1]),
            (&"1.060".into(), &"0.530".into(), &"0.000 to 1.060".into())
        );
        assert!(table.len() == 7 && table.iter().all(|row| row.len() == 7));
    }

    /// The same seed gives the same figures alone and among others.
    #[test]
    fn train_of_a_seed_among_others_is_as_alone() {
        let config = TutorialConfig { width: 8, batch: 8, stage_updates: 1, test_episodes: 20, ..Default::default() };
        let all = train(&config, &[3, 4], |_| ()).expect("finite");
        let alone = train(&config, &[4], |_| ()).expect("finite");
        assert_eq!(to_json(&config, &all)["runs"][1], to_json(&config, &alone)["runs"][0]);
        assert_eq!(table_of_stages(&all[1]), table_of_stages(&alone[0]));
        let error = train(&TutorialConfig { rate: 1e30, ..config }, &[3], |_| ()).expect_err("not finite");
        assert!(error.to_string().starts_with("seed 3: update 2: "), "{error}");
    }
}
