//! The commands of `gradus`, one file each.

mod completions;
pub(crate) mod config;
mod devices;
mod eval;
mod explain;
mod gradcheck;
mod many_seeds;
mod report;
mod results;
mod tasks;
mod train;
mod tutorial;
mod watch;

pub(crate) use completions::{CompletionsArgs, completions};
pub(crate) use config::{ConfigArgs, config};
pub(crate) use devices::{DevicesArgs, devices};
pub(crate) use eval::{EvalArgs, eval};
pub(crate) use explain::{ExplainArgs, explain};
pub(crate) use gradcheck::{GradcheckArgs, gradcheck};
pub(crate) use report::{ReportArgs, report};
pub(crate) use tasks::{TasksArgs, tasks};
pub(crate) use train::{TrainArgs, train};
pub(crate) use tutorial::{TutorialArgs, tutorial};
pub(crate) use watch::{WatchArgs, watch};
