//! Downsampling of long runs: a curve of a million updates fits into a small file and keeps its peaks.

/// Reduces a line to at most `max_points` points, in order: both ends, and the minimum and maximum of each of equal parts
/// between them.
///
/// # Panics
/// If `max_points` is below 4.
pub(super) fn keep_extremes(points: &[(f64, f64)], max_points: usize) -> Vec<(f64, f64)> {
    assert!(max_points >= 4, "keep_extremes: {max_points} points, expected at least 4: two ends and two extremes");
    if points.len() <= max_points {
        return points.to_vec();
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let inner = &points[1..points.len() - 1];
    let parts = (max_points - 2) / 2;
    let part = |k: usize| &inner[k * inner.len() / parts..(k + 1) * inner.len() / parts];
    let extremes = (0..parts).map(part).flat_map(|part| {
        let by_value = |&(i, _): &(usize, _), &(j, _): &(usize, _)| part[i].1.total_cmp(&part[j].1);
        let [min, max] = [part.iter().enumerate().min_by(by_value), part.iter().enumerate().max_by(by_value)];
        let mut kept: Vec<usize> = min.into_iter().chain(max).map(|(i, _)| i).collect();
        kept.sort_unstable();
        kept.dedup();
        kept.into_iter().map(|i| part[i])
    });
    [first].into_iter().chain(extremes).chain([last]).collect()
}

/// Picks at most `max_count` elements, evenly spaced, including the first and the last.
pub(super) fn pick_evenly<T>(all: &[T], max_count: usize) -> Vec<&T> {
    match all.len() <= max_count {
        true => all.iter().collect(),
        false => (0..max_count).map(|k| &all[k * (all.len() - 1) / (max_count - 1)]).collect(),
    }
}

/// Returns the mean of each span of `width` updates, placed at the last update in the span.
pub(super) fn span_means(series: &[(usize, f64)], width: usize) -> Vec<(usize, f64)> {
    let mean = |span: &[(usize, f64)]| span.iter().map(|&(_, value)| value).sum::<f64>() / span.len() as f64;
    spans(series, width).map(|span| (span[span.len() - 1].0, mean(span))).collect()
}

/// Returns the last point of each span of `width` updates.
pub(super) fn span_lasts(series: &[(usize, f64)], width: usize) -> Vec<(usize, f64)> {
    spans(series, width).map(|span| span[span.len() - 1]).collect()
}

fn spans(series: &[(usize, f64)], width: usize) -> impl Iterator<Item = &[(usize, f64)]> {
    series.chunk_by(move |a, b| a.0.div_ceil(width) == b.0.div_ceil(width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_extremes_of_a_million_points_keeps_peaks_and_ends() {
        let mut points: Vec<(f64, f64)> = (0..1_000_000).map(|k| (f64::from(k), f64::from(k % 7))).collect();
        points[314_159].1 = 99.0;
        points[271_828].1 = -99.0;
        let few = keep_extremes(&points, 200);
        assert!(few.len() <= 200, "{}", few.len());
        assert_eq!((few[0], few[few.len() - 1]), (points[0], points[999_999]));
        assert!(few.contains(&(314_159.0, 99.0)) && few.contains(&(271_828.0, -99.0)));
        assert!(few.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn keep_extremes_of_few_points_changes_nothing() {
        let points = [(1.0, 2.0), (2.0, 2.0), (3.0, 1.0)];
        assert_eq!(keep_extremes(&points, 4), points);
        assert_eq!(keep_extremes(&[(0.0, 0.0); 9], 5).len(), 4);
    }

    #[test]
    fn pick_evenly_includes_both_ends() {
        let all: Vec<usize> = (0..151).collect();
        assert_eq!(pick_evenly(&all, 4), [&0, &50, &100, &150]);
        assert_eq!(pick_evenly(&all[..2], 4), [&0, &1]);
    }

    #[test]
    fn span_means_and_lasts_are_per_span() {
        let series = [(1, 1.0), (2, 3.0), (3, 5.0), (4, 7.0), (5, 100.0)];
        assert_eq!(span_means(&series, 2), [(2, 2.0), (4, 6.0), (5, 100.0)]);
        assert_eq!(span_means(&series, 1), series);
        assert_eq!(span_lasts(&series, 2), [(2, 3.0), (4, 7.0), (5, 100.0)]);
    }
}
