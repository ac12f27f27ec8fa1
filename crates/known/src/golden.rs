//! The recorded steps of the original libraries, and the tests that every problem with a state of numbers passes.

use rl::env::{ActionSpace, Actions, SingleEnv, Task, Transitions, vector};
use tensor::philox::Philox;

/// A table of numbers as `golden/record.py` writes it: facts after `#`, the names of the columns, and rows.
pub(crate) struct Golden {
    facts: Vec<(&'static str, Vec<f64>)>,
    columns: Vec<&'static str>,
    rows: Vec<Vec<f64>>,
}

/// One row of a table.
pub(crate) struct Row<'a> {
    columns: &'a [&'static str],
    numbers: &'a [f64],
}

fn numbers(fields: impl Iterator<Item = &'static str>) -> Vec<f64> {
    fields.map(|field| field.parse().unwrap_or_else(|_| panic!("{field:?} is no number"))).collect()
}

impl Golden {
    pub(crate) fn parse(text: &'static str) -> Self {
        let (mut facts, mut lines) = (Vec::new(), text.lines());
        let columns = loop {
            let mut fields = lines.next().expect("a line with the names of the columns").split('\t');
            match fields.clone().next() {
                Some("#") => facts.push((fields.nth(1).expect("the name of a fact"), numbers(fields))),
                _ => break fields.collect(),
            }
        };
        Self { facts, columns, rows: lines.map(|line| numbers(line.split('\t'))).collect() }
    }

    pub(crate) fn fact(&self, name: &str) -> &[f64] {
        let fact = self.facts.iter().find(|fact| fact.0 == name);
        &fact.unwrap_or_else(|| panic!("no fact is named {name}")).1
    }

    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|numbers| Row { columns: &self.columns, numbers })
    }
}

impl Row<'_> {
    /// The number in the column `name`.
    pub(crate) fn get(&self, name: &str) -> f64 {
        let column = self.columns.iter().position(|column| *column == name);
        self.numbers[column.unwrap_or_else(|| panic!("no column is named {name}, only {:?}", self.columns))]
    }

    /// The numbers in the columns `name` with 0, 1, …
    pub(crate) fn vector(&self, name: &str) -> Vec<f64> {
        let is_part = |column: &str| column.strip_prefix(name).is_some_and(|index| index.parse::<usize>().is_ok());
        self.columns.iter().zip(self.numbers).filter(|(column, _)| is_part(column)).map(|(_, x)| *x).collect()
    }
}

/// An environment whose state a test can read and set.
pub(crate) trait State: SingleEnv + Default + 'static {
    fn state(&mut self) -> &mut [f64];
}

fn in_state<E: State>(state: &[f64]) -> E {
    let mut env = E::default();
    env.state().copy_from_slice(state);
    env
}

/// Checks that both vectors have the same size and that numbers differ by at most `tolerance`, relative to `want`.
#[track_caller]
fn assert_close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    let is_close = |(x, y): (&f64, &f64)| (x - y).abs() <= tolerance * y.abs();
    assert!(
        got.len() == want.len() && got.iter().zip(want).all(is_close),
        "{what} {got:?}, but {want:?} in the original"
    );
}

