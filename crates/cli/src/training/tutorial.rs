//! Runs of the tutorial, for the command line, and how they compare with its own Python.

use gpu_train::Refused;
use nn::{Optimizer, Params};
use rl::NotFinite;
use rl::rollout::Until;
use rl::tasks::tutorial::EMITTED;
use rl::train::Report;
use rl::tutorial::{SCHEDULE, TutorialConfig, TutorialRun};
use serde_json::{Value, json};
use tensor::Device;

use super::fisher::p_value;
use super::{Parts, Training};
use crate::outcome::Timed;
use crate::task::TaskName;

/// Of this many runs of the tutorial's own Python …
const REFERENCE_RUNS: usize = 40;
/// … this many end with a stage-0 reward above 1: `tests/golden/tutorial_finals.json`, which a test counts.
const REFERENCE_ABOVE_ONE: usize = 15;

/// With fewer runs not even none above 1 would differ from the reference at 1 %.
const ENOUGH_RUNS: usize = 14;

impl Training for TutorialRun<f32> {
    type Config = TutorialConfig;

    const TASK: TaskName = TaskName::Tutorial;
    const UNTIL: Until = Until::Emitted(EMITTED);
    const REWARD: Option<&'static str> = Some("'accuracy'");

    const WHOLE_UPDATES: bool = false;

    fn new(config: &TutorialConfig, seed: u64) -> Self {
        Self::new(config, seed)
    }

    fn on(config: &TutorialConfig, seed: u64, _: Device) -> Result<Self, Refused> {
        Ok(Self::new(config, seed))
    }

    fn memory(config: &Self::Config, _: usize) -> u64 {
        rl::memory::of_tutorial_training(config)
    }

    fn memory_of_evaluation(config: &Self::Config, episodes: usize, _: usize) -> u64 {
        rl::memory::of_tutorial_evaluation(config, episodes)
    }

    fn parts(&self) -> Parts<'_> {
        let Self { task, policy, params, optimizer, seed, updates, config, .. } = self;
        let steps = (updates * config.batch * EMITTED) as u64;
        Parts { task, policy, params, optimizer, seed: *seed, updates: *updates, steps }
    }

    fn params_mut(&mut self) -> &mut Params<f32> {
        &mut self.params
    }

    fn optimizer_mut(&mut self) -> &mut Optimizer<f32> {
        &mut self.optimizer
    }

    fn state(&self) -> Value {
        json!({ "updates": self.updates })
    }

    fn restore(&mut self, state: Value) -> Result<(), String> {
        let updates = state["updates"].as_u64().and_then(|updates| usize::try_from(updates).ok());
        let limit = Self::limit(&self.config);
        let updates = updates.filter(|&updates| updates <= limit);
        self.updates = updates.ok_or_else(|| format!("{state}; expected at most {limit} updates"))?;
        Ok(())
    }

    fn limit(config: &TutorialConfig) -> usize {
        SCHEDULE.len() * config.stage_updates
    }

    fn end(&self) -> Option<&'static str> {
        self.is_over().then_some("end of the schedule")
    }

    fn advance_by(&mut self, _: usize) -> Result<Vec<Report>, NotFinite> {
        self.advance().map(|report| vec![report])
    }

    fn test_episodes(config: &TutorialConfig) -> usize {
        config.test_episodes
    }

    /// How many runs reach a mean reward above 1 in stage 0, which only programs that stop at a·b do. They are compared
    /// with the reference if their settings are its own, and if they are enough to tell a difference.
    fn together(config: &TutorialConfig, runs: &[Timed]) -> Option<(String, Value)> {
        let reward = |run: &Timed| run.outcome.stages.first().map_or(0.0, |stage| stage.reward);
        let above = runs.iter().filter(|run| reward(run) > 1.0).count();
        if *config != TutorialConfig::default() || runs.len() < ENOUGH_RUNS {
            let text = format!("{above} of {} runs end with a stage-0 reward above 1.", runs.len());
            return Some((text, json!({ "above_one": above, "runs": runs.len() })));
        }
        let p = p_value(above, runs.len(), REFERENCE_ABOVE_ONE, REFERENCE_RUNS);
        let verdict = if p >= 0.01 { "compatible" } else { "not compatible" };
        let text = format!(
            "{above} of {} runs end with a stage-0 reward above 1; of the tutorial's own Python \
             {REFERENCE_ABOVE_ONE} of {REFERENCE_RUNS}. Fisher's exact test, two-sided: p = {p:.3}, {verdict} at 1 %.",
            runs.len(),
        );
        let reference = json!({ "above_one": REFERENCE_ABOVE_ONE, "runs": REFERENCE_RUNS });
        Some((text, json!({ "above_one": above, "runs": runs.len(), "reference": reference, "p": p })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::test::Stage;

    #[test]
    fn enough_runs_are_just_enough() {
        let none_of = |runs| p_value(0, runs, REFERENCE_ABOVE_ONE, REFERENCE_RUNS);
        assert!(none_of(ENOUGH_RUNS) < 0.01 && none_of(ENOUGH_RUNS - 1) >= 0.01, "{}", none_of(ENOUGH_RUNS));
    }

    /// `above` runs with a stage-0 reward of 1.06 and the others at 0.
    fn runs(above: usize, all: usize) -> Vec<Timed> {
        let stage = |reward| Stage { reward, ..Stage::default() };
        let outcome = |i| Outcome { stages: vec![stage(if i < above { 1.06 } else { 0.0 })], ..Outcome::default() };
        (0..all).map(|i| Timed { outcome: outcome(i), seconds: 0.0 }).collect()
    }

    #[test]
    fn shares_are_compared_with_the_reference() {
        let default = TutorialConfig::default();
        let words = |config: &TutorialConfig, above, all| {
            let (words, json) = TutorialRun::together(config, &runs(above, all)).expect("a figure");
            (words, json["p"].as_f64())
        };
        let (text, p) = words(&default, 10, 40);
        assert!(
            text.starts_with("10 of 40 runs end") && text.contains("15 of 40") && text.ends_with(" compatible at 1 %.")
        );
        assert!((p.expect("compared") - 0.335).abs() < 5e-4); // from binomial coefficients in exact integers: 0.33477
        assert!(words(&default, 0, 40).0.ends_with("not compatible at 1 %."));
        assert_eq!(words(&default, 0, ENOUGH_RUNS - 1).1, None);
        assert_eq!(words(&TutorialConfig { batch: 8, ..default }, 10, 40).1, None);
    }

    #[test]
    fn the_reference_is_what_the_file_holds() {
        let file: Value =
            serde_json::from_str(include_str!("../../../../tests/golden/tutorial_finals.json")).expect("JSON");
        let runs = file["runs"].as_array().expect("a list of runs");
        let above = runs.iter().filter(|run| run["final"][0].as_f64() > Some(1.0)).count();
        assert_eq!((above, runs.len()), (REFERENCE_ABOVE_ONE, REFERENCE_RUNS));
    }
}
