//! The score by which validations, checkpoints and runs are compared.

use rl::env::Spec;

use crate::output::table::format_share;

/// The score of an agent in a stage; more is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Score {
    /// The exact match: the share of solved episodes.
    #[default]
    ExactMatch,
    /// The mean sum of rewards of an episode, for tasks without success.
    Reward,
}

impl Score {
    /// The score of a task.
    pub(crate) fn new(spec: &Spec) -> Self {
        if spec.has_success { Self::ExactMatch } else { Self::Reward }
    }

    /// The name of the score.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ExactMatch => "exact match",
            Self::Reward => "mean reward",
        }
    }

    /// The name of the score in narrow columns.
    pub(crate) fn short_name(self) -> &'static str {
        match self {
            Self::ExactMatch => "exact",
            Self::Reward => "reward",
        }
    }

    /// Formats a score to three decimals.
    pub(crate) fn format(self, x: f64) -> String {
        match self {
            Self::ExactMatch => format_share(x),
            Self::Reward => format!("{x:.3}"),
        }
    }

    /// The score of a failed run in a stage: its agent solves nothing. There is no such number for rewards.
    pub(crate) fn of_failed_run(self) -> Option<f64> {
        match self {
            Self::ExactMatch => Some(0.0),
            Self::Reward => None,
        }
    }
}
