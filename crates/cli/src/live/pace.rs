//! The speed of a run: the mean over its last seconds, which is smooth and excludes a slow start.

use std::collections::VecDeque;
use std::time::Duration;

/// Minimum time between two samples. A sample that comes sooner replaces the last one.
const MIN_INTERVAL: Duration = Duration::from_millis(250);

/// Maximum number of samples: ten seconds, or longer if updates are slow.
const MAX_SAMPLES: usize = 40;

/// Recent samples of a run's progress.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(VecDeque<Sample>);

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    updates: usize,
    steps: u64,
}

impl Pace {
    /// Records the progress of the run at a time.
    pub(super) fn record(&mut self, at: Duration, updates: usize, steps: u64) {
        let len = self.0.len();
        if len >= 2 && at.saturating_sub(self.0[len - 2].at) < MIN_INTERVAL {
            self.0.pop_back();
        } else if len == MAX_SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(Sample { at, updates, steps });
    }

    /// Returns the steps per second.
    pub(super) fn steps_per_second(&self) -> Option<f64> {
        let (first, last, seconds) = self.window()?;
        Some(last.steps.saturating_sub(first.steps) as f64 / seconds)
    }

    /// Estimates the seconds from `now` until this many more updates are done.
    pub(super) fn seconds_left(&self, updates: usize, now: Duration) -> Option<f64> {
        let (first, last, seconds) = self.window()?;
        let made = last.updates.checked_sub(first.updates).filter(|&made| made > 0)?;
        let passed = now.saturating_sub(last.at).as_secs_f64();
        Some((seconds / made as f64 * updates as f64 - passed).max(0.0))
    }

    fn window(&self) -> Option<(Sample, Sample, f64)> {
        let (&first, &last) = (self.0.front()?, self.0.back()?);
        let seconds = last.at.saturating_sub(first.at).as_secs_f64();
        (seconds > 0.0).then_some((first, last, seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn pace_steady_run_has_constant_speed() {
        let mut pace = Pace::default();
        assert_eq!((pace.steps_per_second(), pace.seconds_left(5, ms(0))), (None, None));
        for k in 0..10_000 {
            pace.record(ms(10 * k), 100 + k as usize, 50 * k);
            assert!(pace.0.len() <= MAX_SAMPLES);
        }
        let close = |x: Option<f64>, want: f64| assert!((x.expect("a rate") - want).abs() < 1e-6, "{x:?}");
        close(pace.steps_per_second(), 5_000.0);
        close(pace.seconds_left(300, ms(99_990)), 3.0);
        close(pace.seconds_left(300, ms(100_990)), 2.0);
        close(pace.seconds_left(300, ms(999_990)), 0.0);
    }

    #[test]
    fn pace_slow_start_is_forgotten() {
        let mut pace = Pace::default();
        pace.record(ms(0), 0, 0);
        pace.record(ms(60_000), 1, 1);
        for k in 1..=100 {
            pace.record(ms(60_000 + 1_000 * k), 1 + k as usize, 1 + 10 * k);
        }
        assert_eq!(pace.steps_per_second(), Some(10.0));
    }

    #[test]
    fn seconds_left_without_progress_is_none() {
        let mut pace = Pace::default();
        pace.record(ms(0), 7, 70);
        pace.record(ms(1_000), 7, 70);
        assert_eq!((pace.steps_per_second(), pace.seconds_left(5, ms(1_000))), (Some(0.0), None));
    }
}
