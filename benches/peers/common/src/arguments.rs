//! The command line, which all peers share.

use std::path::PathBuf;

use crate::Error;
use crate::workload::{WORKLOADS, Workload};

/// `[--threads N] [--workloads W1,W5] [--golden FILE] [--learn N]`
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Threads of the peer.
    pub threads: usize,
    /// What is timed.
    pub workloads: Vec<Workload>,
    /// Verify against this file instead.
    pub golden: Option<PathBuf>,
    /// Do this many updates of W1 instead, and tell the rewards at both ends.
    pub learn: usize,
}

impl Arguments {
    /// Those of this process.
    ///
    /// # Errors
    /// If a flag or a workload is unknown, or a number is none.
    pub fn read() -> Result<Self, Error> {
        let mut out = Self { threads: 1, workloads: WORKLOADS.to_vec(), golden: None, learn: 0 };
        let mut words = std::env::args().skip(1);
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} wants a value"))?;
            let number = || value.parse().map_err(|_| format!("{flag} wants a whole number, not {value}"));
            match &*flag {
                "--threads" => out.threads = number()?,
                "--learn" => out.learn = number()?,
                "--golden" => out.golden = Some(value.into()),
                "--workloads" => out.workloads = value.split(',').map(named).collect::<Result<_, _>>()?,
                _ => {
                    return Err(format!("{flag} is no flag; there are --threads, --workloads, --golden, --learn").into());
                }
            }
        }
        Ok(out)
    }
}

fn named(name: &str) -> Result<Workload, String> {
    let found = WORKLOADS.into_iter().find(|workload| workload.name == name);
    found.ok_or_else(|| format!("there is no workload {name}; there are W1 to W5"))
}
