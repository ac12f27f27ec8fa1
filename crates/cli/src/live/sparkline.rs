//! Sparklines: the recent values of a metric, drawn on one text line.

use std::collections::VecDeque;

/// The number of values kept, and so the maximum width in columns.
const CAPACITY: usize = 60;

/// The marks from the lowest to the highest value.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The marks for terminals that show only ASCII.
const ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// The recent values of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sparkline(VecDeque<f64>);

impl Sparkline {
    /// Adds a value, and drops the oldest one if there are too many.
    pub(crate) fn push(&mut self, value: f64) {
        if self.0.len() == CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// Returns the last value.
    pub(crate) fn last(&self) -> Option<f64> {
        self.0.back().copied()
    }

    /// Draws at most the last `columns` values, one column each, scaled to their own range.
    pub(super) fn render(&self, columns: usize, unicode: bool) -> String {
        let finite = || self.recent(columns).filter(|value| value.is_finite());
        let min = finite().fold(f64::INFINITY, f64::min);
        let max = finite().fold(f64::NEG_INFINITY, f64::max);
        self.render_range(min, max, columns, unicode)
    }

    /// Draws shares, scaled from 0 to 1; only 1 reaches the top mark.
    pub(super) fn render_share(&self, columns: usize, unicode: bool) -> String {
        self.render_range(0.0, 1.0, columns, unicode)
    }

    fn recent(&self, columns: usize) -> impl Iterator<Item = f64> {
        self.0.iter().copied().skip(self.0.len().saturating_sub(columns))
    }

    fn render_range(&self, min: f64, max: f64, columns: usize, unicode: bool) -> String {
        let marks = if unicode { BLOCKS } else { ASCII };
        let top = (marks.len() - 1) as f64;
        let mark = |value: f64| match value {
            _ if !value.is_finite() => ' ',
            _ if max <= min => marks[0],
            _ => marks[((value - min) / (max - min) * top).clamp(0.0, top) as usize],
        };
        self.recent(columns).map(mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sparkline(values: &[f64]) -> Sparkline {
        let mut sparkline = Sparkline::default();
        values.iter().for_each(|&value| sparkline.push(value));
        sparkline
    }

    #[test]
    fn render_scales_values_to_their_range() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).render(8, true), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[7.0, -7.0, 0.0]).render(8, false), "#_-");
        assert_eq!(sparkline(&[3.0, 3.0]).render(8, true), "▁▁");
        assert_eq!(sparkline(&[]).render(8, true), "");
    }

    #[test]
    fn render_share_only_1_reaches_the_top() {
        assert_eq!(sparkline(&[0.0, 0.5, 0.999, 1.0]).render_share(8, false), "_-*#");
    }

    #[test]
    fn push_keeps_the_last_values() {
        assert_eq!(sparkline(&[0.0, 9.0, 1.0, 2.0]).render(2, false), "_#");
        let long = sparkline(&(0..10 * CAPACITY).map(|k| k as f64).collect::<Vec<_>>());
        assert_eq!((long.0.len(), long.last()), (CAPACITY, Some((10 * CAPACITY - 1) as f64)));
    }

    #[test]
    fn render_non_finite_value_is_a_gap() {
        assert_eq!(sparkline(&[0.0, f64::NAN, f64::INFINITY, 1.0]).render(8, false), "_  #");
    }
}
