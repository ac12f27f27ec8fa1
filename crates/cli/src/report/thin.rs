//! Long runs in few points: what is drawn of a million updates fits into a small file, and no peak is lost.

/// Every extreme of a line in at most `most` points: its ends, and the least and the greatest point of each of equal
/// parts between them, in order.
///
/// # Panics
/// If `most` is below 4.
pub(super) fn thin(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    assert!(most >= 4, "thin: {most} points, expected at least two ends and two extremes");
    if points.len() <= most {
        return points.to_vec();
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let inner = &points[1..points.len() - 1];
    let parts = (most - 2) / 2;
    let part = |k: usize| &inner[k * inner.len() / parts..(k + 1) * inner.len() / parts];
    let extremes = (0..parts).map(part).flat_map(|part| {
        let by_value = |&(i, _): &(usize, _), &(j, _): &(usize, _)| part[i].1.total_cmp(&part[j].1);
        let [least, most] = [part.iter().enumerate().min_by(by_value), part.iter().enumerate().max_by(by_value)];
        let mut kept: Vec<usize> = least.into_iter().chain(most).map(|(i, _)| i).collect();
        kept.sort_unstable();
        kept.dedup();
        kept.into_iter().map(|i| part[i])
    });
    [first].into_iter().chain(extremes).chain([last]).collect()
}

/// At most `most` of these, evenly spread, with the first and the last.
pub(super) fn pick<T>(all: &[T], most: usize) -> Vec<&T> {
    match all.len() <= most {
        true => all.iter().collect(),
        false => (0..most).map(|k| &all[k * (all.len() - 1) / (most - 1)]).collect(),
    }
}

/// The mean over each span of `width` updates, at the last update of the run that is in it.
pub(super) fn means(series: &[(usize, f64)], width: usize) -> Vec<(usize, f64)> {
    let mean = |span: &[(usize, f64)]| span.iter().map(|&(_, value)| value).sum::<f64>() / span.len() as f64;
    spans(series, width).map(|span| (span[span.len() - 1].0, mean(span))).collect()
}

/// The last of each span of `width` updates.
pub(super) fn lasts(series: &[(usize, f64)], width: usize) -> Vec<(usize, f64)> {
    spans(series, width).map(|span| span[span.len() - 1]).collect()
}

fn spans(series: &[(usize, f64)], width: usize) -> impl Iterator<Item = &[(usize, f64)]> {
    series.chunk_by(move |a, b| a.0.div_ceil(width) == b.0.div_ceil(width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_points_keep_their_peaks_and_their_ends() {
        let mut points: Vec<(f64, f64)> = (0..1_000_000).map(|k| (f64::from(k), f64::from(k % 7))).collect();
        points[314_159].1 = 99.0;
        points[271_828].1 = -99.0;
        let few = thin(&points, 200);
        assert!(few.len() <= 200, "{}", few.len());
        assert_eq!((few[0], few[few.len() - 1]), (points[0], points[999_999]));
        assert!(few.contains(&(314_159.0, 99.0)) && few.contains(&(271_828.0, -99.0)));
        assert!(few.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let points = [(1.0, 2.0), (2.0, 2.0), (3.0, 1.0)];
        assert_eq!(thin(&points, 4), points);
        assert_eq!(thin(&[(0.0, 0.0); 9], 5).len(), 4);
    }

    #[test]
    fn what_is_picked_has_both_ends() {
        let all: Vec<usize> = (0..151).collect();
        assert_eq!(pick(&all, 4), [&0, &50, &100, &150]);
        assert_eq!(pick(&all[..2], 4), [&0, &1]);
    }

    #[test]
    fn means_are_those_of_spans() {
        let series = [(1, 1.0), (2, 3.0), (3, 5.0), (4, 7.0), (5, 100.0)];
        assert_eq!(means(&series, 2), [(2, 2.0), (4, 6.0), (5, 100.0)]);
        assert_eq!(means(&series, 1), series);
        assert_eq!(lasts(&series, 2), [(2, 3.0), (4, 7.0), (5, 100.0)]);
    }
}
