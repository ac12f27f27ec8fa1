//! Resuming a run with other settings: the settings that may change, and the checks before a file changes.
//!
//! A run that goes on gives the bytes of a run that had the new settings from the start: parameters, journals, best
//! checkpoint and test. What would break this is refused.

use std::path::Path;

use nn::Checkpoint;
use rl::config::ScheduleKind;
use rl::settings::Settings;
use rl::train::StopReason;
use tensor::Device;

use super::{TrainingPlan, checkpoint, end_validation};
use crate::error::{Error, Result, show_path};
use crate::folder::outcome::Outcome;
use crate::folder::{CONFIG, ChangedSetting, Folder, MODEL, TEST};
use crate::input::config_file::ConfigFile;
use crate::input::settings::to_flag;

/// The settings that may change when a run is resumed. `patience` may only grow, as a run with less might have ended
/// earlier. Threads and device are not settings and may always change.
pub(crate) const CHANGEABLE: [&str; 5] = ["max_updates", "patience", "save_every", "keep_every", "on_save_error"];

/// Returns the flags of [`CHANGEABLE`], separated by commas.
pub(crate) fn changeable_flags() -> String {
    CHANGEABLE.map(to_flag).join(", ")
}

/// Creates the error of a value that may not change from `recorded`, as the file `path` has it, to `given`.
pub(crate) fn fixed_setting_error(name: &str, recorded: &str, given: &str, path: &Path) -> Error {
    Error::input(format!(
        "{} {given}: {} has {name} = {recorded}, and a resumed run keeps it; only these may change: {}; start a new run to \
         train with another value",
        to_flag(name),
        show_path(path),
        changeable_flags(),
    ))
}

/// The effect of a plan on the run in a folder.
#[derive(Debug, Default)]
pub(crate) struct SettingsEffect {
    /// The plan in the folder; `None` before its run has started.
    recorded: Option<TrainingPlan>,
    /// The settings that change.
    changed: Vec<ChangedSetting>,
    /// Outcome so far, if the run has finished.
    outcome: Option<Outcome>,
    /// True if the outcome is no longer that of the run: it goes on, or ends for another reason.
    replaces_outcome: bool,
    /// Number of perfect validations in a row at the end of a run that stays solved.
    perfect: Option<usize>,
}

impl SettingsEffect {
    /// Returns true if there is something to compute: updates, or the test.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.outcome.is_none() || self.replaces_outcome
    }
}

impl TrainingPlan {
    /// Returns the plan in a configuration file of a run folder, and the settings in which this plan differs from it.
    ///
    /// # Errors
    /// If the file is invalid, or a setting differs that may not change.
    pub(crate) fn changed_settings(&self, path: &Path) -> Result<(Self, Vec<ChangedSetting>)> {
        let recorded = Self::from_file(&ConfigFile::read_regular(path)?, self.task, Device::Host)?;
        let mut changed = differences(&recorded.config, &self.config);
        changed.extend(differences(&recorded.checkpoint_policy, &self.checkpoint_policy));
        match changed.iter().find(|change| !CHANGEABLE.contains(&change.name.as_str())) {
            None => Ok((recorded, changed)),
            Some(ChangedSetting { name, from, to }) => Err(fixed_setting_error(name, from, to, path)),
        }
    }

    /// Finds the effect of this plan on the run in `folder`, which may not have started. Writes no file.
    ///
    /// # Errors
    /// If a file is invalid, or the run cannot go on with these settings to the bytes of a run that had them from the start.
    pub(crate) fn check_settings(&self, seed: u64, folder: &Path) -> Result<SettingsEffect> {
        let (config, model, test) = (folder.join(CONFIG), folder.join(MODEL), folder.join(TEST));
        if !config.exists() {
            return Ok(SettingsEffect::default());
        }
        let (recorded, changed) = self.changed_settings(&config)?;
        let outcome = test.exists().then(|| Outcome::read(&test)).transpose()?;
        let mut effect = SettingsEffect { changed, outcome, ..SettingsEffect::default() };
        let goes_on = effect.outcome.is_none() && model.exists();
        if goes_on && let Ok(checkpoint) = Checkpoint::load(&model) {
            // a damaged file is an error of its run alone
            checkpoint::check(&model, &checkpoint, &recorded.task.spec(&recorded.config), &recorded.config)?;
            checkpoint::check_settings(&model, &checkpoint, &recorded.config)?;
        }
        if effect.changed.is_empty() || effect.outcome.is_none() && !goes_on {
            return Ok(SettingsEffect { recorded: Some(recorded), ..effect });
        }
        let mut run = recorded.create_empty_run(seed)?;
        let journal_lengths = checkpoint::resume(&model, &mut run)?;
        self.check_limits(&recorded, run.updates, folder)?;
        let before = run.stop_reason();
        run.config = self.config.clone();
        end_validation::take_back(folder, &mut run, journal_lengths)?;
        let after = run.stop_reason();
        // The last checkpoint of a failed run has no reason to stop: the run goes on and fails again at the same update.
        effect.replaces_outcome = effect.outcome.is_some() && (after.is_none() || after != before);
        effect.perfect = (after == Some(StopReason::Solved)).then_some(run.perfect);
        Ok(SettingsEffect { recorded: Some(recorded), ..effect })
    }

