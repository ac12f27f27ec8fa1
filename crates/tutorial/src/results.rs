//! Runs of several seeds, tables of their results, and a comparison with the tutorial's own Python code.

use std::fmt;

use rl::NotFinite;
use rl::evaluate::TestResult;
use rl::settings::{Field, Settings};
use rl::tasks::{GOALS, STAGES, token};
use serde_json::{Map, Value, json};
use tensor::par;

use crate::fisher::p_value;
use crate::run::{Report, TutorialConfig, TutorialRun};

/// The number of reference runs: runs of the tutorial's own Python code.
const REFERENCE_RUNS: usize = 40;
/// The number of reference runs that end with a stage-0 reward above 1. A test counts them in
/// `tests/golden/tutorial_finals.json`.
const REFERENCE_ABOVE_ONE: usize = 15;

/// The minimum number of runs of a comparison. With fewer runs the test cannot reject at the 1 % level, even if no run
/// ends above 1.
const MIN_RUNS_TO_COMPARE: usize = 14;

/// The final test results of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The test results of each stage.
    pub stages: Vec<TestResult>,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRun {
    /// The seed of the run.
    pub seed: u64,
    /// The reason of the failure.
    pub error: NotFinite,
}

impl fmt::Display for FailedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.error)
    }
}

impl std::error::Error for FailedRun {}

/// Trains and tests a run for each seed, in parallel on the threads of the current pool. Calls `show` with the
/// seed and the report of each update.
///
/// # Errors
/// If a loss or a gradient is not finite.
pub fn train(
    config: &TutorialConfig,
    seeds: &[u64],
    show: impl Fn(u64, Report) + Sync,
) -> Result<Vec<Outcome>, FailedRun> {
    let mut runs: Vec<_> = seeds.iter().map(|&seed| (seed, None)).collect();
    par::for_each(&mut runs, |_, (seed, outcome)| {
        let trained = train_one(config, *seed, |report| show(*seed, report));
        *outcome = Some(trained.map_err(|error| FailedRun { seed: *seed, error }));
    });
    runs.into_iter().map(|(_, outcome)| outcome.expect("every seed is trained")).collect()
}

fn train_one(config: &TutorialConfig, seed: u64, show: impl Fn(Report)) -> Result<Outcome, NotFinite> {
    let mut run = TutorialRun::<f32>::new(config, seed);
    while !run.is_finished() {
        show(run.advance()?);
    }
    Ok(Outcome { seed, stages: run.test()? })
}

/// Creates a table of the results of one run: a header, then a row for each stage.
pub fn stage_table(outcome: &Outcome) -> Vec<Vec<String>> {
    let header = ["stage", "goal", "'accuracy'", "exact match", "sampled", "shuffled contexts"];
    let header = header.into_iter().chain(["steps", "distinct programs", "most frequent program"]);
    let mut table = vec![header.map(String::from).collect()];
    for (stage, TestResult { greedy, sampled, shuffled }) in outcome.stages.iter().enumerate() {
        let shares = [greedy.reward, greedy.exact, sampled.exact, shuffled.exact].map(|x| format!("{x:.3}"));
        let (program, share) = most_frequent(&outcome.stages[stage]);
        let programs = [greedy.programs.len().to_string(), format!("{program} ({share:.3})")];
        let mut row = vec![stage.to_string(), GOALS[stage].to_owned()];
        row.extend(shares.into_iter().chain([format!("{:.2}", greedy.steps)]).chain(programs));
        table.push(row);
    }
    table
}

/// Creates a table of the results of several runs: a header, a row for each seed, then median and range.
pub fn seed_table(outcomes: &[Outcome]) -> Vec<Vec<String>> {
    let columns = ["'accuracy'", "exact"].map(|name| (0..STAGES).map(move |stage| format!("{name} {stage}")));
    let header = ["seed".to_owned()].into_iter().chain(columns.into_iter().flatten());
    let row = |outcome: &Outcome| -> Vec<f64> {
        let rewards = outcome.stages.iter().map(|test| test.greedy.reward);
        rewards.chain(outcome.stages.iter().map(|test| test.greedy.exact)).collect()
    };
    let rows: Vec<_> = outcomes.iter().map(row).collect();
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

/// Returns the most frequent greedy program and its share.
fn most_frequent(test: &TestResult) -> (String, f64) {
    let (program, count) = test.greedy.programs.first().cloned().unwrap_or_default();
    let names: Vec<_> = program.into_iter().map(token::name).collect();
    (names.join(" "), count as f64 / test.greedy.episodes as f64)
}

/// Compares the share of runs with a mean reward above 1 in stage 0 with the reference. Only programs that stop at a·b
/// reach such a reward.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The number of runs above 1.
    pub above_one: usize,
    /// The number of runs.
    pub runs: usize,
    /// The p-value against the reference, if the settings are those of the tutorial and there are enough runs.
    pub p: Option<f64>,
}

