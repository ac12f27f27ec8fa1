//! Whatever a disk does, nothing that was saved is lost: operations that fail, disks that are full, and losses of power,
//! each at every moment of a little run.

mod errors;
mod journal;
mod links;
mod power;
mod run;