    /// Checks `max_updates`, its schedule and `patience` of a run that has made `done` updates.
    fn check_limits(&self, recorded: &Self, done: usize, folder: &Path) -> Result<()> {
        let (old, new, shown) = (&recorded.config, &self.config, show_path(folder));
        let (from, to) = (old.max_updates, new.max_updates);
        let start_new = format!("start a new run with --config {}", show_path(&folder.join(CONFIG)));
        let refused = if new.patience < old.patience {
            let (from, to) = (old.patience, new.patience);
            format!(
                "--patience {to}: {shown} has patience = {from}, and with less it might have ended earlier; pass {from} or more"
            )
        } else if from == to || done == 0 {
            return Ok(());
        } else if new.rate_schedule != ScheduleKind::Constant {
            let schedule = new.get("rate_schedule").expect("a setting of the table");
            format!(
                "--max-updates {to}: {shown} has rate_schedule = {schedule} over max_updates = {from}, so its {done} updates \
                 had other learning rates than those of a run of {to}; {start_new} --max-updates {to}"
            )
        } else if to < done {
            format!("--max-updates {to}: {shown} has made {done} updates already; pass {done} or more, or {start_new}")
        } else if to == done && !done.is_multiple_of(new.validate_every) {
            let more = done + 1;
            format!(
                "--max-updates {to}: {shown} has made {done} updates without the validation at the end of a run of {to}; \
                 pass {more} or more, or {start_new}"
            )
        } else {
            return Ok(());
        };
        Err(Error::input(refused))
    }

    /// Brings the files of a folder to the settings of this plan. Returns the message for a run that stays finished.
    ///
    /// The new configuration comes last. A process that ends before leaves a run that can be resumed with the old settings or
    /// with the new ones.
    ///
    /// # Errors
    /// As [`check_settings`](Self::check_settings), or if a file cannot be written.
    pub(super) fn change_settings(&self, seed: u64, folder: &Folder) -> Result<String> {
        let SettingsEffect { recorded, changed, outcome, replaces_outcome, perfect } =
            self.check_settings(seed, folder.path())?;
        if let Some(recorded) = recorded {
            folder.record_settings_change(&|name| recorded.get_setting(name), &changed, outcome.as_ref())?;
        }
        if !changed.is_empty() {
            if replaces_outcome {
                folder.remove(TEST)?;
            }
            folder.write(CONFIG, self.to_toml(Some(seed)))?;
        }
        Ok(match perfect {
            _ if outcome.is_some_and(|outcome| outcome.failed) => {
                "this run has failed, and would fail again at the same update; start a new run with other settings, for \
                 example a lower --rate"
                    .to_owned()
            }
            None => {
                "this run has finished; to go on, pass a higher --max-updates, or a higher --patience if it is solved"
                    .to_owned()
            }
            Some(perfect) => format!(
                "this run has finished: it is solved, with {perfect} perfect validations in a row and patience = {}; to go on, \
                 pass --patience {} or more",
                self.config.patience,
                perfect + 1
            ),
        })
    }

    /// Returns the value of a setting of the run or of its checkpoints.
    pub(crate) fn get_setting(&self, name: &str) -> Option<String> {
        self.config.get(name).or_else(|| self.checkpoint_policy.get(name))
    }
}

/// Returns the settings of a table that differ.
fn differences<C: Settings>(from: &C, to: &C) -> Vec<ChangedSetting> {
    let value = |settings: &C, name| settings.get(name).expect("a setting of the table");
    let change = |name| ChangedSetting { name: String::from(name), from: value(from, name), to: value(to, name) };
    C::FIELDS.iter().map(|field| change(field.name)).filter(|change| change.from != change.to).collect()
}
