//! A profile of a workload: the time of each kernel.

use std::time::Instant;

use peer::{Error, Peer, Workload};
use tensor::profile::{Counts, Kernel, Profiler, peak_flops, start};

use crate::peer::ByHand;

const SECONDS: f64 = 5.0;

/// Measures a workload on one thread and prints a table.
pub fn print(workload: &Workload) -> Result<(), Error> {
    let (peak, profiled) = (peak_flops(), start()); // first, since a tape keeps the kernels that it was created with
    let mut by_hand = ByHand::new(workload)?;
    let mut once = || if workload.is_inference() { by_hand.episode().map(drop) } else { by_hand.update().map(drop) };
    for _ in 0..workload.warm_up {
        once()?;
    }
    let (before, started, mut runs) = (read_counts(profiled), Instant::now(), 0);
    while started.elapsed().as_secs_f64() < SECONDS {
        once()?;
        runs += 1;
    }
    let (seconds, after) = (started.elapsed().as_secs_f64(), read_counts(profiled));
    println!("{}: {:.1} a second; the peak is {:.0} GFLOP/s\n", workload.name, f64::from(runs) / seconds, peak / 1e9);
    println!("| kernel | calls a run | share of the time | GFLOP/s | of the peak |\n|---|---:|---:|---:|---:|");
    let mut rows: Vec<_> = Kernel::ALL.iter().zip(before.iter().zip(&after)).collect();
    rows.sort_by_key(|(_, (before, after))| before.nanoseconds.wrapping_sub(after.nanoseconds));
    let mut rest = seconds;
    for (kernel, (before, after)) in rows.into_iter().filter(|(_, (before, after))| after.calls > before.calls) {
        let spent = (after.nanoseconds - before.nanoseconds) as f64 / 1e9;
        let (calls, rate) = ((after.calls - before.calls) as f64, (after.flops - before.flops) as f64 / spent);
        let calls = calls / f64::from(runs);
        let share = 100.0 * spent / seconds;
        println!(
            "| {} | {calls:.0} | {share:.1} % | {:.1} | {:.0} % |",
            kernel.name(),
            rate / 1e9,
            100.0 * rate / peak
        );
        rest -= spent;
    }
    println!("| outside of kernels, with the timer | | {:.1} % | | |", 100.0 * rest / seconds);
    Ok(())
}

fn read_counts(profiled: &Profiler<f32>) -> Vec<Counts> {
    Kernel::ALL.iter().map(|&kernel| profiled.counts(0, kernel)).collect()
}
