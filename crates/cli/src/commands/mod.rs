//! The commands, a file each.

mod eval;
mod tasks;
mod train;
mod watch;

pub(crate) use eval::eval;
pub(crate) use tasks::tasks;
pub(crate) use train::train;
pub(crate) use watch::watch;
