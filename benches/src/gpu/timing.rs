//! Timing of work that a GPU runs asynchronously.

use std::time::{Duration, Instant};

/// The minimum duration of a round, so that the final wait does not matter.
const ROUND: Duration = Duration::from_millis(200);
const ROUNDS: usize = 5;

/// Returns the seconds that one `run` takes: the median over rounds. A round repeats `run` to fill the minimum duration, at
/// least once, and waits once at its end.
pub fn median_seconds(mut run: impl FnMut(), wait: impl Fn()) -> f64 {
    let mut round = |times: u32| {
        let start = Instant::now();
        (0..times).for_each(|_| run());
        wait();
        start.elapsed()
    };
    round(1); // warms up
    let once = round(1).max(Duration::from_nanos(1));
    let times = (ROUND.as_nanos() / once.as_nanos() + 1).min(1 << 16) as u32;
    let mut rounds: Vec<_> = (0..ROUNDS).map(|_| round(times)).collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2].as_secs_f64() / f64::from(times)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::thread::sleep;

    use super::*;

    #[test]
    fn median_seconds_waits_once_per_round() {
        let waits = Cell::new(0);
        let per_run = median_seconds(|| sleep(Duration::from_millis(50)), || waits.set(waits.get() + 1));
        assert!((0.05..0.5).contains(&per_run), "{per_run}");
        assert_eq!(waits.get(), 2 + ROUNDS);
    }
}
