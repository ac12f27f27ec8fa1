//! The `--profile` table: time of the updates by kernel and by phase.

use rl::phase::Phase;
use tensor::profile::{Kernel, PHASES, Profiler, peak_bandwidth, peak_flops};

use crate::output::table::{NONE, Table};

/// The peak rates of one thread, per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peak {
    flops: f64,
    bytes: f64,
}

impl Peak {
    /// Measures the peak rates of this machine.
    pub(crate) fn measure() -> Self {
        Self { flops: peak_flops(), bytes: peak_bandwidth() }
    }
}

/// A row of the table: a kernel, or the time of a phase outside all kernels.
#[derive(Clone, Debug)]
struct Row {
    name: String,
    calls: u64,
    nanoseconds: u64,
    /// Flops and bytes; `None` for a phase.
    work: Option<(u64, u64)>,
}

/// Returns the table with its caption. Calls `peak` only if there is an update to compare with it.
pub(crate) fn render(profile: &Profiler<f32>, peak: impl FnOnce() -> Peak) -> String {
    let update = profile.spans(Phase::Update as usize);
    if update.calls == 0 {
        return "profile: no update was made, so nothing was measured".into();
    }
    let rows = build_rows(profile);
    let all: u64 = rows.iter().map(|row| row.nanoseconds).sum();
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    format!(
        "profile of {} updates: {:.3} s wall time; the table splits {:.3} s, the sum over all threads\n\n{}\n{}",
        update.calls,
        seconds(update.nanoseconds),
        seconds(all),
        table(&rows, all, peak()),
        LEGEND,
    )
}

/// The meaning of the columns.
const LEGEND: &str = "\
flops    each exp, ln, √, sin, cos, tanh and σ counts as one
bytes    each operand counts once, wherever it is
of peak  share of this machine's peak for one thread, either multiply-adds (fma) or copying within its cache (copy), \
whichever share is larger
outside  time of a phase outside all kernels, such as the environments in act and the tape in learn";

/// Returns the kernels that took time, longest first, then the phases, longest first.
fn build_rows(profile: &Profiler<f32>) -> Vec<Row> {
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
            format_si(*calls as f64),
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

/// Formats flops, bytes, both per nanosecond (that is, giga per second), and the share of the peak.
fn rates((flops, bytes): (u64, u64), nanoseconds: f64, peak: Peak) -> [String; 5] {
    let (flops, bytes) = (flops as f64, bytes as f64);
    let (by_flops, by_bytes) = (1e9 * flops / nanoseconds / peak.flops, 1e9 * bytes / nanoseconds / peak.bytes);
    let of_peak = match by_flops >= by_bytes {
        true => format!("{:.0} % fma", 100.0 * by_flops),
        false => format!("{:.0} % copy", 100.0 * by_bytes),
    };
    let rate = |amount: f64| format!("{:.1}", amount / nanoseconds);
    [format_si(flops), format_si(bytes), rate(flops), rate(bytes), of_peak]
}

/// Formats three significant digits with an SI prefix: 123, 12.3 k, 1.23 M.
fn format_si(x: f64) -> String {
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
    fn format_si_keeps_three_significant_digits() {
        let shown = [0.0, 999.0, 999.6, 1234.0, 12_340.0, 99_960.0, 1e6, 1.8e19].map(format_si);
        assert_eq!(shown, ["0", "999", "1.00 k", "1.23 k", "12.3 k", "100 k", "1.00 M", "18.0 E"]);
    }

    #[test]
    fn rates_report_the_larger_share_of_peak() {
        assert_eq!(rates((3000, 100), 100.0, PEAK), ["3.00 k", "100", "30.0", "1.0", "30 % fma"]);
        assert_eq!(rates((100, 2000), 100.0, PEAK), ["100", "2.00 k", "1.0", "20.0", "40 % copy"]);
    }

    #[test]
    fn table_of_long_training_fits_in_100_columns() {
        let name = |kernel: &Kernel| kernel.name().to_owned();
        let work = Some((5_550_000_000_000_000, 8_880_000_000_000_000));
        let row = |name| Row { name, calls: 888_888_888, nanoseconds: 86_400_000_000_000, work };
        let mut rows: Vec<_> = Kernel::ALL.iter().map(name).map(row).collect();
        rows.extend(Phase::ALL.map(|phase| Row { work: None, ..row(format!("outside: {}", phase.name())) }));
        let all = rows.iter().map(|row| row.nanoseconds).sum();
        for line in table(&rows, all, PEAK).to_string().lines() {
            assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
        }
    }

    #[test]
    fn render_without_updates_measures_no_peak() {
        static PROFILED: Profiler<f32> = Profiler::new(&tensor::Fast);
        let text = render(&PROFILED, || unreachable!("there is nothing to compare"));
        assert_eq!(text, "profile: no update was made, so nothing was measured");
    }
}
