//! Tests that saved data survive disk faults: failing operations, full disks and power cuts, each at every operation of a
//! small run.

mod errors;
mod journal;
mod links;
mod power;
mod run;
