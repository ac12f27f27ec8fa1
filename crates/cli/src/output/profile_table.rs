//! Where the time of the updates went, as a table.

use rl::phase::Phase;
use tensor::profile::{Kernel, PHASES, Profiled, peak_bandwidth, peak_flops};

use crate::output::table::{NONE, Table};

/// What one thread could do at best, in a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peak {
    flops: f64,
    bytes: f64,
}

impl Peak {
    /// That of this machine, now.
    pub(crate) fn measure() -> Self {
        Self { flops: peak_flops(), bytes: peak_bandwidth() }
    }
}

/// A row: a kernel, or a phase outside of them.
#[derive(Clone, Debug)]
struct Row {
    name: String,
    calls: u64,
    nanoseconds: u64,
    /// Flops and bytes of a kernel.
    work: Option<(u64, u64)>,
}

/// The table with its caption; `peak` is asked for only if there is something to compare with it.
pub(crate) fn words(profile: &Profiled<f32>, peak: impl FnOnce() -> Peak) -> String {
    let update = profile.spans(Phase::Update as usize);
    if update.calls == 0 {
        return "profile: no update was made, so there is nothing to show".into();
    }
    let rows = rows(profile);
    let all: u64 = rows.iter().map(|row| row.nanoseconds).sum();
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    format!(
        "profile of {} updates: {:.3} s on the clock, {:.3} s added over threads, which times and shares are of\n{}{}",
        update.calls,
        seconds(update.nanoseconds),
        seconds(all),
        table(&rows, all, peak()),
        LEGEND,
    )
}

/// What the columns are.
const LEGEND: &str = "\
flops: exp, ln, √, tanh and σ count as one. bytes: each operand once, wherever it lies. of peak: of
what one thread reaches here in multiply-adds (fma) or in copying within its cache (copy), whichever
is nearer. outside: what a phase does besides kernels, as environments in act and the tape in learn.";

/// All that took time, the longest first; the phases after the kernels.
fn rows(profile: &Profiled<f32>) -> Vec<Row> {
    let kernels = Kernel::ALL.iter().map(|&kernel| {
        let mut row = Row { name: kernel.name().into(), calls: 0, nanoseconds: 0, work: None };
        for counts in (1..PHASES).map(|phase| profile.counts(phase, kernel)) {
            let (flops, bytes) = row.work.unwrap_or_default();
            row.calls += counts.calls;
            row.nanoseconds += counts.nanoseconds;
            row.work = Some((flops + counts.flops, bytes + counts.bytes));
        }
        row
    });
    let phases = Phase::ALL.into_iter().filter(|&phase| phase != Phase::Update).map(|phase| {
        let spans = profile.spans(phase as usize);
        let nanoseconds = spans.nanoseconds.saturating_sub(spans.in_kernels);
        Row { name: format!("outside: {}", phase.name()), calls: spans.calls, nanoseconds, work: None }
    });
    let longest_first = |rows: &mut Vec<Row>| {
        rows.retain(|row| row.calls > 0);
        rows.sort_by_key(|row| std::cmp::Reverse(row.nanoseconds));
    };
    let (mut rows, mut phases): (Vec<_>, Vec<_>) = (kernels.collect(), phases.collect());
    longest_first(&mut rows);
    longest_first(&mut phases);
    rows.extend(phases);
    rows
}

fn table(rows: &[Row], all: u64, peak: Peak) -> Table {
    let mut table = Table::new(["kernel", "calls", "seconds", "share", "flops", "bytes", "GFLOP/s", "GB/s", "of peak"]);
    for Row { name, calls, nanoseconds, work } in rows {
        let share = *nanoseconds as f64 / all.max(1) as f64;
        let mut cells = vec![
            name.clone(),
            short(*calls as f64),
            format!("{:.*}", if *nanoseconds < 1_000_000_000_000 { 3 } else { 1 }, *nanoseconds as f64 / 1e9),
            format!("{:.1} %", 100.0 * share),
        ];
        match work {
            Some(work) => cells.extend(rates(*work, (*nanoseconds).max(1) as f64, peak)),
            None => cells.extend([NONE; 5].map(String::from)),
        }
        table.row(cells);
    }
    table
}

/// Flops, bytes, both in a nanosecond (which is giga in a second), and the share of the peak.
fn rates((flops, bytes): (u64, u64), nanoseconds: f64, peak: Peak) -> [String; 5] {
    let (flops, bytes) = (flops as f64, bytes as f64);
    let (by_flops, by_bytes) = (1e9 * flops / nanoseconds / peak.flops, 1e9 * bytes / nanoseconds / peak.bytes);
    let of_peak = match by_flops >= by_bytes {
        true => format!("{:.0} % fma", 100.0 * by_flops),
        false => format!("{:.0} % copy", 100.0 * by_bytes),
    };
    let rate = |amount: f64| format!("{:.1}", amount / nanoseconds);
    [short(flops), short(bytes), rate(flops), rate(bytes), of_peak]
}

/// Three places and a unit: 123, 12.3 k, 1.23 M.
fn short(x: f64) -> String {
    let units = ["", " k", " M", " G", " T", " P", " E"];
    let (mut scaled, mut unit) = (x, 0);
    while scaled >= 999.5 && unit + 1 < units.len() {
        scaled /= 1e3;
        unit += 1;
    }
    let places = if unit == 0 || scaled >= 99.95 {
        0
    } else if scaled >= 9.995 {
        1
    } else {
        2
    };
    format!("{scaled:.places$}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEAK: Peak = Peak { flops: 100e9, bytes: 50e9 };

    #[test]
    fn amounts_have_three_places() {
        let shown = [0.0, 999.0, 999.6, 1234.0, 12_340.0, 99_960.0, 1e6, 1.8e19].map(short);
        assert_eq!(shown, ["0", "999", "1.00 k", "1.23 k", "12.3 k", "100 k", "1.00 M", "18.0 E"]);
    }

    #[test]
    fn the_peak_is_the_nearer_of_two() {
        assert_eq!(rates((3000, 100), 100.0, PEAK), ["3.00 k", "100", "30.0", "1.0", "30 % fma"]);
        assert_eq!(rates((100, 2000), 100.0, PEAK), ["100", "2.00 k", "1.0", "20.0", "40 % copy"]);
    }

    #[test]
    fn days_of_training_fit_into_a_hundred_columns() {
        let name = |kernel: &Kernel| kernel.name().to_owned();
        let work = Some((5_550_000_000_000_000, 8_880_000_000_000_000));
        let row = |name| Row { name, calls: 888_888_888, nanoseconds: 86_400_000_000_000, work };
        let mut rows: Vec<_> = Kernel::ALL.iter().map(name).map(row).collect();
        rows.extend(Phase::ALL.map(|phase| Row { work: None, ..row(format!("outside: {}", phase.name())) }));
        let all = rows.iter().map(|row| row.nanoseconds).sum();
        for line in format!("{}{LEGEND}", table(&rows, all, PEAK)).lines() {
            assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
        }
    }

    #[test]
    fn without_updates_nothing_is_measured() {
        static PROFILED: Profiled<f32> = Profiled::new(&tensor::Fast);
        let words = words(&PROFILED, || unreachable!("there is nothing to compare"));
        assert_eq!(words, "profile: no update was made, so there is nothing to show");
    }
}
