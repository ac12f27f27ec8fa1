//! The commands, a file each.

mod completions;
pub(crate) mod config;
mod devices;
mod eval;
mod explain;
mod gradcheck;
mod report;
mod several;
mod tasks;
mod train;
mod tutorial;
mod watch;

pub(crate) use completions::completions;
pub(crate) use config::config;
pub(crate) use devices::devices;
pub(crate) use eval::eval;
pub(crate) use explain::explain;
pub(crate) use gradcheck::gradcheck;
pub(crate) use report::report;
pub(crate) use tasks::tasks;
pub(crate) use train::train;
pub(crate) use tutorial::tutorial;
pub(crate) use watch::watch;
