//! The command line that all Rust peers share.

use std::path::PathBuf;

use crate::Error;
use crate::workload::{WORKLOADS, Workload};

/// `[--threads N] [--workloads W1,W5] [--golden FILE] [--learn N]`
#[derive(Clone, Debug)]
pub struct Arguments {
    /// The number of threads.
    pub threads: usize,
    /// The workloads to time.
    pub workloads: Vec<Workload>,
    /// If set, the peer verifies against this file instead of timing.
    pub golden: Option<PathBuf>,
    /// If above zero, the peer makes this many updates of W1 instead and prints the first and last rewards.
    pub learn: usize,
}

impl Arguments {
    /// Reads the arguments of this process.
    ///
    /// # Errors
    /// If a flag or a workload is unknown, or if a value is not a number.
    pub fn read() -> Result<Self, Error> {
        let mut out = Self { threads: 1, workloads: WORKLOADS.to_vec(), golden: None, learn: 0 };
        let mut words = std::env::args().skip(1);
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number = || value.parse().map_err(|_| format!("{flag} needs a whole number, not {value}"));
            match &*flag {
                "--threads" => out.threads = number()?,
                "--learn" => out.learn = number()?,
                "--golden" => out.golden = Some(value.into()),
                "--workloads" => out.workloads = value.split(',').map(find_workload).collect::<Result<_, _>>()?,
                _ => {
                    return Err(
                        format!("unknown flag {flag}; expected --threads, --workloads, --golden or --learn").into()
                    );
                }
            }
        }
        Ok(out)
    }
}

fn find_workload(name: &str) -> Result<Workload, String> {
    let found = WORKLOADS.into_iter().find(|workload| workload.name == name);
    found.ok_or_else(|| format!("unknown workload {name}; expected W1 to W5"))
}
