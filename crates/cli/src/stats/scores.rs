//! The score matrix: one number per run and task.

use tensor::philox::Philox;

/// The unit that the bootstrap draws with replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResampleUnit {
    /// The scores of each task, independently of the other tasks: the stratified bootstrap of rliable.
    ///
    /// This is correct if each score comes from a separate training. If one training is scored in all tasks, as in all
    /// stages here, its scores are correlated and the interval over all tasks is too narrow, by up to √tasks.
    Score,
    /// Whole runs, each with its scores in all tasks.
    Run,
}

/// Scores of runs × tasks. There is at least one run and one task, no score is missing, and all scores are finite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scores {
    runs: usize,
    /// The scores in task-major order: the score of `run` in `task` has index `task·runs + run`.
    values: Vec<f64>,
}

impl Scores {
    /// Builds the matrix from one row per run, with one number per task.
    ///
    /// # Errors
    /// If there is no run or no task, the rows have different lengths, or a score is not finite.
    pub(crate) fn new(rows: &[impl AsRef<[f64]>]) -> Result<Self, String> {
        let tasks = rows.first().map_or(0, |row| row.as_ref().len());
        if tasks == 0 {
            return Err("there are no scores; expected at least one run with at least one task".into());
        }
        for (run, row) in rows.iter().enumerate() {
            let row = row.as_ref();
            if row.len() != tasks {
                let found = row.len();
                return Err(format!("run {run} has {found} scores and run 0 has {tasks}; expected the same tasks"));
            }
            if let Some(task) = row.iter().position(|score| !score.is_finite()) {
                return Err(format!("run {run} has the score {} in task {task}; expected a finite number", row[task]));
            }
        }
        let values = (0..tasks).flat_map(|task| rows.iter().map(move |row| row.as_ref()[task]));
        Ok(Self { runs: rows.len(), values: values.collect() })
    }

    /// Returns the number of tasks.
    pub(crate) fn tasks(&self) -> usize {
        self.values.len() / self.runs
    }

    /// Returns the scores of all runs and tasks, in task-major order.
    pub(crate) fn all(&self) -> &[f64] {
        &self.values
    }

    /// Iterates over the tasks; yields the scores of all runs.
    pub(crate) fn by_task(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.runs)
    }

    /// Returns the scores of one task.
    ///
    /// # Panics
    /// If there is no such task.
    #[track_caller]
    pub(crate) fn task(&self, task: usize) -> Self {
        let tasks = self.tasks();
        let scores = self.by_task().nth(task).unwrap_or_else(|| panic!("Scores: task {task}, expected below {tasks}"));
        Self { runs: self.runs, values: scores.to_vec() }
    }

    /// Draws the same number of runs with replacement: whole runs, or separately per task.
    pub(super) fn resample(&self, unit: ResampleUnit, rng: &mut Philox) -> Self {
        let runs = u32::try_from(self.runs).expect("runs are counted in 32 bits");
        let mut draw = || (0..runs).map(|_| rng.below(runs) as usize).collect::<Vec<_>>();
        let mut drawn = draw();
        let mut values = Vec::with_capacity(self.values.len());
        for (task, scores) in self.by_task().enumerate() {
            if task > 0 && unit == ResampleUnit::Score {
                drawn = draw();
            }
            values.extend(drawn.iter().map(|&run| scores[run]));
        }
        Self { runs: self.runs, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tensor::philox::{Purpose, Stream};

    #[test]
    fn by_task_yields_scores_of_all_runs() {
        let scores = Scores::new(&[[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]).expect("a matrix");
        assert_eq!(scores.tasks(), 3);
        assert_eq!(scores.by_task().collect::<Vec<_>>(), [[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]]);
        assert_eq!(scores.task(1), Scores::new(&[[10.0], [20.0]]).expect("a matrix"));
    }

    #[test]
    fn new_of_invalid_matrix_is_error() {
        let cases: [(&[Vec<f64>], &str); 5] = [
            (&[], "no scores"),
            (&[vec![], vec![]], "no scores"),
            (&[vec![1.0, 2.0], vec![3.0]], "run 1 has 1 scores and run 0 has 2"),
            (&[vec![1.0, 2.0], vec![3.0, f64::NAN]], "run 1 has the score NaN in task 1"),
            (&[vec![f64::INFINITY]], "run 0 has the score inf in task 0"),
        ];
        for (rows, why) in cases {
            let error = Scores::new(rows).expect_err(why);
            assert!(error.contains(why), "{error}");
        }
    }

    /// Two tasks with equal scores stay equal only if whole runs are drawn.
    #[test]
    fn resample_of_runs_keeps_tasks_together() {
        let scores = Scores::new(&[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]).expect("a matrix");
        let resample = |unit, episode| {
            let place = Stream { purpose: Purpose::TEST, update: 0, episode };
            scores.resample(unit, &mut Philox::stream(0, place))
        };
        let together = |unit| (0..100).filter(|&i| resample(unit, i).task(0) == resample(unit, i).task(1)).count();
        assert_eq!(together(ResampleUnit::Run), 100);
        assert!(together(ResampleUnit::Score) < 10);
        assert!((0..100).all(|i| resample(ResampleUnit::Run, i).task(0) == resample(ResampleUnit::Score, i).task(0)));
    }

    #[test]
    #[should_panic(expected = "task 2, expected below 2")]
    fn task_out_of_range_panics() {
        Scores::new(&[[1.0, 2.0]]).expect("a matrix").task(2);
    }
}
