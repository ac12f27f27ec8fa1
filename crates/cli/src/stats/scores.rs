//! What runs are compared by: a number for each run and task.

use tensor::philox::Philox;

/// What is drawn with replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// In each task the scores of as many runs, independently of the other tasks: the stratified bootstrap of rliable.
    ///
    /// Right where each score is a training of its own. Where one training is scored in all tasks, as in all stages
    /// here, its scores rise and fall together, and the interval over all tasks is too narrow, by up to √tasks.
    Score,
    /// Runs, each with its scores in all tasks.
    Run,
}

/// Scores of runs × tasks: at least one of each, every run with every task, all finite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scores {
    runs: usize,
    /// Task by task: the score of `run` in `task` is at `task·runs + run`.
    values: Vec<f64>,
}

impl Scores {
    /// From a row for each run, which has a number for each task.
    ///
    /// # Errors
    /// If there is no run or no task, a run has other tasks than the first, or a score is not finite.
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

    /// The number of tasks.
    pub(crate) fn tasks(&self) -> usize {
        self.values.len() / self.runs
    }

    /// The scores of all runs and tasks, task by task.
    pub(crate) fn all(&self) -> &[f64] {
        &self.values
    }

    /// For each task the scores of all runs.
    pub(crate) fn by_task(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.runs)
    }

    /// The scores of one task alone.
    ///
    /// # Panics
    /// If there is no such task.
    #[track_caller]
    pub(crate) fn task(&self, task: usize) -> Self {
        let tasks = self.tasks();
        let scores = self.by_task().nth(task).unwrap_or_else(|| panic!("Scores: task {task} of {tasks}"));
        Self { runs: self.runs, values: scores.to_vec() }
    }

    /// As many runs, drawn with replacement: whole ones, or each task's apart.
    pub(super) fn resample(&self, unit: Unit, rng: &mut Philox) -> Self {
        let runs = u32::try_from(self.runs).expect("runs are counted in 32 bits");
        let mut draw = || (0..runs).map(|_| rng.below(runs) as usize).collect::<Vec<_>>();
        let mut drawn = draw();
        let mut values = Vec::with_capacity(self.values.len());
        for (task, scores) in self.by_task().enumerate() {
            if task > 0 && unit == Unit::Score {
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
    fn tasks_keep_their_runs() {
        let scores = Scores::new(&[[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]).expect("a matrix");
        assert_eq!(scores.tasks(), 3);
        assert_eq!(scores.by_task().collect::<Vec<_>>(), [[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]]);
        assert_eq!(scores.task(1), Scores::new(&[[10.0], [20.0]]).expect("a matrix"));
    }

    #[test]
    fn what_is_no_matrix_of_numbers_is_refused() {
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

    /// Two tasks with the same scores stay the same only if runs are drawn whole.
    #[test]
    fn whole_runs_keep_their_tasks_together() {
        let scores = Scores::new(&[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]).expect("a matrix");
        let resample = |unit, episode| {
            let place = Stream { purpose: Purpose::TEST, update: 0, episode };
            scores.resample(unit, &mut Philox::stream(0, place))
        };
        let together = |unit| (0..100).filter(|&i| resample(unit, i).task(0) == resample(unit, i).task(1)).count();
        assert_eq!(together(Unit::Run), 100);
        assert!(together(Unit::Score) < 10);
        assert!((0..100).all(|i| resample(Unit::Run, i).task(0) == resample(Unit::Score, i).task(0)));
    }

    #[test]
    #[should_panic(expected = "task 2 of 2")]
    fn a_task_that_is_not_there_is_named() {
        Scores::new(&[[1.0, 2.0]]).expect("a matrix").task(2);
    }
}