impl Comparison {
    /// Counts these runs and compares them.
    pub fn new(config: &TutorialConfig, outcomes: &[Outcome]) -> Self {
        let rewards = outcomes.iter().map(|outcome| outcome.stages[0].greedy.reward);
        let (above_one, runs) = (rewards.filter(|&reward| reward > 1.0).count(), outcomes.len());
        let comparable = *config == TutorialConfig::default() && runs >= MIN_RUNS_TO_COMPARE;
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
            "; {REFERENCE_ABOVE_ONE} of {REFERENCE_RUNS} runs of the tutorial's own Python code do. \
             Fisher's exact test, two-sided: p = {p:.3}, {verdict} at 1 %."
        )
    }
}

/// Converts the results of all runs to JSON.
pub fn to_json(config: &TutorialConfig, outcomes: &[Outcome]) -> Value {
    let (spec, Comparison { above_one, runs, p }) = (crate::spec(), Comparison::new(config, outcomes));
    let setting = |field: &Field| Some((field.name.to_owned(), json!(config.get(field.name)?)));
    let stage = |(stage, test): (usize, &TestResult)| {
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
        "task": spec.name,
        "caveat": spec.caveat,
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
    use rl::evaluate::EvalStats;

    use super::*;

    #[test]
    fn min_runs_to_compare_is_the_least_that_can_differ() {
        let none_of = |runs| p_value(0, runs, REFERENCE_ABOVE_ONE, REFERENCE_RUNS);
        assert!(
            none_of(MIN_RUNS_TO_COMPARE) < 0.01 && none_of(MIN_RUNS_TO_COMPARE - 1) >= 0.01,
            "{}",
            none_of(MIN_RUNS_TO_COMPARE)
        );
    }

    /// Outcomes of `all` runs: `above` runs have a stage-0 reward of 1.06, the others 0.
    fn outcomes(above: usize, all: usize) -> Vec<Outcome> {
        let outcome = |i| {
            let reward = if i < above { 1.06 } else { 0.0 };
            let greedy = EvalStats { stage: 0, episodes: 1, exact: 0.0, reward, steps: 1.0, programs: Vec::new() };
            let test = TestResult { sampled: greedy.clone(), shuffled: greedy.clone(), greedy };
            Outcome { seed: i as u64, stages: vec![test.clone(), test.clone(), test] }
        };
        (0..all).map(outcome).collect()
    }

    #[test]
    fn comparison_needs_default_settings_and_enough_runs() {
        let default = TutorialConfig::default();
        let compared = Comparison::new(&default, &outcomes(10, 40));
        let text = compared.to_string();
        assert!(text.starts_with("10 of 40 runs end") && text.contains("15 of 40"), "{text}");
        assert!(text.ends_with(" compatible at 1 %."), "{text}");
        let p = compared.p.expect("compared");
        assert!((p - 0.335).abs() < 5e-4); // from binomial coefficients in exact integers: 0.33477
        assert!(Comparison::new(&default, &outcomes(0, 40)).to_string().ends_with("not compatible at 1 %."));
        assert_eq!(Comparison::new(&default, &outcomes(0, MIN_RUNS_TO_COMPARE - 1)).p, None);
        assert_eq!(Comparison::new(&TutorialConfig { batch: 8, ..default }, &outcomes(10, 40)).p, None);
    }

    #[test]
    fn reference_constants_match_the_golden_file() {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/golden/tutorial_finals.json")).expect("JSON");
        let runs = file["runs"].as_array().expect("a list of runs");
        let above = runs.iter().filter(|run| run["final"][0].as_f64() > Some(1.0)).count();
        assert_eq!((above, runs.len()), (REFERENCE_ABOVE_ONE, REFERENCE_RUNS));
    }

    #[test]
    fn seed_table_ends_with_median_and_range() {
        let table = seed_table(&outcomes(2, 4));
        assert_eq!(table[0][..3], ["seed", "'accuracy' 0", "'accuracy' 1"]);
        assert_eq!(
            (&table[1][1], &table[5][1], &table[6][1]),
            (&"1.060".into(), &"0.530".into(), &"0.000 to 1.060".into())
        );
        assert!(table.len() == 7 && table.iter().all(|row| row.len() == 7));
    }

    /// A seed has the same results alone and among other seeds.
    #[test]
    fn train_one_seed_among_others_has_the_same_result() {
        let config = TutorialConfig { width: 8, batch: 8, stage_updates: 1, test_episodes: 20, ..Default::default() };
        let all = train(&config, &[3, 4], |_, _| ()).expect("finite");
        let alone = train(&config, &[4], |_, _| ()).expect("finite");
        assert_eq!(to_json(&config, &all)["runs"][1], to_json(&config, &alone)["runs"][0]);
        assert_eq!(stage_table(&all[1]), stage_table(&alone[0]));
        let error = train(&TutorialConfig { rate: 1e30, ..config }, &[3], |_, _| ()).expect_err("not finite");
        assert!(error.to_string().starts_with("seed 3: update 2: "), "{error}");
    }
}
