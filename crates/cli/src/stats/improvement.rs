//! The probability of improvement between two configurations.

use super::{Bootstrap, Interval, Scores};

/// How probable it is that a run of `x` scores higher than a run of `y` on a task, averaged over the tasks, with its
/// interval; the runs of both sides are drawn again, independently.
///
/// ½ says that neither is better; an interval that holds ½ does not tell them apart. It does not say by how much: one
/// may be sure to be better, and by a hair.
///
/// Source: section 4 of the paper; rliable's `probability_of_improvement`.
///
/// # Errors
/// If the two do not have as many tasks.
pub(crate) fn improvement(x: &Scores, y: &Scores, bootstrap: &Bootstrap) -> Result<Interval, String> {
    let tasks = [x.tasks(), y.tasks()];
    match tasks[0] == tasks[1] {
        true => Ok(bootstrap.of([x, y], |[x, y]| vec![probability(x, y)])[0]),
        false => Err(format!("one has {} tasks and the other {}; expected runs of the same tasks", tasks[0], tasks[1])),
    }
}

fn probability(x: &Scores, y: &Scores) -> f64 {
    let of_task = |(x, y): (&[f64], &[f64])| u(x, y) / (x.len() * y.len()) as f64;
    x.by_task().zip(y.by_task()).map(of_task).sum::<f64>() / x.tasks() as f64
}

/// Mann and Whitney's U: the number of pairs whose x is greater than its y, where half of the ties count.
///
/// Source: H. B. Mann, D. R. Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the
/// Other" (1947).
fn u(x: &[f64], y: &[f64]) -> f64 {
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
    fn probabilities_are_those_of_rliable() {
        let bootstrap = Bootstrap { resamples: golden::RESAMPLES, ..Bootstrap::default() };
        for case in &golden::file().improvement {
            let [x, y] = [&case.x, &case.y].map(|name| golden::file().matrices[name].scores());
            let found = improvement(&x, &y, &bootstrap).expect("the same tasks");
            case.interval.assert_holds(&format!("{} over {}", case.x, case.y), found);
        }
    }

    #[test]
    fn half_of_the_ties_count() {
        assert_eq!(u(&[1.0, 2.0, 3.0], &[2.0, 2.0]), 0.0 + 1.0 + 2.0);
        assert_eq!(u(&[-0.0], &[0.0]), 0.5);
    }

    #[test]
    fn tasks_must_be_as_many() {
        let [one, two] = [Scores::new(&[vec![1.0]]), Scores::new(&[vec![1.0, 2.0]])].map(|s| s.expect("a matrix"));
        let error = improvement(&one, &two, &Bootstrap::default()).expect_err("other tasks");
        assert!(error.contains("one has 1 tasks and the other 2"), "{error}");
    }

    /// Few values, so that there are ties.
    fn scores(tasks: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
        let score = (0..6_u8).prop_map(|i| f64::from(i) / 5.0);
        prop::collection::vec(prop::collection::vec(score, tasks), 1..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn one_side_gains_what_the_other_loses((x, y) in (1..4_usize).prop_flat_map(|n| (scores(n), scores(n)))) {
            let [x, y] = [x, y].map(|rows| Scores::new(&rows).expect("a matrix"));
            close("P(X > Y) + P(Y > X)", probability(&x, &y) + probability(&y, &x), 1.0);
            close("P(X > X)", probability(&x, &x), 0.5);
        }

        /// The definition: every pair, one by one; and the order of the runs of a task says nothing.
        #[test]
        fn all_pairs_are_counted((mut x, y) in (scores(1), scores(1))) {
            let pairs = x.iter().flat_map(|x| y.iter().map(move |y| x[0].total_cmp(&y[0]) as i8));
            let want: f64 = pairs.map(|order| f64::from(order + 1) / 2.0).sum();
            let flat = |rows: &[Vec<f64>]| rows.concat();
            prop_assert_eq!(u(&flat(&x), &flat(&y)), want);
            x.reverse();
            prop_assert_eq!(u(&flat(&x), &flat(&y)), want);
        }
    }
}
