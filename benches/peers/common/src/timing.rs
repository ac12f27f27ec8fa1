//! Timing of workloads.

use std::time::Instant;

use crate::workload::{WORKLOADS, Workload};
use crate::{Error, Peer};

/// Prints the runs per second of a workload. `per_cpu_s` divides by the CPU seconds of all threads of this process.
pub(crate) fn time<P: Peer>(name: &str, workload: &Workload, threads: usize) -> Result<(), Error> {
    let start = Instant::now();
    let mut peer = P::new(workload)?;
    let mut once = || if workload.is_inference() { peer.episode().map(drop) } else { peer.update().map(drop) };
    once()?;
    let first = start.elapsed().as_secs_f64();
    for _ in 1..workload.warm_up {
        once()?;
    }
    let (mut n, start, cpu_start) = (0, Instant::now(), cpu_seconds()?);
    while n < workload.min_runs || start.elapsed().as_secs_f64() < workload.seconds {
        once()?;
        n += 1;
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu_start);
    println!(
        r#"{{"peer": "{name}", "w": "{}", "threads": {threads}, "per_s": {}, "per_cpu_s": {}, "n": {n}, "first_s": {first}}}"#,
        workload.name,
        n as f64 / wall,
        n as f64 / cpu,
    );
    Ok(())
}

/// Prints the mean rewards of the first and the last twenty of `updates` updates of W1.
pub(crate) fn learn<P: Peer>(name: &str, updates: usize) -> Result<(), Error> {
    let mut peer = P::new(&WORKLOADS[0])?;
    let rewards = (0..updates).map(|_| peer.update()).collect::<Result<Vec<_>, _>>()?;
    let ends = updates.min(20);
    let mean = |rewards: &[f64]| rewards.iter().sum::<f64>() / ends as f64;
    let (first, last) = (mean(&rewards[..ends]), mean(&rewards[updates - ends..]));
    println!(r#"{{"peer": "{name}", "learn": {updates}, "R_first20": {first}, "R_last20": {last}}}"#);
    Ok(())
}

/// Returns the user and system time of all threads of this process. Linux counts it in hundredths of a second.
fn cpu_seconds() -> Result<f64, Error> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let times = after_name.split_whitespace().skip(11).take(2);
    Ok(times.map(|ticks| ticks.parse::<f64>()).sum::<Result<f64, _>>()? / 100.0)
}
