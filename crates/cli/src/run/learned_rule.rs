//! What a trained policy does after each observation that can precede a decision, in the state before the first observation. If
//! that is what a rule of the task does, then the policy solves every episode, of whatever length.

use rl::agent::Agent;
use serde::{Deserialize, Serialize};

use crate::output::table::{Table, format_share};
use crate::run::Run;

/// A row of the rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RuleRow {
    /// Tokens of the observation.
    pub(crate) observation: String,
    /// Most probable action of the policy.
    pub(crate) action: String,
    /// Probability of the action.
    pub(crate) probability: f64,
    /// Action of the task's rule.
    pub(crate) rule: String,
}

/// Extracts the rows of a run; none if its task has no rule.
pub(crate) fn of_run(run: &Run) -> Vec<RuleRow> {
    let (spec, host) = (run.task.spec(), run.learner.host());
    let rule = run.task.rule();
    if rule.is_empty() {
        return Vec::new();
    }
    let agent = Agent::new(spec.clone(), host.model.clone(), host.params.clone());
    let row = |(tokens, wanted): (Vec<u32>, u32)| {
        let mut episode = agent.begin(0);
        episode.observe(&tokens[..]);
        let action = episode.greedy();
        RuleRow {
            observation: tokens.into_iter().map(|token| spec.token_name(token)).collect::<Vec<_>>().join(" "),
            action: spec.action_name(action).to_owned(),
            probability: episode.probabilities()[action as usize],
            rule: spec.action_name(wanted).to_owned(),
        }
    };
    rule.into_iter().map(row).collect()
}

/// Says in one sentence how much of the rule was learned; empty without rows.
pub(crate) fn to_sentence(rows: &[RuleRow]) -> String {
    let right = rows.iter().filter(|row| row.action == row.rule).count();
    match rows.len() {
        0 => String::new(),
        all if right == all => {
            format!("after each of the {all} observations it acts by the rule, which is right for every length")
        }
        all => format!("after {right} of the {all} observations it acts by the rule that is right for every length"),
    }
}

/// Formats the rows as a table.
pub(crate) fn to_table(rows: &[RuleRow]) -> Table {
    let mut table = Table::new(["observation", "action", "probability", "rule"]);
    for RuleRow { observation, action, probability, rule } in rows {
        let shown = if action == rule { String::new() } else { rule.clone() };
        table.row([observation.clone(), action.clone(), format_share(*probability), shown]);
    }
    table
}