/// Takes each recorded step, and compares the next state, the reward, the flags and the observation.
///
/// The original rounds observations to `f32`, which changes numbers by at most half of its ε.
pub(crate) fn assert_steps<E: State>(task: &dyn Task, golden: &Golden) {
    assert_eq!(golden.rows().len(), 1000);
    let spec = task.spec();
    for (number, row) in golden.rows().enumerate() {
        let (state, action) = (row.vector("state"), row.get("action"));
        let (actions, tolerance) = match spec.action {
            ActionSpace::Discrete { .. } => (Actions::Discrete(vec![action as u32]), 0.0),
            ActionSpace::Continuous { size } => (Actions::Continuous { size, values: vec![action] }, 1e-12),
        };
        let what = |part: &str| format!("row {number}, state {state:?}, action {action}: {part}");

        let mut env = in_state::<E>(&state);
        env.step(actions.get(0), &mut Philox::new(0));
        assert_close(env.state(), &row.vector("next"), 1e-12, &what("the next state is"));

        let mut out = Transitions::new(&spec, 1);
        vector(1, || in_state::<E>(&state)).step(&[0], &actions, &mut [Philox::new(0)], &mut out);
        assert_close(&out.rewards, &[row.get("reward")], tolerance, &what("the reward is"));
        assert_eq!(out.terminated[0], row.get("terminated") == 1.0, "{}", what("terminated"));
        assert!(!out.truncated[0], "{}", what("truncated"));
        let observation: Vec<f64> = row.vector("observation").iter().map(|x| f64::from(*x as f32)).collect();
        let half = f64::from(f32::EPSILON / 2.0) + 1e-12;
        assert_close(out.observations.vector(0), &observation, half, &what("the observation is"));
    }
}

/// Checks that the state is uniform between the original's ends at the start.
pub(crate) fn assert_start<E: State>(golden: &Golden) {
    let (mut env, mut rng) = (E::default(), Philox::new(18));
    let starts: Vec<Vec<f64>> = (0..10_000)
        .map(|_| {
            env.reset(&mut rng);
            env.state().to_vec()
        })
        .collect();
    let ends = golden.fact("start_low").iter().zip(golden.fact("start_high"));
    assert_eq!(ends.len(), env.state().len());
    for (k, (low, high)) in ends.enumerate() {
        let mut sorted: Vec<f64> = starts.iter().map(|start| start[k]).collect();
        sorted.sort_by(f64::total_cmp);
        let (range, last) = (high - low, sorted.len() - 1);
        for distance in [sorted[0] - low, high - sorted[last]] {
            assert!((0.0..=0.002 * range).contains(&distance), "number {k} is {distance} from its end");
        }
        for (i, x) in sorted.iter().enumerate() {
            let expected = low + range * i as f64 / last as f64;
            assert!((x - expected).abs() <= 0.02 * range, "number {k}: quantile {i} is {x}, expected {expected}");
        }
    }
}

/// Checks that an episode which nothing else ends is truncated at the original's limit.
pub(crate) fn assert_limit<E: State>(task: &dyn Task, golden: &Golden) {
    let (mut env, mut rng, spec) = (E::default(), Philox::new(0), task.spec());
    let actions = Actions::zeros(&spec.action, 1);
    env.reset(&mut rng);
    let start = env.state().to_vec();
    let mut steps = std::iter::repeat_with(|| {
        env.state().copy_from_slice(&start);
        env.step(actions.get(0), &mut rng)
    });
    let limit = golden.fact("limit")[0] as usize;
    assert_eq!((spec.horizon, steps.position(|step| step.truncated)), (limit, Some(limit - 1)));
}

/// The tests of a problem: `golden_tests!(task, environment, name of its file)`.
macro_rules! golden_tests {
    ($task:expr, $env:ty, $file:literal) => {
        impl crate::golden::State for $env {
            fn state(&mut self) -> &mut [f64] {
                &mut self.state
            }
        }

        fn golden() -> crate::golden::Golden {
            crate::golden::Golden::parse(include_str!(concat!("../golden/", $file)))
        }

        #[test]
        fn step_of_1000_states_is_that_of_gymnasium() {
            crate::golden::assert_steps::<$env>(&$task, &golden());
        }

        #[test]
        fn reset_is_uniform_between_the_ends_of_gymnasium() {
            crate::golden::assert_start::<$env>(&golden());
        }

        #[test]
        fn step_at_the_limit_of_gymnasium_is_truncated() {
            crate::golden::assert_limit::<$env>(&$task, &golden());
        }

        #[test]
        fn check_finds_no_broken_promise() {
            assert_eq!(rl::env::check::check(&$task), Ok(()));
        }
    };
}
pub(crate) use golden_tests;
