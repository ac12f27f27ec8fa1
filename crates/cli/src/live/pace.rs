//! How fast a run goes: a mean over its last seconds, so that it neither jumps nor remembers a slow beginning.

use std::collections::VecDeque;
use std::time::Duration;

/// The time between two moments that are remembered; what comes sooner replaces the last one.
const APART: Duration = Duration::from_millis(250);

/// Moments that are remembered: ten seconds of them, or more of slow updates.
const KEPT: usize = 40;

/// Where a run was at some moments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(VecDeque<Moment>);

#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Duration,
    updates: usize,
    steps: u64,
}

impl Pace {
    /// Notes where the run is now.
    pub(super) fn note(&mut self, at: Duration, updates: usize, steps: u64) {
        let len = self.0.len();
        if len >= 2 && at.saturating_sub(self.0[len - 2].at) < APART {
            self.0.pop_back();
        } else if len == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Moment { at, updates, steps });
    }

    /// Steps in a second.
    pub(super) fn steps(&self) -> Option<f64> {
        let (first, last, seconds) = self.ends()?;
        Some(last.steps.saturating_sub(first.steps) as f64 / seconds)
    }

    /// Seconds from `now` to the end of this many further updates.
    pub(super) fn left(&self, updates: usize, now: Duration) -> Option<f64> {
        let (first, last, seconds) = self.ends()?;
        let made = last.updates.checked_sub(first.updates).filter(|&made| made > 0)?;
        let passed = now.saturating_sub(last.at).as_secs_f64();
        Some((seconds / made as f64 * updates as f64 - passed).max(0.0))
    }

    fn ends(&self) -> Option<(Moment, Moment, f64)> {
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
    fn a_steady_run_has_its_rate() {
        let mut pace = Pace::default();
        assert_eq!((pace.steps(), pace.left(5, ms(0))), (None, None));
        for k in 0..10_000 {
            pace.note(ms(10 * k), 100 + k as usize, 50 * k);
            assert!(pace.0.len() <= KEPT);
        }
        let close = |x: Option<f64>, want: f64| assert!((x.expect("a rate") - want).abs() < 1e-6, "{x:?}");
        close(pace.steps(), 5_000.0);
        close(pace.left(300, ms(99_990)), 3.0);
        close(pace.left(300, ms(100_990)), 2.0);
        close(pace.left(300, ms(999_990)), 0.0);
    }

    #[test]
    fn a_slow_beginning_is_forgotten() {
        let mut pace = Pace::default();
        pace.note(ms(0), 0, 0);
        pace.note(ms(60_000), 1, 1);
        for k in 1..=100 {
            pace.note(ms(60_000 + 1_000 * k), 1 + k as usize, 1 + 10 * k);
        }
        assert_eq!(pace.steps(), Some(10.0));
    }

    #[test]
    fn a_run_that_stands_still_has_no_end() {
        let mut pace = Pace::default();
        pace.note(ms(0), 7, 70);
        pace.note(ms(1_000), 7, 70);
        assert_eq!((pace.steps(), pace.left(5, ms(1_000))), (Some(0.0), None));
    }
}
