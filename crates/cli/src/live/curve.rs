//! The last figures of a kind, and how they look on one line.

use std::collections::VecDeque;

/// As many figures as are kept, and so the most columns of a curve.
const KEPT: usize = 60;

/// From the least to the greatest.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same where there is only ASCII.
const ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// The last figures of a kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Curve(VecDeque<f64>);

impl Curve {
    /// Adds a figure; the oldest one goes if there are too many.
    pub(crate) fn push(&mut self, figure: f64) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(figure);
    }

    /// The last figure.
    pub(crate) fn last(&self) -> Option<f64> {
        self.0.back().copied()
    }

    /// The last `columns` figures or fewer, a column each, between their own least and greatest.
    pub(super) fn line(&self, columns: usize, unicode: bool) -> String {
        let shown = || self.shown(columns).filter(|figure| figure.is_finite());
        let least = shown().fold(f64::INFINITY, f64::min);
        let greatest = shown().fold(f64::NEG_INFINITY, f64::max);
        self.between(least, greatest, columns, unicode)
    }

    /// The same for shares: only 1 reaches the top.
    pub(super) fn share_line(&self, columns: usize, unicode: bool) -> String {
        self.between(0.0, 1.0, columns, unicode)
    }

    fn shown(&self, columns: usize) -> impl Iterator<Item = f64> {
        self.0.iter().copied().skip(self.0.len().saturating_sub(columns))
    }

    fn between(&self, least: f64, greatest: f64, columns: usize, unicode: bool) -> String {
        let marks = if unicode { BLOCKS } else { ASCII };
        let top = (marks.len() - 1) as f64;
        let mark = |figure: f64| match figure {
            _ if !figure.is_finite() => ' ',
            _ if greatest <= least => marks[0],
            _ => marks[((figure - least) / (greatest - least) * top).clamp(0.0, top) as usize],
        };
        self.shown(columns).map(mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(figures: &[f64]) -> Curve {
        let mut curve = Curve::default();
        figures.iter().for_each(|&figure| curve.push(figure));
        curve
    }

    #[test]
    fn figures_become_heights() {
        assert_eq!(curve(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).line(8, true), "▁▂▃▄▅▆▇█");
        assert_eq!(curve(&[7.0, -7.0, 0.0]).line(8, false), "#_-");
        assert_eq!(curve(&[3.0, 3.0]).line(8, true), "▁▁");
        assert_eq!(curve(&[]).line(8, true), "");
    }

    #[test]
    fn only_1_is_at_the_top_of_a_share() {
        assert_eq!(curve(&[0.0, 0.5, 0.999, 1.0]).share_line(8, false), "_-*#");
    }

    #[test]
    fn the_last_figures_are_shown_and_few_are_kept() {
        assert_eq!(curve(&[0.0, 9.0, 1.0, 2.0]).line(2, false), "_#");
        let long = curve(&(0..10 * KEPT).map(|k| k as f64).collect::<Vec<_>>());
        assert_eq!((long.0.len(), long.last()), (KEPT, Some((10 * KEPT - 1) as f64)));
    }

    #[test]
    fn what_is_no_number_is_a_gap() {
        assert_eq!(curve(&[0.0, f64::NAN, f64::INFINITY, 1.0]).line(8, false), "_  #");
    }
}
