//! The probability of improvement of one configuration over another.

use super::{Bootstrap, Interval, Scores};

/// Returns the probability that a run of `x` scores higher than a run of `y` on a task, averaged over tasks, with its
/// interval. The runs of both sides are resampled independently.
///
/// ½ means that neither is better. An interval that contains ½ does not tell them apart. The probability says nothing
/// about the size of the improvement: a tiny improvement can be certain.
///
/// Source: section 4 of the paper; rliable's `probability_of_improvement`.
///
/// # Errors
/// If the two have different numbers of tasks.
pub(crate) fn probability_of_improvement(x: &Scores, y: &Scores, bootstrap: &Bootstrap) -> Result<Interval, String> {
    let tasks = [x.tasks(), y.tasks()];
    match tasks[0] == tasks[1] {
        true => Ok(bootstrap.resample_sets([x, y], |[x, y]| vec![probability(x, y)])[0]),
        false => Err(format!("one has {} tasks and the other {}; expected runs of the same tasks", tasks[0], tasks[1])),
    }
}

fn probability(x: &Scores, y: &Scores) -> f64 {
    let of_task = |(x, y): (&[f64], &[f64])| mann_whitney_u(x, y) / (x.len() * y.len()) as f64;
    x.by_task().zip(y.by_task()).map(of_task).sum::<f64>() / x.tasks() as f64
}

/// Returns the Mann–Whitney U statistic: the number of pairs with x > y, where a tie counts one half.
///
/// Source: H. B. Mann, D. R. Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the
/// Other" (1947).
fn mann_whitney_u(x: &[f64], y: &[f64]) -> f64 {
    let mut y = y.to_vec();
    y.sort_unstable_by(f64::total_cmp);
    let less = |x: f64| y.partition_point(|&y| y < x);
    let not_greater = |x: f64| y.partition_point(|&y| y <= x);
    x.iter().map(|&x| (less(x) + not_greater(x)) as f64 / 2.0).sum()
}

#[cfg(test)]
mod tests {
    use super::super::golden::{self, close};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn probability_of_improvement_matches_rliable() {
        let bootstrap = Bootstrap { resamples: golden::RESAMPLES, ..Bootstrap::default() };
        for case in &golden::file().improvement {
            let [x, y] = [&case.x, &case.y].map(|name| golden::file().matrices[name].scores());
            let found = probability_of_improvement(&x, &y, &bootstrap).expect("the same tasks");
            case.interval.assert_holds(&format!("{} over {}", case.x, case.y), found);
        }
    }

    #[test]
    fn mann_whitney_u_ties_count_half() {
        assert_eq!(mann_whitney_u(&[1.0, 2.0, 3.0], &[2.0, 2.0]), 0.0 + 1.0 + 2.0);
        assert_eq!(mann_whitney_u(&[-0.0], &[0.0]), 0.5);
    }

    #[test]
    fn probability_of_improvement_different_task_counts_is_error() {
        let [one, two] = [Scores::new(&[vec![1.0]]), Scores::new(&[vec![1.0, 2.0]])].map(|s| s.expect("a matrix"));
        let error = probability_of_improvement(&one, &two, &Bootstrap::default()).expect_err("other tasks");
        assert!(error.contains("one has 1 tasks and the other 2"), "{error}");
    }

    /// Scores with few distinct values, so that ties occur.
    fn scores(tasks: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
        let score = (0..6_u8).prop_map(|i| f64::from(i) / 5.0);
        prop::collection::vec(prop::collection::vec(score, tasks), 1..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn probabilities_of_both_directions_add_to_1((x, y) in (1..4_usize).prop_flat_map(|n| (scores(n), scores(n)))) {
            let [x, y] = [x, y].map(|rows| Scores::new(&rows).expect("a matrix"));
            close("P(X > Y) + P(Y > X)", probability(&x, &y) + probability(&y, &x), 1.0);
            close("P(X > X)", probability(&x, &x), 0.5);
        }

        /// Compares with the definition, which counts every pair, and checks that the order of runs does not matter.
        #[test]
        fn mann_whitney_u_equals_count_of_pairs((mut x, y) in (scores(1), scores(1))) {
            let pairs = x.iter().flat_map(|x| y.iter().map(move |y| x[0].total_cmp(&y[0]) as i8));
            let want: f64 = pairs.map(|order| f64::from(order + 1) / 2.0).sum();
            let flat = |rows: &[Vec<f64>]| rows.concat();
            prop_assert_eq!(mann_whitney_u(&flat(&x), &flat(&y)), want);
            x.reverse();
            prop_assert_eq!(mann_whitney_u(&flat(&x), &flat(&y)), want);
        }
    }
}
